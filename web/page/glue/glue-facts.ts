import { MEASURED_ON_MINI, type MiniScore } from './mini-scores.ts';

/** What a person may want to know of a GLUE task before choosing it. */
export interface GlueFacts {
  /** As the form knows the task; MNLI's other dev set is a task of its own there. */
  readonly id: string;
  readonly name: string;
  readonly asks: string;
  /** Of ours, in the task's manner: GLUE's own texts are not copied. */
  readonly example: { readonly texts: readonly string[]; readonly answer: string };
  readonly trainExamples: number;
  readonly devExamples: number;
  readonly metric: string;
  /**
   * Of RoBERTa base with LoRA on the dev set, from Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models" (arXiv 2106.09685),
   * table 2, in its own measure; null where the paper has none.
   */
  readonly published: { readonly measure: string; readonly score: number } | null;
  /** What the embedded model reached here (docs/learning.md); null where nobody has measured it. */
  readonly mini: MiniScore | null;
  /** Of a padded batch, per sample, as measured over the training set (signaling/simulate/glue-lengths.ts). */
  readonly tokens: number;
}

export const PUBLISHED_SOURCE = 'RoBERTa base with LoRA: Hu et al. 2021, table 2 (arXiv 2106.09685), on the dev sets.';

const facts = (
  id: string,
  name: string,
  asks: string,
  example: GlueFacts['example'],
  [trainExamples, devExamples, tokens]: readonly [number, number, number],
  metric: string,
  published: GlueFacts['published'],
): GlueFacts => ({
  ...{ id, name, asks, example, trainExamples, devExamples, tokens, metric, published },
  mini: MEASURED_ON_MINI[id] ?? null,
});

const accuracy = (score: number) => ({ measure: 'accuracy', score });

/** GLUE's nine, single sentences first. Sizes are those of the hub's data set. */
export const GLUE_FACTS: readonly GlueFacts[] = [
  facts(
    'sst2',
    'SST-2',
    'Is a phrase of a film review positive or negative?',
    { texts: ['slow, and all the better for it'], answer: 'positive' },
    [67_349, 872, 40.7],
    'accuracy',
    accuracy(95.1),
  ),
  facts(
    'cola',
    'CoLA',
    'Is it a sentence of English?',
    { texts: ['The weaver have finished the cloth.'], answer: 'unacceptable' },
    [8551, 1043, 18.9],
    'Matthews correlation',
    { measure: 'Matthews', score: 63.4 },
  ),
  facts(
    'mrpc',
    'MRPC',
    'Do two sentences say the same?',
    { texts: ['The mill closed on Friday.', 'On Friday the mill was shut.'], answer: 'equivalent' },
    [3668, 408, 81],
    'F1 and accuracy',
    accuracy(89.7),
  ),
  facts(
    'qqp',
    'QQP',
    'Do two questions ask the same?',
    { texts: ['How do I learn to weave?', 'Where can I buy a loom?'], answer: 'not duplicate' },
    [363_846, 40_430, 67.5],
    'F1 and accuracy',
    accuracy(90.8),
  ),
  facts(
    'stsb',
    'STS-B',
    'How alike are two sentences, from 0 to 5?',
    { texts: ['A woman winds wool.', 'A woman is winding yarn.'], answer: '4.2' },
    [5749, 1500, 46.7],
    'Pearson and Spearman correlation',
    { measure: 'Pearson', score: 91.5 },
  ),
  facts(
    'mnli',
    'MNLI',
    'Does one sentence follow from another?',
    { texts: ['The loom stood still all day.', 'Somebody wove at noon.'], answer: 'contradiction' },
    [392_702, 9815, 90],
    'accuracy',
    accuracy(87.5),
  ),
  facts(
    'qnli',
    'QNLI',
    'Does the sentence answer the question?',
    { texts: ['When was the mill built?', 'The mill was built in 1784.'], answer: 'entailment' },
    [104_743, 5463, 99.7],
    'accuracy',
    accuracy(93.3),
  ),
  facts(
    'rte',
    'RTE',
    'Does one sentence follow from another?',
    { texts: ['Anna sold the shop to her brother.', 'Anna’s brother owns the shop.'], answer: 'entailment' },
    [2490, 277, 127.8],
    'accuracy',
    accuracy(86.6),
  ),
  facts(
    'wnli',
    'WNLI',
    'Is the pronoun read rightly?',
    {
      texts: ['The shuttle did not fit the shed: it was too wide.', 'The shuttle was too wide.'],
      answer: 'entailment',
    },
    [635, 71, 82.1],
    'accuracy',
    null,
  ),
];

/** By the form's task; MNLI's two dev sets are one task of GLUE. */
export const glueFactsOf = (task: string): GlueFacts | null =>
  GLUE_FACTS.find(({ id }) => id === (task === MNLI_MISMATCHED ? 'mnli' : task)) ?? null;

export const MNLI_MISMATCHED = 'mnli-mismatched';
