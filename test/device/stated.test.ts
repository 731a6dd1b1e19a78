import { expect, it } from 'vitest';
import { memoryOf, slowed } from '../../worker/device/stated.ts';
import type { PassNeeds } from '../../worker/engine/engine.ts';
import { parameterLayout } from '../../worker/model/layout.ts';

it('a device that is four times slower states four times the seconds and a quarter of the rates, of everything', () => {
  const speed = {
    overheadSeconds: 1,
    secondsPerSample: { embed: 2, forwardPerLayer: 3, backwardPerLayer: 5, head: 7 },
    fixedSeconds: { embed: 11, forwardPerLayer: 13, backwardPerLayer: 17, head: 19 },
    flopsPerSecond: 400,
    memoryBytesPerSecond: 800,
  };
  expect(slowed(speed, 4)).toEqual({
    overheadSeconds: 4,
    secondsPerSample: { embed: 8, forwardPerLayer: 12, backwardPerLayer: 20, head: 28 },
    fixedSeconds: { embed: 44, forwardPerLayer: 52, backwardPerLayer: 68, head: 76 },
    flopsPerSecond: 100,
    memoryBytesPerSecond: 200,
  });
  expect(slowed(speed, 1)).toEqual(speed);
});

it('what a device claims counts the head’s gradient, and the layers’ by the layer', () => {
  // Rank 1 on the query of (4,4): 8 values a layer.
  const shape = { layers: 2, hiddenSize: 4, heads: 1, ffnSize: 8, vocabSize: 9, maxPositions: 18, layerNormEps: 1e-5 };
  const layout = parameterLayout({ ...shape, padTokenId: 1 }, { rank: 1, alpha: 1, targets: ['query'] }, 2);
  const engine = {
    layout,
    recomputes: true,
    bytes: (samples: number, tokens: number, { savedLayers, recompute = false }: PassNeeds) => ({
      weightsBytes: 1000,
      transientBytes: samples * tokens * (savedLayers === 0 ? 5 : 4) + (recompute ? 3 : 0),
      savedBytes: savedLayers * tokens * (recompute ? 1 : 10),
      gradientBytes: 100 + savedLayers * 32,
    }),
  };
  expect(memoryOf(engine, 16, 7777)).toEqual({
    limitBytes: 7777,
    weightsBytes: 1100,
    transientPerSample: 80,
    savedPerSamplePerLayer: 160,
    gradientBytesPerLayer: 32,
    recompute: { transientPerSample: 67, savedPerSamplePerLayer: 16 },
  });
  expect(memoryOf({ ...engine, recomputes: false }, 16, 7777).recompute).toBeUndefined();
});
