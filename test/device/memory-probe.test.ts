import { describe, expect, it } from 'vitest';
import { randomModel } from '../../worker/check/random-model.ts';
import { forEngine, probeMemory, probePartMemory } from '../../worker/device/memory-probe.ts';
import type { Engine } from '../../worker/engine/engine.ts';
import { recallFact, rememberFact } from '../../worker/engine/machine-facts.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';

const model = await randomModel({ layers: 4 });
const reference = await createReferenceEngine(model);

/** 100 bytes of weights; 10 a sample, and 5 more for each layer that it keeps. The device really has `memory`. */
function engine(backend: string, memory: number) {
  const tried: string[] = [];
  const total = (samples: number, depth: number) => 100 + samples * (10 + 5 * depth);
  const made: Engine = {
    ...reference,
    backend,
    bytes: (samples, _, { savedLayers }) => ({
      weightsBytes: 100,
      transientBytes: 10 * samples,
      savedBytes: 5 * savedLayers * samples,
      gradientBytes: 0,
    }),
    fits: async (samples, _, { savedLayers: depth }) => {
      tried.push(`${samples} x ${depth}`);
      return total(samples, depth) <= memory;
    },
  };
  return { made, tried };
}

describe('the memory probe', () => {
  it('asks for the deepest order that the claim allows, once, and for nothing else', async () => {
    const { made, tried } = engine('roomy', 1e9);
    expect(await probeMemory(made, { samples: 16, tokens: 8, limitBytes: 1e6 })).toBe(1e6);
    expect(tried).toEqual(['16 x 4']);
  });

  it('asks for no depth below the lowest layer with adapters', async () => {
    const { made, tried } = engine('shallow', 1e9);
    const { layers } = made.layout;
    const layout = { ...made.layout, layers: layers.map((block, i) => (i === 2 ? block : { ...block, length: 0 })) };
    expect(await probeMemory({ ...made, layout }, { samples: 16, tokens: 8, limitBytes: 1e6 })).toBe(1e6);
    expect(tried).toEqual(['16 x 2']);
  });

  it('keeps within the claim: 400 bytes are weights and ten samples', async () => {
    const { made, tried } = engine('claimed', 1e9);
    expect(await probeMemory(made, { samples: 16, tokens: 8, limitBytes: 400 })).toBe(400);
    expect(tried).toEqual(['10 x 4']);
  });

  it('leaves of a limit what a library takes besides, but where the limit is small', async () => {
    expect([3e8, 1e8, 8e7, 6.4e7, 9.5e6].map((limit) => forEngine({ besideBytes: 3.6e7 }, limit))).toEqual([
      2.64e8, 6.4e7, 6.4e7, 6.4e7, 9.5e6,
    ]);
    expect(forEngine({}, 3e8)).toBe(3e8);
    const beside = { ...engine('with a library', 1e9).made, besideBytes: 3.6e7 };
    expect(await probeMemory(beside, { samples: 16, tokens: 8, limitBytes: 3e8 })).toBe(2.64e8);
  });

  it('halves the samples, then the layers, until the device has the memory', async () => {
    const { made, tried } = engine('small', 120);
    expect(await probeMemory(made, { samples: 4, tokens: 8, limitBytes: 1e6 })).toBe(115);
    expect(tried).toEqual(['4 x 4', '2 x 4', '1 x 4', '1 x 3', '1 x 1']);
  });

  it('ends at the head alone, and at nothing where not even that fits', async () => {
    const head = engine('tiny', 110);
    expect(await probeMemory(head.made, { samples: 1, tokens: 8, limitBytes: 1e6 })).toBe(110);
    expect(head.tried.at(-1)).toBe('1 x 0');
    expect(await probeMemory(engine('full', 50).made, { samples: 1, tokens: 8, limitBytes: 1e6 })).toBe(0);
    const unclaimed = engine('unclaimed', 1e9);
    expect(await probeMemory(unclaimed.made, { samples: 1, tokens: 8, limitBytes: 90 })).toBe(0);
    expect(unclaimed.tried).toEqual([]);
  });

  it('of a device without its run opens passes of one layer until they take the claim, in the place of weights, too', async () => {
    const tried: unknown[] = [];
    const roomy = (backend: string, memory: number): Engine => ({
      ...reference,
      backend,
      bytes: (samples, _, { savedLayers, openPasses = 1 }) => ({
        weightsBytes: 100,
        transientBytes: 10 * samples,
        savedBytes: 5 * samples * savedLayers * openPasses,
        gradientBytes: 0,
      }),
      fits: async (samples, tokens, needs) => {
        tried.push([samples, tokens, needs.savedLayers, needs.openPasses]);
        return 110 + 5 * needs.savedLayers * (needs.openPasses ?? 1) <= memory;
      },
    });
    const claim = { samples: 4, tokens: 8, layers: 6, otherBytes: 203, limitBytes: 1000 };
    // The whole model would have 203 bytes of other weights, 41 times what a pass keeps, and 4 samples through 6 layers: 65 passes, 435 bytes.
    expect(await probePartMemory(roomy('part of much', 1e9), claim)).toBe(1000);
    expect(tried).toEqual([[1, 8, 1, 65]]);
    tried.length = 0;
    // Within a claim of 212: (212 - 110) / 5 passes.
    expect(await probePartMemory(roomy('part of a claim', 1e9), { ...claim, limitBytes: 212 })).toBe(212);
    expect(tried).toEqual([[1, 8, 1, 20]]);
    tried.length = 0;
    // The device has 130: half of 20 passes is too much still, a quarter takes 135, an eighth 120.
    expect(await probePartMemory(roomy('part of little', 130), { ...claim, limitBytes: 212 })).toBe(120);
    expect(tried).toEqual([20, 10, 5, 2].map((passes) => [1, 8, 1, passes]));
    tried.length = 0;
    expect(await probePartMemory(roomy('part of next to nothing', 110), { ...claim, limitBytes: 112 })).toBe(112);
    expect(tried).toEqual([[1, 8, 0, 0]]);
    expect(await probePartMemory(roomy('part of nothing', 10), { ...claim, limitBytes: 100 })).toBe(0);
  });

  it('takes half after a tab that died of it, and more again with each time that goes well', async () => {
    const { made, tried } = engine('crashed', 1e9);
    const claim = { samples: 16, tokens: 8, limitBytes: 580 };
    await rememberFact('memory probe/crashed', { limitBytes: 580, underWay: true });
    expect(await probeMemory(made, claim)).toBe(290);
    expect(await probeMemory(made, claim)).toBe(362.5);
    for (let i = 0; i < 3; i++) await probeMemory(made, claim);
    expect(await probeMemory(made, claim)).toBe(580);
    expect(tried.at(0)).toBe('6 x 4');
    expect(await recallFact('memory probe/crashed')).toEqual({ limitBytes: 580, underWay: false });
  });
});
