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
import { type KernelStep, kernelStep, type ModelPlan } from './steps.ts';

/** Head and loss: `t.logits` and `t.dLogits` (B,labels) from hidden states in `t.x`. */
export function headForwardSteps({ shape, labelCount, loss, precision }: ModelPlan): readonly KernelStep[] {
  const of = { width: shape.hiddenSize, labelCount };
  const sizes = headSizes(of);
  return [
    kernelStep(
      headDenseKernel(precision),
      { hidden: 't.x', head: 'p.head', activated: 't.activated' },
      sizes,
      ({ samples }) => headDenseGrid(of, samples),
    ),
    kernelStep(
      headLossKernel(loss.kind),
      { activated: 't.activated', head: 'p.head', logits: 't.logits', dLogits: 't.dLogits' },
      sizes,
      ({ samples }) => headSampleGrid(samples),
    ),
  ];
}

/** `t.g`, the gradient of the hidden states, and, with `gradient`, `t.gradient`, the head's own. */
export function headBackwardSteps(
  { shape, labelCount, precision }: ModelPlan,
  gradient: boolean,
): readonly KernelStep[] {
  const of = { width: shape.hiddenSize, labelCount };
  const sizes = headSizes(of);
  const back = kernelStep(
    headBackwardKernel(),
    { activated: 't.activated', head: 'p.head', dLogits: 't.dLogits', dDense: 't.dDense', dHidden: 't.g' },
    sizes,
    ({ samples }) => headSampleGrid(samples),
  );
  if (!gradient) return [back];
  return [
    back,
    kernelStep(
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
