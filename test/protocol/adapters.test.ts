import { describe, expect, it } from 'vitest';
import {
  adapterParameterCount,
  deepestDepth,
  layerParameterCount,
  rankOf,
  scaleOf,
  trainedLayers,
} from '../../signaling/protocol/adapters.ts';
import { adaptersProblem, type LoraSettings } from '../../signaling/protocol/settings.ts';

const shape = {
  layers: 6,
  hiddenSize: 10,
  heads: 2,
  ffnSize: 40,
  vocabSize: 50,
  maxPositions: 20,
  layerNormEps: 1e-5,
  padTokenId: 1,
};
const plain: LoraSettings = { rank: 4, alpha: 8, targets: ['query', 'output.dense'] };
const mixed: LoraSettings = { ...plain, layers: [2, 5], rankPattern: { 5: 16 }, alphaPattern: { 2: 6 } };

describe('adapters', () => {
  it('are on every layer, all alike, unless something is said', () => {
    expect(trainedLayers(plain, 6)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(deepestDepth(plain, 6)).toBe(6);
    expect([rankOf(plain, 3), scaleOf(plain, 3)]).toEqual([4, 2]);
    // Query 4 * (10 + 10), output.dense 4 * (10 + 40), six times.
    expect(adapterParameterCount(shape, plain)).toBe(6 * 280);
  });

  it('are on the layers that are named, each with its own rank and alpha', () => {
    expect(deepestDepth(mixed, 6)).toBe(4);
    expect([0, 1, 2, 3, 4, 5].map((layer) => rankOf(mixed, layer))).toEqual([0, 0, 4, 0, 0, 16]);
    // 6 / 4, 8 / 16.
    expect([scaleOf(mixed, 2), scaleOf(mixed, 5), scaleOf(mixed, 3)]).toEqual([1.5, 0.5, 0]);
    expect(layerParameterCount(shape, mixed, 5)).toBe(16 * 70);
    expect(layerParameterCount(shape, mixed, 4)).toBe(0);
    expect(adapterParameterCount(shape, mixed)).toBe(20 * 70);
  });

  it('are rank-stabilised by the root of the rank', () => {
    const stable = { ...mixed, rslora: true } as const;
    // 6 / 2, 8 / 4.
    expect([scaleOf(stable, 2), scaleOf(stable, 5)]).toEqual([3, 2]);
  });

  it.each([
    [{ layers: [2, 6] }, "Adapters are asked for on layer 6; the model's layers are 0 to 5."],
    [{ layers: [2], rankPattern: { 3: 4 } }, 'Layer 3 is given its own rank and carries no adapters.'],
    [{ alphaPattern: { 6: 4 } }, 'Layer 6 is given its own alpha and carries no adapters.'],
    [{ layers: [0, 5], rankPattern: { 5: 4 } }, null],
  ])('%j: %s', (change, sentence) => {
    expect(adaptersProblem({ ...plain, ...change } as LoraSettings, 6)).toBe(sentence);
  });
});
