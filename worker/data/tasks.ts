import type { Metric, TaskKind } from '../../signaling/protocol/scores.ts';

/** Where a task's examples lie on a Hugging Face hub, and how its rows read. */
export interface GlueSource {
  readonly kind: 'glue';
  /** Configuration of the data set nyu-mll/glue. */
  readonly config: string;
  readonly textColumn: string;
  readonly pairColumn: string | null;
  readonly devSplit: string;
  /** Another dev set of the same task, by its split and its name for people. */
  readonly secondDev: { readonly split: string; readonly name: string } | null;
}

/** A task that a session can train. Everything that sets the tasks apart is in this table. */
export interface Task {
  readonly id: string;
  readonly title: string;
  readonly kind: TaskKind;
  /** 1 for regression. */
  readonly labelCount: number;
  /** In the order of the labels; empty for regression. */
  readonly classNames: readonly string[];
  /** The one that the page draws, and that a best adapter is chosen by unless a session says otherwise. */
  readonly metric: Metric;
  /** What is reported besides. */
  readonly furtherMetrics: readonly Metric[];
  readonly source: GlueSource | { readonly kind: 'grammar' } | { readonly kind: 'own' };
}

const glue = (
  config: string,
  textColumn: string,
  pairColumn: string | null = null,
  devSplit = 'validation',
  secondDev: GlueSource['secondDev'] = null,
): GlueSource => ({ kind: 'glue', config, textColumn, pairColumn, devSplit, secondDev });

const sentiment = ['negative', 'positive'] as const;
const entailment = ['entailment', 'not entailment'] as const;
const inference = ['entailment', 'neutral', 'contradiction'] as const;

const classification = (
  id: string,
  title: string,
  classNames: readonly string[],
  source: Task['source'],
  metric: Metric = 'accuracy',
  furtherMetrics: readonly Metric[] = [],
): Task => ({
  id,
  title,
  kind: 'classification',
  labelCount: classNames.length,
  classNames,
  metric,
  furtherMetrics,
  source,
});

/** The generated sentiment task first: it needs no network. Then GLUE's nine, MNLI with each of its two dev sets. */
export const TASKS: readonly Task[] = [
  classification('grammar', 'Sentiment of generated film sentences', sentiment, { kind: 'grammar' }),
  classification('sst2', 'SST-2: sentiment of film reviews', sentiment, glue('sst2', 'sentence')),
  classification(
    'cola',
    'CoLA: is it a sentence of English',
    ['unacceptable', 'acceptable'],
    glue('cola', 'sentence'),
    'matthews',
  ),
  classification(
    'mrpc',
    'MRPC: do two sentences say the same',
    ['not equivalent', 'equivalent'],
    glue('mrpc', 'sentence1', 'sentence2'),
    'f1',
    ['accuracy'],
  ),
  classification(
    'qqp',
    'QQP: do two questions ask the same',
    ['not duplicate', 'duplicate'],
    glue('qqp', 'question1', 'question2'),
    'f1',
    ['accuracy'],
  ),
  {
    id: 'stsb',
    title: 'STS-B: how alike are two sentences, 0 to 5',
    kind: 'regression',
    labelCount: 1,
    classNames: [],
    metric: 'pearson',
    furtherMetrics: ['spearman'],
    source: glue('stsb', 'sentence1', 'sentence2'),
  },
  classification(
    'mnli',
    'MNLI: does one sentence follow from another (matched dev set)',
    inference,
    glue('mnli', 'premise', 'hypothesis', 'validation_matched', {
      split: 'validation_mismatched',
      name: 'mismatched',
    }),
  ),
  classification(
    'mnli-mismatched',
    'MNLI: does one sentence follow from another (mismatched dev set)',
    inference,
    glue('mnli', 'premise', 'hypothesis', 'validation_mismatched', {
      split: 'validation_matched',
      name: 'matched',
    }),
  ),
  classification(
    'qnli',
    'QNLI: does the sentence answer the question',
    entailment,
    glue('qnli', 'question', 'sentence'),
  ),
  classification(
    'rte',
    'RTE: does one sentence follow from another',
    entailment,
    glue('rte', 'sentence1', 'sentence2'),
  ),
  classification(
    'wnli',
    'WNLI: is the pronoun read rightly',
    ['not entailment', 'entailment'],
    glue('wnli', 'sentence1', 'sentence2'),
  ),
];

/** @throws Error that names the tasks there are. */
export function findTask(id: string): Task {
  const task = TASKS.find((candidate) => candidate.id === id);
  if (!task) throw new Error(`There is no task "${id}"; there are ${TASKS.map((known) => known.id).join(', ')}.`);
  return task;
}
