import { gatherEmbeddings } from '../../../worker/engine/embeddings.ts';
import { type LayerTensor, loadFrozen } from '../../../worker/model/description.ts';
import { type ParameterSlot, parameterLayout } from '../../../worker/model/layout.ts';
import { matrixValues } from '../../../worker/model/stored-matrix.ts';
import type { BenchCase } from './cases.ts';

/** What the peers are given: the same numbers, as arrays. Their step begins with the sums of the embeddings' rows. */
export interface PeerModel {
  readonly samples: number;
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
  readonly eps: number;
  /** alpha / r */
  readonly loraScale: number;
  /** (B,T,C) */
  readonly embedded: Float32Array;
  readonly embeddingNorm: { readonly weight: Float32Array; readonly bias: Float32Array };
  readonly layers: readonly Readonly<Record<LayerTensor, Float32Array>>[];
  /** Trained tensors in ParameterLayout's order. */
  readonly slots: readonly ParameterSlot[];
  readonly values: readonly Float32Array[];
  /** (B,labels), one for the label, else zero. */
  readonly oneHot: Float32Array;
  readonly labels: Float32Array;
  readonly labelCount: number;
}

export async function peerModel({ request, parameters, batch }: BenchCase): Promise<PeerModel> {
  const { shape, lora, labelCount, weights } = request;
  const { embeddings, layers } = await loadFrozen(weights, shape, 'f32');
  if (embeddings === null) throw new Error('A whole model has embeddings.');
  const layout = parameterLayout(shape, lora, labelCount);
  const slots = [...layout.layers, layout.head].flatMap((block) => block.slots);
  const samples = batch.lengths.length;
  return {
    samples,
    tokens: batch.tokens,
    width: shape.hiddenSize,
    heads: shape.heads,
    eps: shape.layerNormEps,
    loraScale: lora.alpha / lora.rank,
    embedded: gatherEmbeddings(embeddings, shape, batch),
    embeddingNorm: { weight: embeddings.normWeight, bias: embeddings.normBias },
    layers: [...layers.values()].map(({ matrices, vectors }) => {
      const values = Object.entries(matrices).map(([key, matrix]) => [key, matrixValues(matrix)] as const);
      return { ...vectors, ...(Object.fromEntries(values) as Record<keyof typeof matrices, Float32Array>) };
    }),
    slots,
    values: slots.map(({ offset, length }) => parameters.slice(offset, offset + length)),
    oneHot: Float32Array.from({ length: samples * labelCount }, (_, i) =>
      batch.labels[Math.floor(i / labelCount)] === i % labelCount ? 1 : 0,
    ),
    labels: batch.labels,
    labelCount,
  };
}

/** A layer's frozen tensor and its shape: a matrix (out,in) or a vector. */
export function frozenShape(name: string, values: Float32Array, width: number): readonly number[] {
  if (!name.endsWith('.weight') || name.includes('LayerNorm')) return [values.length];
  const outer = name.startsWith('intermediate') ? values.length / width : width;
  return [outer, values.length / outer];
}

/** Index of a trained tensor among the slots, or -1. */
export function slotIndex({ slots }: PeerModel, name: string): number {
  return slots.findIndex((slot) => slot.name === name);
}
