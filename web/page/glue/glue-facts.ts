import * as say from '../../words/start/glue.ts';
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

export const PUBLISHED_SOURCE = say.roBERTaBaseWithLoRAHu;

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
    say.isAPhrase,
    { texts: [say.slowAndAllTheBetter], answer: 'positive' },
    [67_349, 872, 40.7],
    'accuracy',
    accuracy(95.1),
  ),
  facts(
    'cola',
    say.coLA,
    say.isItASentence,
    { texts: [say.theWeaverHaveFinished], answer: 'unacceptable' },
    [8551, 1043, 18.9],
    say.matthewsCorrelation,
    { measure: say.matthews, score: 63.4 },
  ),
  facts(
    'mrpc',
    'MRPC',
    say.doTwoSentencesSay,
    { texts: [say.theMillClosedOnFriday, say.onFridayTheMillWas], answer: 'equivalent' },
    [3668, 408, 81],
    say.f1AndAccuracy,
    accuracy(89.7),
  ),
  facts(
    'qqp',
    'QQP',
    say.doTwoQuestionsAsk,
    { texts: [say.howDoILearn, say.whereCanIBuy], answer: say.notDuplicate },
    [363_846, 40_430, 67.5],
    say.f1AndAccuracy,
    accuracy(90.8),
  ),
  facts(
    'stsb',
    'STS-B',
    say.howAlikeAreTwoSentences,
    { texts: [say.aWomanWindsWool, say.aWomanIsWindingYarn], answer: '4.2' },
    [5749, 1500, 46.7],
    say.pearsonAndSpearmanCorrelation,
    { measure: say.pearson, score: 91.5 },
  ),
  facts(
    'mnli',
    'MNLI',
    say.doesOneSentenceFollow,
    { texts: [say.theLoomStoodStillAll, say.somebodyWoveAtNoon], answer: 'contradiction' },
    [392_702, 9815, 90],
    'accuracy',
    accuracy(87.5),
  ),
  facts(
    'qnli',
    'QNLI',
    say.doesTheSentenceAnswer,
    { texts: [say.whenWasTheMillBuilt, say.theMillWasBuilt], answer: 'entailment' },
    [104_743, 5463, 99.7],
    'accuracy',
    accuracy(93.3),
  ),
  facts(
    'rte',
    'RTE',
    say.doesOneSentenceFollow,
    { texts: [say.annaSoldTheShop, say.annasBrotherOwnsTheShop], answer: 'entailment' },
    [2490, 277, 127.8],
    'accuracy',
    accuracy(86.6),
  ),
  facts(
    'wnli',
    'WNLI',
    say.isThePronounReadRightly,
    {
      texts: [say.theShuttleDidNotFit, say.theShuttleWasTooWide],
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
