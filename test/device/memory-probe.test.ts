import { describe, expect, it } from 'vitest';
import { randomModel } from '../../worker/check/random-model.ts';
import { probeMemory } from '../../worker/device/memory-probe.ts';
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
