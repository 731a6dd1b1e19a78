import type { Metric } from '../../signaling/protocol/scores.ts';
import type { Score } from '../api/host-api.ts';
import {
  accuracy,
  crossEntropy,
  f1,
  matthews,
  meanSquaredError,
  pearson,
  predictedClasses,
  spearman,
} from './metrics.ts';
import type { Task } from './tasks.ts';

const MEASURES = { accuracy, f1, matthews, pearson, spearman };

/**
 * The official metrics of a task from its logits, (B, labels) row-major, against `labels`, (B).
 * @throws RangeError when the logits do not fill the rows or are not finite.
 */
export function scoreLogits(task: Task, logits: Float32Array, labels: Float32Array): Score {
  if (logits.length !== labels.length * task.labelCount) {
    throw new RangeError(
      `${labels.length} examples of "${task.id}" need ${labels.length * task.labelCount} logits; ${logits.length} came.`,
    );
  }
  if (!logits.every(Number.isFinite)) throw new RangeError('The model answers with values that are not finite.');
  const regression = task.labelCount === 1;
  const predicted = regression ? logits : predictedClasses(logits, task.labelCount);
  const of = (metric: Metric) => ({ metric, value: MEASURES[metric](predicted, labels) });
  return {
    ...of(task.metric),
    loss: regression ? meanSquaredError(logits, labels) : crossEntropy(logits, labels, task.labelCount),
    further: task.furtherMetric === null ? [] : [{ ...of(task.furtherMetric), devSet: null }],
  };
}
