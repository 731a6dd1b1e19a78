import type { Kernel } from './kernels/kernel.ts';
import { embedSteps } from './steps/embed-steps.ts';
import { headBackwardSteps, headForwardSteps } from './steps/head-steps.ts';
import { type LayerInput, layerBackwardSteps } from './steps/layer-backward.ts';
import { layerForwardSteps } from './steps/layer-forward.ts';
import type { KernelStep, ModelPlan } from './steps/steps.ts';

/** Everything that a pass can be made of. */
export interface Programs {
  readonly embed: readonly KernelStep[];
  readonly forward: { readonly plain: readonly KernelStep[]; readonly keep: readonly KernelStep[] };
  readonly loss: readonly KernelStep[];
  readonly headBackward: { readonly alone: readonly KernelStep[]; readonly withGradient: readonly KernelStep[] };
  readonly backward: Readonly<
    Record<LayerInput, { readonly ends: readonly KernelStep[]; readonly goesOn: readonly KernelStep[] }>
  >;
}

export function makePrograms(plan: ModelPlan): Programs {
  const backward = (input: LayerInput) => ({
    ends: layerBackwardSteps(plan, input, false),
    goesOn: layerBackwardSteps(plan, input, true),
  });
  return {
    embed: embedSteps(plan),
    forward: { plain: layerForwardSteps(plan, false), keep: layerForwardSteps(plan, true) },
    loss: headForwardSteps(plan),
    headBackward: { alone: headBackwardSteps(plan, false), withGradient: headBackwardSteps(plan, true) },
    backward: { copied: backward('copied'), below: backward('below') },
  };
}

export function allSteps({ embed, forward, loss, headBackward, backward }: Programs): readonly KernelStep[] {
  return [
    ...embed,
    ...forward.plain,
    ...forward.keep,
    ...loss,
    ...headBackward.alone,
    ...headBackward.withGradient,
    ...Object.values(backward).flatMap(({ ends, goesOn }) => [...ends, ...goesOn]),
  ];
}

export function kernelsOf(steps: readonly KernelStep[]): readonly Kernel[] {
  return [...new Map(steps.map(({ kernel }) => [kernel.code, kernel])).values()];
}

/** The different `sizes` uniforms of the steps: index of each by its words, joined. */
export function sizesOf(
  steps: readonly KernelStep[],
): ReadonlyMap<string, { readonly index: number; readonly words: Uint32Array }> {
  const found = new Map<string, { index: number; words: Uint32Array }>();
  for (const { sizes } of steps) {
    if (sizes === null) continue;
    const key = sizes.join();
    if (!found.has(key)) found.set(key, { index: found.size, words: sizes });
  }
  return found;
}
