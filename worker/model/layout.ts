import { rankOf, targetShape } from '../../signaling/protocol/adapters.ts';
import type { Block } from '../../signaling/protocol/round.ts';
import { LORA_TARGETS, type LoraSettings, type ModelShape } from '../../signaling/protocol/settings.ts';
import { type ModelPart, wholePart } from '../../signaling/protocol/split.ts';

export { targetShape };

/** One trainable tensor inside the flat parameter vector. */
export interface ParameterSlot {
  /** `lora.layer.<L>.<target>.A`, `.B`, or `classifier.*` as Hugging Face names it. */
  readonly name: string;
  /** Row-major; A is (R, in), B is (out, R). */
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/** A run of slots that is exchanged as one piece: one layer's adapters, or the head. */
export interface ParameterBlock {
  readonly offset: number;
  readonly length: number;
  readonly slots: readonly ParameterSlot[];
}

/**
 * Where every trainable value lives in one flat f32 vector: layer 0's adapters, layer 1's, …, then the head.
 * Inside a layer: targets in LORA_TARGETS order, A before B. Host, devices and exporters all use this order,
 * so a gradient of a block is one contiguous slice and an update is one array.
 */
export interface ParameterLayout {
  /** Of every layer; empty for one without adapters. */
  readonly layers: readonly ParameterBlock[];
  readonly head: ParameterBlock;
  /** Number of f32 values. */
  readonly length: number;
}

/** The place of a block in the flat vector. @throws RangeError where the model has no such layer. */
export function placeOfBlock({ layers, head }: ParameterLayout, block: Block): ParameterBlock {
  const found = block === 'head' ? head : layers[block];
  if (found === undefined) throw new RangeError(`The model has ${layers.length} layers; there is no layer ${block}.`);
  return found;
}

/** Layers that a pass goes backward through to the lowest one with adapters. */
export function deepestTrained({ layers }: Pick<ParameterLayout, 'layers'>): number {
  const lowest = layers.findIndex(({ length }) => length > 0);
  return lowest < 0 ? 0 : layers.length - lowest;
}

/** The layers of a part, by their index in the whole model. */
export const layersOf = ({ layers: { from, to } }: Pick<ModelPart, 'layers'>): readonly number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

/** f32 values in the adapters of that of the part's layers that has most; of all layers unless a part is given. */
export const longestBlock = (
  { layers }: Pick<ParameterLayout, 'layers'>,
  part: Pick<ModelPart, 'layers'> = wholePart(layers.length),
): number => Math.max(0, ...layersOf(part).map((layer) => layers[layer]?.length ?? 0));

export function parameterLayout(shape: ModelShape, lora: LoraSettings, labelCount: number): ParameterLayout {
  let offset = 0;
  const slot = (name: string, dims: readonly number[]): ParameterSlot => {
    const length = dims.reduce((a, b) => a * b, 1);
    const made = { name, shape: dims, offset, length };
    offset += length;
    return made;
  };
  const block = (make: () => ParameterSlot[]): ParameterBlock => {
    const start = offset;
    const slots = make();
    return { offset: start, length: offset - start, slots };
  };
  const targets = LORA_TARGETS.filter((target) => lora.targets.includes(target));
  const layers = Array.from({ length: shape.layers }, (_, layer) =>
    block(() => {
      const rank = rankOf(lora, layer);
      if (rank === 0) return [];
      return targets.flatMap((target) => {
        const [out, inner] = targetShape(shape, target);
        return [
          slot(`lora.layer.${layer}.${target}.A`, [rank, inner]),
          slot(`lora.layer.${layer}.${target}.B`, [out, rank]),
        ];
      });
    }),
  );
  const c = shape.hiddenSize;
  const head = block(() => [
    slot('classifier.dense.weight', [c, c]),
    slot('classifier.dense.bias', [c]),
    slot('classifier.out_proj.weight', [labelCount, c]),
    slot('classifier.out_proj.bias', [labelCount]),
  ]);
  return { layers, head, length: offset };
}
