import { longestBlock } from '../../model/layout.ts';
import type { PassNeeds } from '../engine.ts';
import { bufferBytes } from './device/gpu.ts';
import { BYTES, PASS_BYTES } from './kernels/kernel.ts';
import { mostSplits } from './kernels/lora-gradient.ts';
import { adaptersOf, PRODUCTS_DOWNWARDS, type Product } from './steps/adapters.ts';
import { type ArenaPlan, type Lifetime, planArena } from './steps/arena.ts';
import { embedSteps } from './steps/embed-steps.ts';
import { headBackwardSteps, headForwardSteps } from './steps/head-steps.ts';
import { layerBackwardSteps } from './steps/layer-backward.ts';
import { layerForwardSteps } from './steps/layer-forward.ts';
import { type KernelStep, layerForms, type ModelPlan, transientIntervals } from './steps/steps.ts';

/**
 * How many bytes a pass needs and where its tensors lie, from shapes alone. The engine allocates exactly what is planned here, so that
 * `Engine.bytes` is exact.
 */
export interface PassShape {
  /** Rows of the padded batch, B*T: as many as a packed batch can have. */
  readonly rows: number;
  readonly samples: number;
  /** Whether any layer is saved and goes backward. */
  readonly backward: boolean;
  /** Whether saved layers go forward once more on the way back, beside the gradient that waits for them. */
  readonly recompute: boolean;
}

const WORDS_OF_ROW = 4;

/** Bytes of each transient tensor. */
function transientBytes(plan: ModelPlan, { rows, samples }: PassShape): Readonly<Record<string, number>> {
  const { shape, labelCount, layout } = plan;
  const { forms } = layerForms(plan);
  const { hiddenSize: c, ffnSize: f, heads } = shape;
  const kept = BYTES[plan.precision];
  const blockLength = longestBlock(plan.layout, plan.part);
  const z = (product: Product) =>
    rows * Math.max(0, ...forms.map((form) => adaptersOf(form, product)?.zWidth ?? 0)) * 4;
  return {
    't.x': rows * c * kept,
    't.g': rows * c * 4,
    't.sum': rows * c * 4,
    't.dropped': rows * c * 4,
    't.wide': rows * f * kept,
    't.dWide': rows * f * 4,
    't.qkv': rows * 3 * c * kept,
    't.dqkv': rows * 3 * c * 4,
    't.context': rows * c * kept,
    't.dContext': rows * c * 4,
    't.logSum': rows * heads * 4,
    't.delta': rows * heads * 4,
    't.parts': mostSplits(rows, blockLength) * blockLength * 4,
    't.gradient': Math.max(blockLength, plan.part.head ? layout.head.length : 0) * 4,
    't.logits': samples * labelCount * 4,
    't.dLogits': samples * labelCount * 4,
    't.activated': samples * c * 4,
    't.dDense': samples * c * 4,
    ...Object.fromEntries(
      PRODUCTS_DOWNWARDS.flatMap((product) => [
        [`t.z.${product}`, z(product)],
        [`t.dz.${product}`, z(product)],
      ]),
    ),
  };
}

/** The parts of the longest pass, each form of layer once: layers come and go in the same slots. */
function partsOfWork(plan: ModelPlan, { backward, recompute }: PassShape): readonly (readonly KernelStep[])[] {
  const { forms } = layerForms(plan);
  const keeping = forms.map((form) => layerForwardSteps(form, true));
  const { embeddings, head } = plan.part;
  return [
    ...(embeddings ? [embedSteps(plan)] : []),
    ...forms.map((form) => layerForwardSteps(form, false)),
    ...(backward ? keeping : []),
    ...(head ? [[...headForwardSteps(plan), ...headBackwardSteps(plan, true)]] : []),
    // A layer that goes forward again finds nothing of the layer before but the gradient, as if all of them did so first.
    ...(recompute ? keeping : []),
    ...(backward ? forms.map((form) => layerBackwardSteps(form, 'copied', true)) : []),
  ];
}

export function transientLifetimes(plan: ModelPlan, shape: PassShape): readonly Lifetime[] {
  const bytes = transientBytes(plan, shape);
  return [...transientIntervals(partsOfWork(plan, shape))].map(([name, needed]) => {
    const size = bytes[name];
    if (size === undefined) throw new Error(`Nothing says how large ${name} is.`);
    return { name, bytes: bufferBytes(size), needed };
  });
}

