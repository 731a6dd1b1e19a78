import { rankOf, scaleOf } from '../../../../signaling/protocol/adapters.ts';
import type { LoraSettings, ModelShape } from '../../../../signaling/protocol/settings.ts';
import type { ModelPart } from '../../../../signaling/protocol/split.ts';
import { layersOf, type ParameterBlock, type ParameterLayout, placeOfBlock } from '../../../model/layout.ts';
import type { Loss } from '../../loss.ts';
import type { AttentionThreads } from '../kernels/attention.ts';
import type { Grid, Kernel, Precision, WeightPrecision } from '../kernels/kernel.ts';
import type { Tile } from '../kernels/tile.ts';
import type { Interval } from './arena.ts';

/** Everything that decides which kernels a model needs and what they bind. */
export interface ModelPlan {
  readonly shape: ModelShape;
  readonly lora: LoraSettings;
  readonly labelCount: number;
  readonly loss: Loss;
  readonly layout: ParameterLayout;
  /** What of the model is on the device. */
  readonly part: ModelPart;
  readonly withDropout: boolean;
  /** Of activations. */
  readonly precision: Precision;
  /** Of frozen matrices. */
  readonly weights: WeightPrecision;
  /** Of the embeddings' tables. */
  readonly embeddings: WeightPrecision;
  readonly tile: Tile;
  readonly attentionThreads: AttentionThreads;
}

/**
 * The model as layers of one form see it: they have the same rank and scale, or no adapters at all. Steps of layers are made for a
 * form, and all its layers share them.
 */
export interface LayerPlan extends ModelPlan {
  /** R; 0 without adapters. */
  readonly rank: number;
  /** What B A is multiplied by. */
  readonly scale: number;
  /** Of one layer of the form. */
  readonly block: ParameterBlock;
}

/** The different forms of the layers of the plan's part, and which of them each layer has. */
export function layerForms(plan: ModelPlan): {
  readonly forms: readonly LayerPlan[];
  readonly formOf: ReadonlyMap<number, number>;
} {
  const forms: LayerPlan[] = [];
  const formOf = new Map<number, number>();
  for (const layer of layersOf(plan.part)) {
    const [rank, scale] = [rankOf(plan.lora, layer), scaleOf(plan.lora, layer)];
    const known = forms.findIndex((form) => form.rank === rank && form.scale === scale);
    const block = placeOfBlock(plan.layout, layer);
    formOf.set(layer, known >= 0 ? known : forms.push({ ...plan, rank, scale, block }) - 1);
  }
  return { forms, formOf };
}

/** Sizes of a packed batch, which grids depend on. */
export interface BatchSizes {
  readonly rows: number;
  readonly samples: number;
  /** Tokens of the longest sample. */
  readonly longest: number;
  /** Parts of a gradient sum. */
  readonly splits: number;
}

/**
 * A tensor by where it lives and what it is:
 *
 *   e.  embeddings, frozen                       w.  the current layer's frozen tensors
 *   p.  parameters: `block` of the current layer, `head`
 *   s.  saved by the current layer's forward pass for its backward pass;   b.  saved by the layer below
 *   t.  transient, in the arena                  i.  inputs of a pass: `current`, `rows`, `samples`, `targets`, and the `layer` uniform
 */
export type TensorName = `${'e' | 'w' | 'p' | 's' | 'b' | 't' | 'i'}.${string}`;

/** One dispatch, without its buffers. */
export interface KernelStep {
  readonly kernel: Kernel;
  /** TensorName of each binding but `sizes`. */
  readonly tensors: Readonly<Record<string, TensorName>>;
  /** The uniform `sizes`. */
  readonly sizes: Uint32Array | null;
  readonly grid: (batch: BatchSizes) => Grid;
}

const SHARED: Readonly<Record<string, TensorName>> = {
  current: 'i.current',
  rows: 'i.rows',
  samples: 'i.samples',
  targets: 'i.targets',
  layer: 'i.layer',
};

/** A step whose tensors are those named, and the shared ones where the kernel binds them. */
export function kernelStep<Name extends string>(
  kernel: Kernel<Name>,
  tensors: Readonly<Partial<Record<Name, TensorName>>>,
  sizes: Uint32Array | null,
  grid: KernelStep['grid'],
): KernelStep {
  const all: Record<string, TensorName> = {};
  for (const name of Object.keys(kernel.bindings) as Name[]) {
    if (name === 'sizes') continue;
    const tensor = tensors[name] ?? SHARED[name];
    if (tensor === undefined) throw new Error(`Kernel ${kernel.label} has no tensor for ${name}.`);
    all[name] = tensor;
  }
  if ('sizes' in kernel.bindings !== (sizes !== null)) throw new Error(`Kernel ${kernel.label}: sizes do not fit.`);
  return { kernel, tensors: all, sizes, grid };
}

/** Hidden states and their gradient stay from one part of a pass to the next, or are read after it; all else is made and used up within a part. */
const STAYING: readonly TensorName[] = ['t.x', 't.g'];

/** When each transient tensor is needed in an order of work that consists of `parts`, one after the other. */
export function transientIntervals(
  parts: readonly (readonly KernelStep[])[],
): ReadonlyMap<TensorName, readonly Interval[]> {
  const found = new Map<TensorName, Interval[]>();
  let at = 0;
  for (const part of parts) {
    const start = at;
    for (const { tensors } of part) {
      for (const tensor of Object.values(tensors)) {
        if (!tensor.startsWith('t.')) continue;
        const intervals = found.get(tensor) ?? [];
        const before = intervals.at(-1);
        if (before !== undefined && (before.first >= start || STAYING.includes(tensor)))
          intervals[intervals.length - 1] = { first: before.first, last: at };
        else intervals.push({ first: at, last: at });
        found.set(tensor, intervals);
      }
      at++;
    }
    for (const tensor of STAYING) {
      const intervals = found.get(tensor) ?? [];
      const { first, last } = intervals.at(-1) ?? { first: at, last: -1 };
      if (last >= start) intervals[intervals.length - 1] = { first, last: at - 1 };
    }
  }
  return found;
}
