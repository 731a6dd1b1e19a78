import { describe, expect, it } from 'vitest';
import { LORA_TARGETS } from '../../signaling/protocol/settings.ts';
import { wholePart } from '../../signaling/protocol/split.ts';
import { randomValues } from '../../worker/check/random-model.ts';
import { plainLoss } from '../../worker/engine/loss.ts';
import { passBytes, planTransients, transientLifetimes } from '../../worker/engine/webgpu/memory.ts';
import { allSteps, kernelsOf, makePrograms } from '../../worker/engine/webgpu/programs.ts';
import { type Lifetime, overlap, planArena } from '../../worker/engine/webgpu/steps/arena.ts';
import { wordParts } from '../../worker/engine/webgpu/steps/embed-steps.ts';
import type { ModelPlan } from '../../worker/engine/webgpu/steps/steps.ts';
import { parameterLayout } from '../../worker/model/layout.ts';

/** Bytes that no plan can do with less of: the most that is needed at one time. */
function leastBytes(tensors: readonly Lifetime[]): number {
  const beginnings = tensors.flatMap(({ needed }) => needed.map(({ first }) => first));
  const at = (step: number) =>
    tensors
      .filter(({ needed }) => needed.some(({ first, last }) => first <= step && step <= last))
      .reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.max(0, ...beginnings.map(at));
}

const tensor = (name: string, bytes: number, first: number, last: number): Lifetime => ({
  name,
  bytes,
  needed: [{ first, last }],
});
const sum = (sizes: readonly number[]) => sizes.reduce((a, b) => a + b, 0);

function modelPlan(change: Partial<ModelPlan> = {}): ModelPlan {
  const shape = {
    layers: 12,
    hiddenSize: 768,
    heads: 12,
    ffnSize: 3072,
    vocabSize: 50_265,
    maxPositions: 514,
    layerNormEps: 1e-5,
    padTokenId: 1,
  };
  const lora = change.lora ?? { rank: 8, alpha: 16, targets: ['query', 'value'] };
  return {
    shape,
    lora,
    labelCount: 2,
    loss: plainLoss(2),
    layout: parameterLayout(shape, lora, 2),
    part: wholePart(shape.layers),
    withDropout: true,
    precision: 'f32',
    weights: 'f32',
    embeddings: 'f32',
    tile: { kind: 'staged', rows: 64, columns: 64, inner: 16, threadRows: 4, threadColumns: 4 },
    attentionThreads: 'alone',
    ...change,
  };
}

describe('arena', () => {
  it('gives tensors that are never needed together one slot, and others their own', () => {
    const { slots, slotOf } = planArena([tensor('a', 100, 0, 1), tensor('b', 60, 2, 3), tensor('c', 50, 1, 2)]);
    expect(slots).toEqual([100, 50]);
    expect(slotOf).toEqual(
      new Map([
        ['a', 0],
        ['b', 0],
        ['c', 1],
      ]),
    );
  });

  it('needs no more than is needed at one time where lifetimes nest', () => {
    const stack = [tensor('a', 8, 0, 9), tensor('b', 8, 1, 8), tensor('c', 8, 2, 3), tensor('d', 8, 5, 6)];
    expect(sum(planArena(stack).slots)).toBe(24);
    expect(leastBytes(stack)).toBe(24);
  });

  it('lets a tensor come back while another had its slot', () => {
    const back: Lifetime = {
      name: 'a',
      bytes: 10,
      needed: [
        { first: 0, last: 1 },
        { first: 6, last: 7 },
      ],
    };
    expect(planArena([back, tensor('b', 9, 2, 5)]).slots).toEqual([10]);
    expect(planArena([back, tensor('b', 9, 2, 6)]).slots).toEqual([10, 9]);
  });

  it('never lets two tensors of a slot overlap, whatever they are', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const draw = randomValues(60, seed, 0.5, 0.5);
      const tensors = Array.from({ length: 20 }, (_, i) => {
        const first = Math.floor(draw[3 * i]! * 30);
        return tensor(`t${i}`, 1 + Math.floor(draw[3 * i + 1]! * 99), first, first + Math.floor(draw[3 * i + 2]! * 12));
      });
      const { slots, slotOf } = planArena(tensors);
      for (const a of tensors) {
        expect(slots[slotOf.get(a.name)!]).toBeGreaterThanOrEqual(a.bytes);
        for (const b of tensors)
          if (a !== b && slotOf.get(a.name) === slotOf.get(b.name)) expect(overlap(a, b)).toBe(false);
      }
      expect(sum(slots)).toBeGreaterThanOrEqual(leastBytes(tensors));
    }
  });
});

describe('memory of a pass', () => {
  const rows = 32 * 128;
  const row = 768 * 4;

  it('of roberta-base is within a fifth of what is needed at one time', () => {
    const shape = { rows, samples: 32, backward: true, recompute: false };
    const least = leastBytes(transientLifetimes(modelPlan(), shape));
    expect(sum(planTransients(modelPlan(), shape).slots)).toBeLessThan(1.2 * least);
    // Hidden states, a residual sum and the feed-forward's width at once: six times the hidden states.
    expect(least).toBeGreaterThanOrEqual(6 * rows * row);
    expect(least).toBeLessThan(6.5 * rows * row);
  });

  it('saves nine rows of the hidden size for each token and layer, and little else', () => {
    const { savedBytes } = passBytes(modelPlan(), rows, 32, { savedLayers: 1 });
    const small = 12 + 2 + 16;
    expect(savedBytes).toBe(rows * (9 * row + small * 4));
  });

  it('halves what it saves in half precision, but for the small things', () => {
    const full = passBytes(modelPlan(), rows, 32, { savedLayers: 12 }).savedBytes;
    const half = passBytes(modelPlan({ precision: 'f16' }), rows, 32, { savedLayers: 12 }).savedBytes;
    expect(half / full).toBeCloseTo(0.5, 2);
  });

  it('grows with depth by the same amount for each layer, and not at all below', () => {
    const at = (depth: number) => passBytes(modelPlan(), rows, 32, { savedLayers: depth });
    expect(at(3).savedBytes).toBe(3 * at(1).savedBytes);
    expect(at(3).transientBytes).toBe(at(1).transientBytes);
    expect(at(3).gradientBytes - at(2).gradientBytes).toBe(4 * 8 * 768 * 4);
  });
});

it('keeps every binding of the word table within 128 MiB', () => {
  // 50,265 words of 768 f32 are 154 MB.
  expect(wordParts(modelPlan())).toEqual([
    { firstWord: 0, wordCount: 25_133 },
    { firstWord: 25_133, wordCount: 25_132 },
  ]);
  expect(wordParts(modelPlan({ embeddings: 'f16' }))).toHaveLength(1);
});

it.each([
  ['query and value', ['query', 'value']],
  ['every target', LORA_TARGETS],
  ['the feed-forward output alone', ['output.dense']],
] as const)('stays within what WebGPU promises on every device: %s', (_, targets) => {
  for (const precision of ['f32', 'f16'] as const) {
    const plan = modelPlan({ precision, lora: { rank: 8, alpha: 16, targets: [...targets] } });
    for (const { label, bindings } of kernelsOf(allSteps(makePrograms(plan)))) {
      const storage = Object.values(bindings).filter(({ access }) => access !== 'uniform');
      expect(storage.length, label).toBeLessThanOrEqual(8);
    }
  }
});