export function planTransients(plan: ModelPlan, shape: PassShape): ArenaPlan {
  return planArena(transientLifetimes(plan, shape));
}

/** Bytes of what a layer's forward pass saves for its backward pass, by name: enough for a layer of any form. */
export function savedTensors(plan: ModelPlan, rows: number): Readonly<Record<string, number>> {
  const { hiddenSize: c, ffnSize: f, heads } = plan.shape;
  const kept = BYTES[plan.precision];
  const sizes: Record<string, number> = {
    's.qkv': rows * 3 * c * kept,
    's.logSum': rows * heads * 4,
    's.normed1': rows * c * kept,
    's.rstd1': rows * 4,
    's.preactivation': rows * f * kept,
    's.normed2': rows * c * kept,
    's.rstd2': rows * 4,
  };
  for (const form of layerForms(plan).forms)
    for (const product of PRODUCTS_DOWNWARDS) {
      const lora = adaptersOf(form, product);
      if (lora === null) continue;
      const name = `s.z.${product}`;
      sizes[name] = Math.max(sizes[name] ?? 0, rows * lora.zWidth * 4);
      if (product === 'o') sizes['s.context'] = rows * c * kept;
    }
  return sizes;
}

/** Whether backward passes need the input of the deepest saved layer, which no layer below has saved. */
export const needsInputCopy = (plan: ModelPlan): boolean =>
  layerForms(plan).forms.some((form) => adaptersOf(form, 'qkv') !== null);

export const inputCopyBytes = (plan: ModelPlan, rows: number): number =>
  rows * plan.shape.hiddenSize * BYTES[plan.precision];

/** The tables of a pass: its uniform, rows and samples; for the head its targets, and where logits and gradient are read back. */
export function passTableBytes(plan: ModelPlan, { rows, samples }: PassShape) {
  const labels = plan.part.head ? samples * plan.labelCount * 4 : 0;
  return {
    current: PASS_BYTES,
    rows: rows * WORDS_OF_ROW * 4,
    samples: samples * WORDS_OF_ROW * 4,
    targets: labels,
    logits: labels,
  };
}

/** Bytes of where the head's gradient is read back. */
export const headStagingBytes = ({ layout, part }: ModelPlan): number => (part.head ? layout.head.length * 4 : 0);

const total = (sizes: Iterable<number>): number => [...sizes].reduce((sum, bytes) => sum + bufferBytes(bytes), 0);

/** Buffers of layers that go backward: how many of each kind. */
export function savedCounts(
  plan: ModelPlan,
  { savedLayers, openPasses = 1, recompute = false }: PassNeeds,
): { readonly sets: number; readonly inputs: number } {
  if (recompute) return { sets: Math.min(1, savedLayers), inputs: openPasses * savedLayers };
  return { sets: openPasses * savedLayers, inputs: savedLayers > 0 && needsInputCopy(plan) ? openPasses : 0 };
}

/**
 * What `Engine.bytes` states but for the weights: exactly what passes of this shape allocate that are open at a time. With `recompute` the
 * one set of saved tensors is transient, and what is saved are the layers' inputs.
 */
export function passBytes(
  plan: ModelPlan,
  rows: number,
  samples: number,
  needs: PassNeeds,
): { readonly transientBytes: number; readonly savedBytes: number; readonly gradientBytes: number } {
  const { savedLayers, recompute = false } = needs;
  const shape = { rows, samples, backward: savedLayers > 0, recompute: recompute && savedLayers > 0 };
  const { sets, inputs } = savedCounts(plan, needs);
  const setBytes = sets * total(Object.values(savedTensors(plan, rows)));
  const inputBytes = inputs * bufferBytes(inputCopyBytes(plan, rows));
  return {
    transientBytes:
      total([...planTransients(plan, shape).slots, ...Object.values(passTableBytes(plan, shape))]) +
      (recompute ? setBytes : inputBytes),
    savedBytes: recompute ? inputBytes : setBytes,
    gradientBytes:
      savedLayers * bufferBytes(longestBlock(plan.layout, plan.part) * 4) + bufferBytes(headStagingBytes(plan)),
  };
}
