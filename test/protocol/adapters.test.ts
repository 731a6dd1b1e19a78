import { describe, expect, it } from 'vitest';
import {
  adapterParameterCount,
  deepestDepth,
  layerParameterCount,
  rankOf,
  scaleOf,
  sessionAdapters,
  trainedLayers,
} from '../../signaling/protocol/adapters.ts';
import { adaptersProblem, type LoraRequest, type LoraSettings } from '../../signaling/protocol/settings.ts';
import { adaptersText, readAdapters } from '../../signaling/protocol/words/adapters.ts';

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

describe('what is asked for before the model is known', () => {
  const asked = (layers: LoraRequest['layers']) => sessionAdapters({ ...plain, layers }, 6).layers;

  it('the last ones become named, all of them need no name', () => {
    expect(asked({ top: 2 })).toEqual([4, 5]);
    expect(asked([1, 3])).toEqual([1, 3]);
    for (const all of [undefined, { top: 6 }, [0, 1, 2, 3, 4, 5]])
      expect(sessionAdapters({ ...plain, layers: all }, 6)).toEqual(plain);
  });

  it.each([
    [{ top: 7 }, 'Adapters are asked for on the last 7 layers; the model has 6.'],
    [[5, 8], "Adapters are asked for on layer 8; the model's layers are 0 to 5."],
  ])('%j: refused', (layers, sentence) => {
    expect(() => asked(layers)).toThrow(sentence);
  });

  it('patterns for layers that carry none are refused', () => {
    const lora = { ...plain, layers: { top: 2 }, rankPattern: { 3: 4 } };
    expect(() => sessionAdapters(lora, 6)).toThrow('Layer 3 is given its own rank and carries no adapters.');
  });
});

describe('as people write them', () => {
  const read = (typed: Partial<Parameters<typeof readAdapters>[0]>) => {
    const result = readAdapters({ layers: '', rankPattern: '', alphaPattern: '', rslora: false, ...typed });
    return result.ok ? result.adapters : Object.keys(result.problems);
  };

  it.each([
    ['', {}],
    [' all ', {}],
    ['3', { layers: [3] }],
    ['5, 1,3', { layers: [1, 3, 5] }],
    ['4-7,0', { layers: [0, 4, 5, 6, 7] }],
    ['top:2', { layers: { top: 2 } }],
    ['Top 12', { layers: { top: 12 } }],
    ['top:0', ['layers']],
    ['7-4', ['layers']],
    ['-1', ['layers']],
    ['1,,2', ['layers']],
    ['64', ['layers']],
    ['1.5', ['layers']],
  ])('layers %j', (layers, result) => {
    expect(read({ layers })).toEqual(result);
  });

  it.each([
    ['3:4', { rankPattern: { 3: 4 } }],
    [' 3=4 , 11:16', { rankPattern: { 3: 4, 11: 16 } }],
    ['3:4,3:5', ['rankPattern']],
    ['3:2.5', ['rankPattern']],
    ['3:257', ['rankPattern']],
    ['query:4', ['rankPattern']],
  ])('ranks %j', (rankPattern, result) => {
    expect(read({ rankPattern })).toEqual(result);
  });

  it('alphas need not be whole', () => {
    expect(read({ alphaPattern: '3:2.5' })).toEqual({ alphaPattern: { 3: 2.5 } });
    expect(read({ alphaPattern: '3:0' })).toEqual(['alphaPattern']);
  });

  it('and as they read them', () => {
    expect(adaptersText(plain)).toBe('rank 4, alpha 8');
    expect(adaptersText({ ...mixed, layers: [2, 3, 4, 5], rslora: true })).toBe(
      'rank 4 (16 in layer 5), alpha 8 (6 in layer 2), rank-stabilised, in layers 2–5 alone',
    );
  });
});
