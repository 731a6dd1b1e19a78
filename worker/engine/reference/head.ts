import type { HeadMasks } from '../dropout.ts';
import { type Loss, lossAndGradientOf } from '../loss.ts';
import { type Matrix, masked, multiplyTransposed, zeros } from './matrix.ts';
import { linearBackward } from './projection.ts';

/** RobertaClassificationHead: dropout, dense, tanh, dropout, out_proj on the first token. */
export interface Head {
  readonly dense: { readonly weight: Matrix; readonly bias: Float64Array };
  readonly outProj: { readonly weight: Matrix; readonly bias: Float64Array };
}

/** Everything that the head computes for hidden states (M,C): values of the sum of the sample losses. */
export interface HeadResult {
  /** (B,labels) */
  readonly logits: Matrix;
  readonly lossSum: number;
  /** (M,C), zero but for each sample's first token. */
  readonly dHidden: Matrix;
  /** In ParameterLayout's order: dense weight and bias, out_proj weight and bias. */
  readonly gradients: readonly Float64Array[];
}

/** `targets` (B,labels) are `lossTargets` of the batch's labels. */
export function headAndLoss(
  head: Head,
  hidden: Matrix,
  loss: Loss,
  targets: Float32Array,
  masks: HeadMasks | null,
): HeadResult {
  const samples = targets.length / head.outProj.weight.rows;
  const tokens = hidden.rows / samples;
  const firstTokens = zeros(samples, hidden.cols);
  for (let sample = 0; sample < samples; sample++) {
    const at = sample * tokens * hidden.cols;
    firstTokens.data.set(hidden.data.subarray(at, at + hidden.cols), sample * hidden.cols);
  }
  const first = masked(firstTokens, masks?.input ?? null);
  const dense = withBias(multiplyTransposed(first, head.dense.weight), head.dense.bias);
  const activated = { ...dense, data: dense.data.map(Math.tanh) };
  const kept = masked(activated, masks?.activated ?? null);
  const logits = withBias(multiplyTransposed(kept, head.outProj.weight), head.outProj.bias);

  const { lossSum, dLogits } = lossAndGradientOf(loss, logits.data, targets, logits.cols);

  const outProj = linearBackward({ ...logits, data: dLogits }, kept, head.outProj.weight);
  const dActivated = masked(outProj.dx, masks?.activated ?? null);
  const dDense = { ...dActivated, data: dActivated.data.map((value, i) => value * (1 - activated.data[i]! ** 2)) };
  const inner = linearBackward(dDense, first, head.dense.weight);
  const dFirst = masked(inner.dx, masks?.input ?? null);
  const dHidden = zeros(hidden.rows, hidden.cols);
  for (let sample = 0; sample < samples; sample++)
    dHidden.data.set(
      dFirst.data.subarray(sample * hidden.cols, (sample + 1) * hidden.cols),
      sample * tokens * hidden.cols,
    );
  const gradients = [inner.dWeight.data, inner.dBias, outProj.dWeight.data, outProj.dBias];
  return { logits, lossSum, dHidden, gradients };
}

function withBias(x: Matrix, bias: Float64Array): Matrix {
  return { ...x, data: x.data.map((value, i) => value + bias[i % x.cols]!) };
}
