import type { Metric } from '../../signaling/protocol/scores.ts';
import type { Score } from '../api/host-api.ts';
import type { Task } from '../data/tasks.ts';
import { lossAndGradientOf, lossOf, lossTargets } from '../engine/loss.ts';
import { constantAnswers } from './constant-answers.ts';
import {
  accuracy,
  classTallies,
  f1,
  f1Macro,
  f1Micro,
  labelTallies,
  matthews,
  namedTallies,
  pearson,
  predictedClasses,
  predictedLabels,
  spearman,
} from './metrics.ts';

type Judged = Pick<Task, 'id' | 'kind' | 'labelCount'>;

/** What a model answers, as labels are written: class indices, numbers, or (B,labels) zeros and ones. */
export function answersOf({ kind, labelCount }: Judged, logits: Float32Array, threshold: number): ArrayLike<number> {
  switch (kind) {
    case 'classification':
      return predictedClasses(logits, labelCount);
    case 'regression':
      return logits;
    case 'multi-label':
      return predictedLabels(logits, threshold);
  }
}

/** One metric of answers against labels. */
export function metricValue(
  { kind, labelCount }: Judged,
  metric: Metric,
  answers: ArrayLike<number>,
  labels: ArrayLike<number>,
): number {
  const several = kind === 'multi-label';
  const tallies = () => (several ? labelTallies : classTallies)(answers, labels, labelCount);
  switch (metric) {
    case 'accuracy':
      return several ? wholeRows(answers, labels, labelCount) : accuracy(answers, labels);
    case 'f1':
      return f1(answers, labels);
    case 'f1-micro':
      return f1Micro(tallies());
    case 'f1-macro':
      return f1Macro(several ? tallies() : namedTallies(tallies()));
    case 'matthews':
      return matthews(answers, labels);
    case 'pearson':
      return pearson(answers, labels);
    case 'spearman':
      return spearman(answers, labels);
  }
}

/** Share of the samples of which every label is right: what scikit-learn calls accuracy of several labels. */
function wholeRows(answers: ArrayLike<number>, labels: ArrayLike<number>, labelCount: number): number {
  const rows = labels.length / labelCount;
  let right = 0;
  for (let row = 0; row < rows; row++) {
    let same = true;
    for (let i = row * labelCount; i < (row + 1) * labelCount; i++) same &&= answers[i] === labels[i];
    right += Number(same);
  }
  return rows === 0 ? 0 : right / rows;
}

/** Of some examples, whatever they are. */
export type PlainScore = Omit<Score, 'examples' | 'error' | 'chosenBy'>;

export interface ScoreOptions {
  /** Of labels, in tasks of several. */
  readonly threshold: number;
  /** One more metric than the task reports, or null. */
  readonly also: Metric | null;
}

/**
 * The metrics of a task from its logits, (B, labels) row-major, against `labels`, each beside that of the best constant answer. The loss
 * is plain: neither weighed nor smoothed, so that sessions can be compared.
 * @throws RangeError when the logits do not fill the rows or are not finite.
 */
export function scoreLogits(
  task: Task,
  logits: Float32Array,
  labels: Float32Array,
  { threshold, also }: ScoreOptions = { threshold: 0.5, also: null },
): PlainScore {
  const rows = task.kind === 'multi-label' ? labels.length / task.labelCount : labels.length;
  if (logits.length !== rows * task.labelCount)
    throw new RangeError(
      `${rows} examples of "${task.id}" need ${rows * task.labelCount} logits; ${logits.length} came.`,
    );
  if (!logits.every(Number.isFinite)) throw new RangeError('The model answers with values that are not finite.');
  const answers = answersOf(task, logits, threshold);
  const constants = constantAnswers(task, labels);
  const of = (metric: Metric) => ({
    metric,
    value: metricValue(task, metric, answers, labels),
    constant: Math.max(...constants.map((constant) => metricValue(task, metric, constant, labels))),
  });
  const plain = lossOf(task, { classWeights: null, labelSmoothing: 0 });
  const { lossSum } = lossAndGradientOf(plain, logits, lossTargets(plain, labels, task.labelCount), task.labelCount);
  const further = new Set([...task.furtherMetrics, ...(also === null || also === task.metric ? [] : [also])]);
  return {
    ...of(task.metric),
    loss: lossSum / rows,
    further: [...further].map((metric) => ({ ...of(metric), devSet: null })),
  };
}
