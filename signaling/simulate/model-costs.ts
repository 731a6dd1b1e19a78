/**
 * What one RoBERTa layer costs to train with a frozen base and LoRA, counted from the architecture; docs/experiments.md derives the terms.
 * Per sample of T tokens; C hidden, F feed-forward, H heads, V vocabulary, R LoRA rank. One multiply-add is 2 FLOP; what is not a matrix
 * product (LayerNorm, softmax, GELU, residuals) is left out: it moves bytes, and devices are drawn by the FLOP/s that they achieve.
 */

export interface EncoderShape {
  readonly layers: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly ffnSize: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
}

export const ENCODERS = {
  'roberta-base': { layers: 12, hiddenSize: 768, heads: 12, ffnSize: 3072, vocabSize: 50265, maxPositions: 514 },
  'roberta-large': { layers: 24, hiddenSize: 1024, heads: 16, ffnSize: 4096, vocabSize: 50265, maxPositions: 514 },
} as const satisfies Record<string, EncoderShape>;

export type EncoderName = keyof typeof ENCODERS;

/** `query+value` as in the LoRA paper; `all` adapts the six linear maps of a layer. */
export const ADAPTED = ['query+value', 'all'] as const;
export type Adapted = (typeof ADAPTED)[number];

export interface TrainingShape {
  readonly tokens: number;
  readonly rank: number;
  readonly adapted: Adapted;
  /** Outputs of the classification head. */
  readonly labels: number;
}

/** Frozen weights are held as f16, activations, gradients and uploads as f32. */
const WEIGHT_BYTES = 2;
const VALUE_BYTES = 4;
const UPLOAD_BITS_PER_VALUE = 32;

export interface EncoderCosts {
  readonly embedFlops: number;
  readonly forwardFlopsPerLayer: number;
  readonly backwardFlopsPerLayer: number;
  /** Forward and backward. */
  readonly headFlops: number;
  readonly weightsBytes: number;
  /** Of one unit each; the weights are the embeddings, every layer and the head. */
  readonly embeddingBytes: number;
  readonly layerBytes: number;
  readonly headBytes: number;
  readonly transientBytesPerSample: number;
  readonly savedBytesPerSamplePerLayer: number;
  readonly gradientBytesPerLayer: number;
  readonly layerUploadBits: number;
  readonly headUploadBits: number;
}

/** Costs of an encoder whose layers are the blocks. */
export function encoderCosts(encoder: EncoderShape, { tokens, rank, adapted, labels }: TrainingShape): EncoderCosts {
  const { layers, hiddenSize: c, heads, ffnSize: f, vocabSize, maxPositions } = encoder;
  const maps = adapted === 'all' ? [...Array(4).fill([c, c]), [c, f], [f, c]] : [...Array(2).fill([c, c])];
  const adapterValues = maps.reduce((sum, [input, output]) => sum + rank * (input + output), 0);

  // Query, key, value and output maps, the two of the feed-forward; then Q K^T and P V.
  const linearFlops = 2 * tokens * (4 * c * c + 2 * c * f);
  const attentionFlops = 4 * tokens * tokens * c;
  const adapterFlops = 2 * tokens * adapterValues;

  const layerWeights = 4 * (c * c + c) + (c * f + f) + (f * c + c) + 4 * c;
  const headValues = c * c + c + labels * (c + 1);
  const embeddingBytes = WEIGHT_BYTES * ((vocabSize + maxPositions + 1) * c + 2 * c);
  const layerBytes = WEIGHT_BYTES * layerWeights;
  const headBytes = VALUE_BYTES * headValues;
  // Saved: x and the two LayerNorm outputs, Q, K, V, the attention's output (C each); GELU's input (F); P (H T); the adapters' R values.
  const savedValues = tokens * (7 * c + f + heads * tokens + maps.length * rank);
  // While any layer runs: its input and output, Q, K, V, the attention's output and two of their gradients (8 C), two of F, one P.
  const transientValues = tokens * (8 * c + 2 * f + heads * tokens);
  return {
    // Gathers and one LayerNorm: nothing against a layer, but not nothing.
    embedFlops: 10 * tokens * c,
    forwardFlopsPerLayer: linearFlops + attentionFlops + adapterFlops,
    // Input gradients of the frozen maps (no weight gradients), four products in attention, both gradients of the adapters.
    backwardFlopsPerLayer: linearFlops + 2 * attentionFlops + 2 * adapterFlops,
    headFlops: 3 * 2 * (c * c + labels * c),
    weightsBytes: embeddingBytes + layers * layerBytes + headBytes,
    embeddingBytes,
    layerBytes,
    headBytes,
    transientBytesPerSample: VALUE_BYTES * transientValues,
    savedBytesPerSamplePerLayer: VALUE_BYTES * savedValues,
    gradientBytesPerLayer: VALUE_BYTES * adapterValues,
    layerUploadBits: UPLOAD_BITS_PER_VALUE * adapterValues,
    headUploadBits: UPLOAD_BITS_PER_VALUE * headValues,
  };
}

/** The same encoder seen as `blocks` equal runs of layers: everything that is per layer becomes per block. */
export function groupedCosts(costs: EncoderCosts, layers: number, blocks: number): EncoderCosts {
  const times = layers / blocks;
  return {
    ...costs,
    layerBytes: times * costs.layerBytes,
    forwardFlopsPerLayer: times * costs.forwardFlopsPerLayer,
    backwardFlopsPerLayer: times * costs.backwardFlopsPerLayer,
    savedBytesPerSamplePerLayer: times * costs.savedBytesPerSamplePerLayer,
    gradientBytesPerLayer: times * costs.gradientBytesPerLayer,
    layerUploadBits: times * costs.layerUploadBits,
  };
}
