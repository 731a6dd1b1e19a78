import { pcg4d } from '../../signaling/protocol/exchange/pcg4d.ts';
import type { LoraSettings, LoraTarget, ModelShape } from '../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { EngineRequest } from '../engine/engine.ts';
import { type Loss, labelsForLoss, plainLoss } from '../engine/loss.ts';
import { bytesSource } from '../files/byte-source.ts';
import { layerTensorSpecs } from '../model/description.ts';
import { parameterLayout } from '../model/layout.ts';
import { encodeSafetensors, type NamedTensor } from '../model/safetensors.ts';
import { EMBEDDING_NAMES, layerTensorName } from '../model/tensor-names.ts';
import { openWeights } from '../model/weights.ts';

/** Uniform in ±1, the same for a seed. */
export function randomValues(length: number, seed: number, deviation: number, mean = 0): Float32Array {
  const words = new Uint32Array(4);
  return new Float32Array(length).map((_, i) => {
    words.set([seed, i, 77, 78]);
    pcg4d(words);
    return mean + deviation * (words[0]! / 2 ** 31 - 1);
  });
}

export interface RandomModelOptions {
  readonly layers?: number;
  readonly hiddenSize?: number;
  readonly heads?: number;
  readonly ffnSize?: number;
  readonly labelCount?: number;
  readonly loss?: Loss;
  readonly samples?: number;
  readonly tokens?: number;
  /** Real tokens of each sample; by default the first sample is full and the others ever shorter. */
  readonly lengths?: readonly number[];
  readonly targets?: readonly LoraTarget[];
  readonly rank?: number;
  /** Which layers have adapters, and what differs between them. */
  readonly adapters?: Omit<LoraSettings, 'rank' | 'alpha' | 'targets'>;
  readonly seed?: number;
}

export interface RandomModel extends EngineRequest {
  readonly parameters: Float32Array;
  readonly batch: TokenBatch;
}

const LABELS: Readonly<Record<Loss['kind'], (i: number, labelCount: number) => number>> = {
  'squared-error': (i) => i * 0.7 - 1,
  'cross-entropy': (i, labelCount) => i % labelCount,
  'binary-cross-entropy': (i) => Number(i % 3 === 0),
};

/** For tests of engines and of devices: a small model with random weights, non-zero adapters and a batch to train it on. */
export async function randomModel(options: RandomModelOptions = {}): Promise<RandomModel> {
  const { layers = 2, hiddenSize: c = 12, heads = 3, ffnSize = 20, labelCount = 2, rank = 2, seed = 1 } = options;
  const { loss = plainLoss(labelCount) } = options;
  const { samples = options.lengths?.length ?? 3, tokens = 7, targets = ['query', 'value'] } = options;
  const shape: ModelShape = {
    layers,
    hiddenSize: c,
    heads,
    ffnSize,
    vocabSize: 31,
    maxPositions: tokens + 2,
    layerNormEps: 1e-5,
    padTokenId: 1,
  };
  const tensors: NamedTensor[] = [];
  const put = (name: string, dims: readonly number[], deviation: number, mean = 0) => {
    const length = dims.reduce((a, b) => a * b, 1);
    tensors.push({ name, shape: dims, values: randomValues(length, seed * 1000 + tensors.length, deviation, mean) });
  };
  put(EMBEDDING_NAMES.word, [shape.vocabSize, c], 0.3);
  put(EMBEDDING_NAMES.position, [shape.maxPositions, c], 0.3);
  put(EMBEDDING_NAMES.tokenType, [1, c], 0.3);
  put(EMBEDDING_NAMES.normWeight, [c], 0.2, 1);
  put(EMBEDDING_NAMES.normBias, [c], 0.2);
  for (let layer = 0; layer < layers; layer++)
    for (const { path, shape: dims } of layerTensorSpecs(shape)) {
      const name = layerTensorName(layer, path);
      if (path.endsWith('LayerNorm.weight')) put(name, dims, 0.2, 1);
      else put(name, dims, dims.length === 2 ? 1.5 / Math.sqrt(dims[1]!) : 0.1);
    }
  const lora = { rank, alpha: 2 * rank, targets: [...targets], ...options.adapters };
  const layout = parameterLayout(shape, lora, labelCount);
  const lengths = Int32Array.from(
    options.lengths ?? Array.from({ length: samples }, (_, i) => Math.max(1, tokens - 2 * i)),
  );
  const draws = randomValues(samples * tokens, seed + 500, 1);
  return {
    shape,
    lora,
    labelCount,
    loss,
    withDropout: true,
    weightStorage: 'f32',
    weights: await openWeights(bytesSource(encodeSafetensors(tensors))),
    parameters: randomValues(layout.length, seed + 900, 0.4),
    batch: {
      ids: Int32Array.from({ length: samples * tokens }, (_, i) =>
        i % tokens < lengths[Math.floor(i / tokens)]! ? 4 + Math.floor((draws[i]! + 1) * 13) : 1,
      ),
      lengths,
      labels: Float32Array.from({ length: samples * labelsForLoss(loss, labelCount) }, (_, i) =>
        LABELS[loss.kind](i, labelCount),
      ),
      positions: Int32Array.from({ length: samples }, (_, i) => 3 * i + 1),
      tokens,
    },
  };
}
