import type { TaskSummary, TrainingSettings } from '../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../api/batch.ts';

/** What the loss of a sample is. Every engine gives its sum over the samples; the host divides by the sum of `sampleWeight`. */
export type Loss =
  | { readonly kind: 'squared-error' }
  /** `torch.nn.CrossEntropyLoss(weight, label_smoothing)`. */
  | {
      readonly kind: 'cross-entropy';
      /** One for each class; null weighs all alike. */
      readonly classWeights: readonly number[] | null;
      readonly labelSmoothing: number;
    }
  /** `torch.nn.BCEWithLogitsLoss()`: the mean over the labels of a sample, each a class of its own. */
  | { readonly kind: 'binary-cross-entropy' };

/** The loss of a session. @throws Error when the host has not put numbers in the place of "balanced". */
export function lossOf(
  { kind, labelCount }: Pick<TaskSummary, 'kind' | 'labelCount'>,
  { classWeights, labelSmoothing }: Pick<TrainingSettings, 'classWeights' | 'labelSmoothing'>,
): Loss {
  if (kind === 'regression') return { kind: 'squared-error' };
  if (kind === 'multi-label') return { kind: 'binary-cross-entropy' };
  if (classWeights === 'balanced' || (classWeights !== null && classWeights.length !== labelCount))
    throw new Error(`The session's class weights are not ${labelCount} numbers.`);
  return { kind: 'cross-entropy', classWeights, labelSmoothing };
}

/** Where nothing else is said: by the number of outputs, as `RobertaForSequenceClassification` has it. */
export const plainLoss = (labelCount: number): Loss =>
  labelCount === 1 ? { kind: 'squared-error' } : { kind: 'cross-entropy', classWeights: null, labelSmoothing: 0 };

/** Values in a batch's `labels` for one sample. */
export const labelsForLoss = ({ kind }: Loss, labelCount: number): number =>
  kind === 'binary-cross-entropy' ? labelCount : 1;

/** What a sample counts in the mean over a round: `CrossEntropyLoss` divides by the weights of the samples' classes. */
export function sampleWeight(loss: Loss, label: number): number {
  return loss.kind === 'cross-entropy' && loss.classWeights !== null ? loss.classWeights[label]! : 1;
}

/**
 * (B,labels): what a batch's labels ask of each output. For cross-entropy, with q the target, w the class weights, e the smoothing and y
 * the label, it is everything that weights and smoothing do:
 *
 *   loss = -sum_c q_c log p_c,  q_c = (1 - e) w_y [c = y] + e / labels * w_c,  d loss / d logit_c = p_c sum(q) - q_c
 */
export function lossTargets(loss: Loss, labels: Float32Array, labelCount: number): Float32Array {
  if (loss.kind !== 'cross-entropy') return labels;
  const { classWeights, labelSmoothing } = loss;
  const weight = (label: number) => classWeights?.[label] ?? 1;
  const targets = new Float32Array(labels.length * labelCount);
  labels.forEach((label, sample) => {
    for (let c = 0; c < labelCount; c++) {
      const own = c === label ? (1 - labelSmoothing) * weight(label) : 0;
      targets[sample * labelCount + c] = own + (labelSmoothing / labelCount) * weight(c);
    }
  });
  return targets;
}

/** Those of a batch; of one without labels as if all were 0: there are logits then, and a loss that means nothing. */
export const batchTargets = (loss: Loss, { labels, lengths }: TokenBatch, labelCount: number): Float32Array =>
  lossTargets(
    loss,
    labels.length > 0 ? labels : new Float32Array(lengths.length * labelsForLoss(loss, labelCount)),
    labelCount,
  );

/** The loss and its gradient in plain loops and float64, of the sum over the samples: what the engines are held against. */
export function lossAndGradientOf(
  loss: Loss,
  logits: ArrayLike<number>,
  targets: Float32Array,
  labelCount: number,
): { readonly lossSum: number; readonly dLogits: Float64Array } {
  const dLogits = new Float64Array(targets.length);
  let lossSum = 0;
  for (let row = 0; row < targets.length; row += labelCount) {
    switch (loss.kind) {
      case 'squared-error': {
        const error = logits[row]! - targets[row]!;
        lossSum += error * error;
        dLogits[row] = 2 * error;
        break;
      }
      case 'cross-entropy':
        lossSum += crossEntropyRow(logits, targets, row, labelCount, dLogits);
        break;
      case 'binary-cross-entropy':
        for (let i = row; i < row + labelCount; i++) {
          const x = logits[i]!;
          lossSum += (Math.max(x, 0) - x * targets[i]! + Math.log1p(Math.exp(-Math.abs(x)))) / labelCount;
          dLogits[i] = (1 / (1 + Math.exp(-x)) - targets[i]!) / labelCount;
        }
    }
  }
  return { lossSum, dLogits };
}

function crossEntropyRow(
  logits: ArrayLike<number>,
  targets: Float32Array,
  row: number,
  labelCount: number,
  dLogits: Float64Array,
): number {
  let most = -Infinity;
  let whole = 0;
  for (let i = row; i < row + labelCount; i++) {
    most = Math.max(most, logits[i]!);
    whole += targets[i]!;
  }
  let exponentials = 0;
  for (let i = row; i < row + labelCount; i++) exponentials += Math.exp(logits[i]! - most);
  const logSum = most + Math.log(exponentials);
  let loss = 0;
  for (let i = row; i < row + labelCount; i++) {
    loss += targets[i]! * (logSum - logits[i]!);
    dLogits[i] = whole * Math.exp(logits[i]! - logSum) - targets[i]!;
  }
  return loss;
}
