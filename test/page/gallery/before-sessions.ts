import type { ModelShape, ModelSource } from '../../../signaling/protocol/settings.ts';
import type { Preflight } from '../../../worker/rpc.ts';

/** What a hub would answer of models, without one. Sizes as roberta's are. */

const shape = (layers: number, hiddenSize: number): ModelShape => ({
  layers,
  hiddenSize,
  heads: hiddenSize / 64,
  ffnSize: 4 * hiddenSize,
  vocabSize: 50_265,
  maxPositions: 514,
  layerNormEps: 1e-5,
  padTokenId: 1,
});

export function preflightOf({ id }: ModelSource): Preflight {
  const large = id.includes('large');
  if (!id.includes('roberta')) throw new Error(`The hub has no model "${id}"; check the repository’s name.`);
  const memoryBytes = large ? { f32: 1.62e9, f16: 0.9e9, int8: 0.55e9 } : { f32: 0.58e9, f16: 0.33e9, int8: 0.21e9 };
  const totalBytes = large ? 1.43e9 : 0.5e9;
  const cachedBytes = large ? 0.31e9 : 0;
  return {
    name: id,
    shape: large ? shape(24, 1024) : shape(12, 768),
    totalBytes,
    cachedBytes,
    downloadBytes: totalBytes - cachedBytes,
    memoryBytes,
    memoryLimitBytes: 1.5e9,
    fits: large ? 'f16' : 'f32',
    sentence: '',
  };
}
