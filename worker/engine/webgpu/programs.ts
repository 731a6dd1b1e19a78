import type { Kernel } from './kernels/kernel.ts';
import { embedSteps } from './steps/embed-steps.ts';
import { headBackwardSteps, headForwardSteps } from './steps/head-steps.ts';
import { type LayerInput, layerBackwardSteps } from './steps/layer-backward.ts';
import { layerForwardSteps } from './steps/layer-forward.ts';
import { type KernelStep, layerForms, type ModelPlan } from './steps/steps.ts';

/** Everything that a pass can be made of; steps of what the part lacks are none. */
export interface Programs {
  readonly embed: readonly KernelStep[];
  /** Of each form of layers. */
  readonly forms: readonly LayerPrograms[];
  /** Of each of the part's layers: layers of one form share theirs. */
  readonly layers: ReadonlyMap<number, LayerPrograms>;
  readonly loss: readonly KernelStep[];
  readonly headBackward: { readonly alone: readonly KernelStep[]; readonly withGradient: readonly KernelStep[] };
}

export interface LayerPrograms {
  readonly forward: { readonly plain: readonly KernelStep[]; readonly keep: readonly KernelStep[] };
  readonly backward: Readonly<
    Record<LayerInput, { readonly ends: readonly KernelStep[]; readonly goesOn: readonly KernelStep[] }>
  >;
}

export function makePrograms(plan: ModelPlan): Programs {
  const { forms, formOf } = layerForms(plan);
  const made = forms.map((form): LayerPrograms => {
    const backward = (input: LayerInput) => ({
      ends: layerBackwardSteps(form, input, false),
      goesOn: layerBackwardSteps(form, input, true),
    });
    return {
      forward: { plain: layerForwardSteps(form, false), keep: layerForwardSteps(form, true) },
      backward: { copied: backward('copied'), below: backward('below') },
    };
  });
  return {
    embed: plan.part.embeddings ? embedSteps(plan) : [],
    forms: made,
    layers: new Map([...formOf].map(([layer, form]) => [layer, made[form]!])),
    loss: plan.part.head ? headForwardSteps(plan) : [],
    headBackward: {
      alone: plan.part.head ? headBackwardSteps(plan, false) : [],
      withGradient: plan.part.head ? headBackwardSteps(plan, true) : [],
    },
  };
}

export function allSteps({ embed, forms, loss, headBackward }: Programs): readonly KernelStep[] {
  return [
    ...embed,
    ...forms.flatMap(({ forward, backward }) => [
      ...forward.plain,
      ...forward.keep,
      ...Object.values(backward).flatMap(({ ends, goesOn }) => [...ends, ...goesOn]),
    ]),
    ...loss,
    ...headBackward.alone,
    ...headBackward.withGradient,
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
