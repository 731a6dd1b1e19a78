import type { TaskSummary } from '../../../signaling/protocol/settings.ts';
import type { Prediction } from './view.ts';

/** What logits, (labels), of one sample mean to a person: softmax over the classes, or the value itself. */
export function predictionOf(task: Pick<TaskSummary, 'labelCount' | 'classNames'>, logits: Float32Array): Prediction {
  const values = Array.from(logits);
  if (values.length !== task.labelCount || !values.every(Number.isFinite))
    throw new Error('The model answers with values that are not finite; try it after another round.');
  const [value = 0] = values;
  if (task.labelCount === 1) return { kind: 'value', value };
  const highest = Math.max(...values);
  const weights = values.map((logit) => Math.exp(logit - highest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return {
    kind: 'classes',
    probabilities: weights.map((weight, i) => ({
      name: task.classNames[i] ?? `class ${i}`,
      probability: weight / sum,
    })),
  };
}
