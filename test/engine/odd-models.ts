import { LORA_TARGETS } from '../../signaling/protocol/settings.ts';
import type { RandomModelOptions } from '../../worker/check/random-model.ts';

/** Odd sizes, single tokens and samples, rows of nothing but padding, every target and few. */
export const ODD_MODELS: Readonly<Record<string, RandomModelOptions>> = {
  'one token': { tokens: 1, samples: 2 },
  'one sample of 37 tokens': { tokens: 37, samples: 1 },
  'no width divisible by four': { hiddenSize: 15, heads: 3, ffnSize: 17, tokens: 5, rank: 3 },
  'every target': { targets: LORA_TARGETS, layers: 3, tokens: 9 },
  'the shallowest target alone': { targets: ['output.dense'], layers: 3 },
  'the key alone': { targets: ['key'] },
  'a padding row': { lengths: [5, 0, 1], tokens: 6 },
  regression: { labelCount: 1 },
  'many classes': { labelCount: 7, samples: 7 },
  'class weights and smoothing': {
    labelCount: 3,
    loss: { kind: 'cross-entropy', classWeights: [0.5, 2, 7], labelSmoothing: 0.2 },
  },
  'several labels': { labelCount: 5, loss: { kind: 'binary-cross-entropy' } },
  'one label that is there or not': { labelCount: 1, loss: { kind: 'binary-cross-entropy' } },
  'two of four layers, of two ranks, rank-stabilised': {
    layers: 4,
    targets: LORA_TARGETS,
    adapters: { layers: [1, 3], rankPattern: { 3: 5 }, alphaPattern: { 1: 3 }, rslora: true },
  },
  'the first layer alone': { layers: 3, adapters: { layers: [0] }, targets: ['query', 'output.dense'] },
  'the last layer alone': { layers: 3, adapters: { layers: [2] } },
  'a rank for every layer': { layers: 3, tokens: 5, rank: 3, adapters: { rankPattern: { 0: 1, 2: 9 } } },
  'one head of a wide model': { hiddenSize: 96, heads: 1, ffnSize: 160, tokens: 33, rank: 8 },
};
