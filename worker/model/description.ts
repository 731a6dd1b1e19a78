import { LORA_TARGETS, type LoraTarget, type ModelShape } from '../../signaling/protocol/settings.ts';
import { targetShape } from './layout.ts';
import type { Weights } from './weights.ts';

/** The frozen tensors of a RoBERTa encoder: Hugging Face's names and shapes. */

type Part = 'weight' | 'bias';
export type LayerTensor = `${LoraTarget}.${Part}` | `${'attention.output' | 'output'}.LayerNorm.${Part}`;
export type LayerTensors = Readonly<Record<LayerTensor, Float32Array>>;

export interface EmbeddingTensors {
  /** (V,C) */
  readonly word: Float32Array;
  /** (P,C) */
  readonly position: Float32Array;
  /** (C): RoBERTa has one token type; of models with more, the first is what a single segment gets. */
  readonly tokenType: Float32Array;
  readonly normWeight: Float32Array;
  readonly normBias: Float32Array;
}

/** Where a projection sits below `roberta.encoder.layer.<L>.`. */
function linearPath(target: LoraTarget): string {
  return target === 'query' || target === 'key' || target === 'value' ? `attention.self.${target}` : target;
}

export interface TensorSpec {
  readonly key: LayerTensor;
  /** Below `roberta.encoder.layer.<L>.`. */
  readonly path: string;
  readonly shape: readonly number[];
}

/** A layer's frozen tensors, in the order in which checkpoints usually hold them. */
export function layerTensorSpecs(shape: ModelShape): readonly TensorSpec[] {
  const linear = (target: LoraTarget): TensorSpec[] => {
    const [out, inner] = targetShape(shape, target);
    return [
      { key: `${target}.weight`, path: `${linearPath(target)}.weight`, shape: [out, inner] },
      { key: `${target}.bias`, path: `${linearPath(target)}.bias`, shape: [out] },
    ];
  };
  const norm = (at: 'attention.output' | 'output'): TensorSpec[] =>
    (['weight', 'bias'] as const).map((part) => ({
      key: `${at}.LayerNorm.${part}`,
      path: `${at}.LayerNorm.${part}`,
      shape: [shape.hiddenSize],
    }));
  return LORA_TARGETS.flatMap((target) => [
    ...linear(target),
    ...(target === 'attention.output.dense' ? norm('attention.output') : []),
    ...(target === 'output.dense' ? norm('output') : []),
  ]);
}

export async function readLayer(weights: Weights, shape: ModelShape, layer: number): Promise<LayerTensors> {
  const specs = layerTensorSpecs(shape);
  const values = await weights.readAll(
    specs.map((spec) => ({ name: `roberta.encoder.layer.${layer}.${spec.path}`, shape: spec.shape })),
  );
  return Object.fromEntries(specs.map(({ key }, i) => [key, values[i]])) as unknown as LayerTensors;
}

export async function readEmbeddings(weights: Weights, shape: ModelShape): Promise<EmbeddingTensors> {
  const c = shape.hiddenSize;
  const at = 'roberta.embeddings';
  const [word, position, normWeight, normBias] = await weights.readAll([
    { name: `${at}.word_embeddings.weight`, shape: [shape.vocabSize, c] },
    { name: `${at}.position_embeddings.weight`, shape: [shape.maxPositions, c] },
    { name: `${at}.LayerNorm.weight`, shape: [c] },
    { name: `${at}.LayerNorm.bias`, shape: [c] },
  ]);
  const tokenType = await weights.readFirstRow(`${at}.token_type_embeddings.weight`, c);
  return { word: word!, position: position!, tokenType, normWeight: normWeight!, normBias: normBias! };
}

/** Values of one layer and of the embeddings, for counting bytes. */
export function parameterCounts(shape: ModelShape): { readonly layer: number; readonly embeddings: number } {
  const sizes = layerTensorSpecs(shape).map(({ shape: dims }) => dims.reduce((a, b) => a * b, 1));
  return {
    layer: sizes.reduce((a, b) => a + b, 0),
    embeddings: (shape.vocabSize + shape.maxPositions + 3) * shape.hiddenSize,
  };
}
