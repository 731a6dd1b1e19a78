import {
  headBackwardKernel,
  headDenseGrid,
  headDenseKernel,
  headGradientGrid,
  headGradientKernel,
  headLossKernel,
  headSampleGrid,
  headSizes,
} from '../kernels/head.ts';
import { type ModelPlan, type Step, step } from './steps.ts';

/** Head and loss: `t.logits` and `t.dLogits` (B,labels) from hidden states in `t.x`. */
export function headForwardSteps({ shape, labelCount, loss, precision }: ModelPlan): readonly Step[] {
  const of = { width: shape.hiddenSize, labelCount };
  const sizes = headSizes(of);
  return [
    step(
      headDenseKernel(precision),
      { hidden: 't.x', head: 'p.head', activated: 't.activated' },
      sizes,
      ({ samples }) => headDenseGrid(of, samples),
    ),
    step(
      headLossKernel(loss.kind),
      { activated: 't.activated', head: 'p.head', logits: 't.logits', dLogits: 't.dLogits' },
      sizes,
      ({ samples }) => headSampleGrid(samples),
    ),
  ];
}

/** `t.g`, the gradient of the hidden states, and, with `gradient`, `t.gradient`, the head's own. */
export function headBackwardSteps({ shape, labelCount, precision }: ModelPlan, gradient: boolean): readonly Step[] {
  const of = { width: shape.hiddenSize, labelCount };
  const sizes = headSizes(of);
  const back = step(
    headBackwardKernel(),
    { activated: 't.activated', head: 'p.head', dLogits: 't.dLogits', dDense: 't.dDense', dHidden: 't.g' },
    sizes,
    ({ samples }) => headSampleGrid(samples),
  );
  if (!gradient) return [back];
  return [
    back,
    step(
      headGradientKernel(precision),
      {
        hidden: 't.x',
        activated: 't.activated',
        dLogits: 't.dLogits',
        dDense: 't.dDense',
        gradient: 't.gradient',
      },
      sizes,
      () => headGradientGrid(of),
    ),
  ];
}
