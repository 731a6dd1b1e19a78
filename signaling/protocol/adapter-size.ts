import type { LoraSettings, LoraTarget, ModelShape } from './settings.ts';

/** (out, in) of the linear projection that a target adapts. */
export function targetShape(shape: ModelShape, target: LoraTarget): readonly [number, number] {
  const { hiddenSize: c, ffnSize: f } = shape;
  if (target === 'intermediate.dense') return [f, c];
  if (target === 'output.dense') return [c, f];
  return [c, c];
}

/** f32 values in one layer's adapters: A (R, in) and B (out, R) for every target. */
export function layerParameterCount(shape: ModelShape, lora: LoraSettings): number {
  return lora.targets
    .map((target) => targetShape(shape, target))
    .reduce((sum, [out, inner]) => sum + lora.rank * (out + inner), 0);
}

/** f32 values in the head: dense (C,C) and out_proj (labels,C) with their biases. */
export function headParameterCount(shape: ModelShape, labelCount: number): number {
  return (shape.hiddenSize + labelCount) * (shape.hiddenSize + 1);
}

/** A gradient travels as f32. */
export const GRADIENT_BITS_PER_VALUE = 32;
