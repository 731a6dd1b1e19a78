import { adaptersProblem, type LoraRequest, type LoraSettings, type LoraTarget, type ModelShape } from './settings.ts';

/** Which layers carry adapters, how strong they are, and how large. */

/** (out, in) of the linear projection that a target adapts. */
export function targetShape(shape: ModelShape, target: LoraTarget): readonly [number, number] {
  const { hiddenSize: c, ffnSize: f } = shape;
  if (target === 'intermediate.dense') return [f, c];
  if (target === 'output.dense') return [c, f];
  return [c, c];
}

/** The layers with adapters among a model's `layers`, ascending. */
export function trainedLayers({ layers: chosen }: Pick<LoraSettings, 'layers'>, layers: number): readonly number[] {
  return chosen ?? Array.from({ length: layers }, (_, layer) => layer);
}

/**
 * What is asked for, on a model of `layers` layers: all of them are not named one by one.
 * @throws Error with one sentence where the model has no such layers.
 */
export function sessionAdapters({ layers: asked, ...rest }: LoraRequest, layers: number): LoraSettings {
  const top = asked !== undefined && 'top' in asked ? asked.top : null;
  if (top !== null && top > layers)
    throw new Error(`Adapters are asked for on the last ${top} layers; the model has ${layers}.`);
  const all = trainedLayers({}, layers);
  const chosen = asked === undefined || 'top' in asked ? all.slice(top === null ? 0 : layers - top) : asked;
  const named = { ...rest, layers: [...chosen] };
  const problem = adaptersProblem(named, layers);
  if (problem !== null) throw new Error(problem);
  return chosen.length === layers ? rest : named;
}

/** Layers that a backward pass goes through to the lowest one with adapters. */
export function deepestDepth(lora: Pick<LoraSettings, 'layers'>, layers: number): number {
  return layers - (trainedLayers(lora, layers)[0] ?? layers);
}

/** R of a layer's adapters; 0 where it carries none. */
export function rankOf({ rank, layers, rankPattern }: LoraSettings, layer: number): number {
  return layers === undefined || layers.includes(layer) ? (rankPattern?.[layer] ?? rank) : 0;
}

export function alphaOf({ alpha, alphaPattern }: LoraSettings, layer: number): number {
  return alphaPattern?.[layer] ?? alpha;
}

/** What B A is multiplied by: alpha / R, or alpha / sqrt(R) with rsLoRA (Kalajdzievski 2023, arXiv 2312.03732); 0 without adapters. */
export function scaleOf(lora: LoraSettings, layer: number): number {
  const rank = rankOf(lora, layer);
  if (rank === 0) return 0;
  return alphaOf(lora, layer) / (lora.rslora === true ? Math.sqrt(rank) : rank);
}

/** f32 values in one layer's adapters: A (R, in) and B (out, R) for every target. */
export function layerParameterCount(shape: ModelShape, lora: LoraSettings, layer: number): number {
  const rank = rankOf(lora, layer);
  return lora.targets
    .map((target) => targetShape(shape, target))
    .reduce((sum, [out, inner]) => sum + rank * (out + inner), 0);
}

/** f32 values in the adapters of all layers. */
export function adapterParameterCount(shape: ModelShape, lora: LoraSettings): number {
  return trainedLayers(lora, shape.layers).reduce((sum, layer) => sum + layerParameterCount(shape, lora, layer), 0);
}

/** f32 values in the head: dense (C,C) and out_proj (labels,C) with their biases. */
export function headParameterCount(shape: ModelShape, labelCount: number): number {
  return (shape.hiddenSize + labelCount) * (shape.hiddenSize + 1);
}
