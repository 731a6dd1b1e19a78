import { expect, test } from 'vitest';
import type { Block } from '../../signaling/protocol/round.ts';
import type { GradientPart } from '../../worker/api/batch.ts';
import { mergeGradients, missingPairs, refusePart } from '../../worker/learn/merge.ts';
import { parameterLayout } from '../../worker/model/layout.ts';

/** Two layers of 2*1*2 = 4 values each and a head of 4 + 2 + 4 + 2 = 12: 20 in all. */
const layout = parameterLayout(
  {
    layers: 2,
    hiddenSize: 2,
    heads: 1,
    ffnSize: 4,
    vocabSize: 10,
    maxPositions: 8,
    layerNormEps: 1e-5,
    padTokenId: 1,
  },
  { rank: 1, alpha: 1, targets: ['query'] },
  2,
);
const round = { layout, samples: 4 };

function part(block: Block, start: number, count: number, fill: number): GradientPart {
  const length = block === 'head' ? 12 : 4;
  return { block, samples: { start, count }, gradient: new Float32Array(length).fill(fill) };
}

test('one device: the parts land at their blocks', () => {
  const merged = mergeGradients(round, [part('head', 0, 4, 3), part(1, 0, 4, 2), part(0, 0, 4, 1)]);
  expect([...merged]).toEqual([...Array(4).fill(1), ...Array(4).fill(2), ...Array(12).fill(3)]);
});

test('parts of one block add up over their samples, whoever trained how many', () => {
  const merged = mergeGradients(round, [
    part('head', 0, 4, 0),
    part(0, 0, 1, 1),
    part(0, 1, 2, 10),
    part(0, 3, 1, 100),
    part(1, 2, 2, -5),
    part(1, 0, 2, 7),
  ]);
  expect([...merged.subarray(0, 8)]).toEqual([111, 111, 111, 111, 2, 2, 2, 2]);
});

test('the order of arrival never changes a bit', () => {
  // In float32 1e8 + 1 - 1e8 depends on the order; sorted and in float64 it is 1 always.
  const others = [part('head', 0, 4, 0), part(1, 0, 4, 0)];
  const [a, b, c] = [part(0, 0, 1, 1e8), part(0, 1, 1, 1), part(0, 2, 2, -1e8)];
  for (const order of [
    [a, b, c],
    [a, c, b],
    [b, a, c],
    [b, c, a],
    [c, a, b],
    [c, b, a],
  ]) {
    expect([...mergeGradients(round, [...order, ...others]).subarray(0, 4)]).toEqual([1, 1, 1, 1]);
  }
});

test('what a peer can get wrong is refused with the reason', () => {
  const accepted = [part(0, 1, 2, 1)];
  const refusal = (wrong: GradientPart) => refusePart(round, accepted, wrong);
  expect(refusal(part(0, 0, 1, 1))).toBeNull();
  expect(refusal(part(0, 3, 1, 1))).toBeNull();
  expect(refusal(part(1, 1, 2, 1))).toBeNull();
  expect(refusal(part(0, 1, 2, 1))).toBe('The gradient of layer 0 for samples 1 to 2 has been counted already.');
  expect(refusal(part(0, 2, 2, 1))).toContain('counted already');
  expect(refusal(part(0, 0, 4, 1))).toContain('counted already');
  expect(refusal(part(2, 0, 4, 1))).toBe('The session trains no block 2.');
  expect(refusal(part(0.5, 0, 4, 1))).toBe('The session trains no block 0.5.');
  expect(refusal(part(1, 3, 2, 1))).toBe('The round has samples 0 to 3; a part claims 2 from 3.');
  expect(refusal(part(1, -1, 2, 1))).toContain('claims 2 from -1');
  expect(refusal(part(1, 0, 0, 1))).toContain('claims 0 from 0');
  expect(refusal(part(1, 0, 1.5, 1))).toContain('claims 1.5 from 0');
  expect(refusal({ ...part(1, 0, 4, 1), gradient: new Float32Array(5) })).toBe(
    'The gradient of layer 1 has 5 values; it must have 4.',
  );
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    const wrong = part('head', 3, 1, 1);
    wrong.gradient[11] = bad;
    expect(refusal(wrong)).toBe('The gradient of the head for sample 3 holds a value that is not finite.');
  }
});

test('missing pairs: head first, then the deepest layer last, gaps between ranges', () => {
  expect(missingPairs(round, [])).toEqual([
    { block: 'head', samples: { start: 0, count: 4 } },
    { block: 1, samples: { start: 0, count: 4 } },
    { block: 0, samples: { start: 0, count: 4 } },
  ]);
  expect(missingPairs(round, [part(1, 3, 1, 0), part('head', 0, 4, 0), part(0, 1, 1, 0)])).toEqual([
    { block: 1, samples: { start: 0, count: 3 } },
    { block: 0, samples: { start: 0, count: 1 } },
    { block: 0, samples: { start: 2, count: 2 } },
  ]);
  expect(missingPairs(round, [part(1, 0, 4, 0), part('head', 0, 4, 0), part(0, 0, 4, 0)])).toEqual([]);
});

test('an incomplete or doubled round is never merged', () => {
  expect(() => mergeGradients(round, [part('head', 0, 4, 0), part(1, 0, 4, 0), part(0, 0, 3, 0)])).toThrow(
    'The gradient of layer 0 for sample 3 is missing.',
  );
  expect(() => mergeGradients(round, [part('head', 0, 4, 0), part('head', 0, 4, 0)])).toThrow('counted already');
});
