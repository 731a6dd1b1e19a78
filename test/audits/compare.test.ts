import { describe, expect, it } from 'vitest';
import type { Block } from '../../signaling/protocol/round.ts';
import {
  differenceOf,
  lossDifference,
  type Made,
  type MadePart,
  mismatchOf,
  mismatchWords,
  productsOf,
} from '../../web/session/rounds/audits/compare.ts';
import { toleranceFor } from '../../web/session/rounds/audits/tolerance.ts';
import { leastOf, NOTHING_USUAL, withRight } from '../../web/session/rounds/audits/usual-sizes.ts';

const made = (parts: readonly (readonly [MadePart, readonly number[]])[], lossSum: number | null = null): Made => ({
  parts: new Map(parts.map(([part, values]) => [part, Float32Array.from(values)])),
  lossSum,
});
const nothing = (): number => 0;
const SINGLE = toleranceFor('f32', []);
/** Of a room that half precision does little to. */
const HALF = toleranceFor('f16', [0.002, 0.001, 0.003]);

describe('the difference of two gradients', () => {
  // By hand: a = (3, 4), b = (3, 0): |a-b| = 4, the larger norm 5, <a-b,b> = 0.
  it('is the norm of what is between them over the larger norm', () => {
    const difference = differenceOf(productsOf(Float32Array.of(3, 4), Float32Array.of(3, 0)), 0);
    expect(difference).toEqual({ distance: 0.8, stretch: 0 });
  });

  it('has what is along the second one apart', () => {
    const { distance, stretch } = differenceOf(productsOf(Float32Array.of(1.05, 0), Float32Array.of(1, 0)), 0);
    expect(distance).toBeCloseTo(0.05 / 1.05, 6);
    expect(stretch).toBeCloseTo(0.05 / 1.05 ** 2, 6);
  });

  it('is measured against no less than what matters, and nothing differs from nothing', () => {
    const tiny = productsOf(Float32Array.of(2e-6, 0), Float32Array.of(1e-6, 0));
    expect(differenceOf(tiny, 0).distance).toBeCloseTo(0.5, 6);
    expect(differenceOf(tiny, 1e-3).distance).toBeCloseTo(1e-3, 8);
    expect(differenceOf(productsOf(new Float32Array(2), new Float32Array(2)), 0)).toEqual({ distance: 0, stretch: 0 });
  });

  it('of blocks of different lengths is a fault', () => {
    expect(() => productsOf(new Float32Array(2), new Float32Array(3))).toThrow(RangeError);
  });
});

describe('two losses', () => {
  it('differ by parts of the larger one, and of no less than what can be told apart', () => {
    expect(lossDifference(6, 8, 10, 0.1)).toBeCloseTo(0.25, 12);
    expect(lossDifference(0.001, 0.003, 10, 0.1)).toBeCloseTo(0.002, 12);
  });
});

describe('a claim that differs from what others found', () => {
  const truth = made(
    [
      [5, [1, 2, 2]],
      ['head', [0, 4, 3]],
    ],
    7,
  );
  const lie = (change: (values: Float32Array) => Float32Array, block: Block = 'head'): Made => ({
    ...truth,
    parts: new Map([...truth.parts].map(([part, values]) => [part, part === block ? change(values) : values])),
  });
  const words = (claimed: Made): string | null => {
    const mismatch = mismatchOf(claimed, truth, 10, SINGLE, nothing);
    return mismatch === null ? null : mismatchWords(mismatch);
  };

  it.each<[string, Made, string | null]>([
    ['the same', truth, null],
    ['rounded', lie((v) => v.map((x) => x * (1 + 1e-6))), null],
    [
      'scaled',
      lie((v) => v.map((x) => 1.05 * x)),
      'its gradient of the head was 1.05 times what others computed from the same samples',
    ],
    ['flipped', lie((v) => v.map((x) => -x), 5), 'its gradient of layer 5 pointed the other way'],
    ['zeroed', lie((v) => v.map(() => 0)), 'its gradient of the head was zero where others found that it is not'],
    // (0, 4, 3) and (0.5, 4, 3): 0.5 beside a norm of 5.025.
    [
      'bent',
      lie((v) => v.map((x, i) => (i === 0 ? 0.5 : x))),
      'its gradient of the head was off by 10 % of what others computed from the same samples',
    ],
    ['another loss', { ...truth, lossSum: 6.3 }, 'it said that its loss was 6.300 where others computed 7.000'],
    [
      'a loss that is no number',
      { ...truth, lossSum: Number.NaN },
      'it said that its loss was NaN where others computed 7.000',
    ],
    [
      'values that are no numbers',
      lie((v) => v.map(() => Number.NaN), 5),
      expect.stringContaining('its gradient of layer 5'),
    ],
  ])('is told: %s', (_, claimed, sentence) => {
    expect(words(claimed)).toEqual(sentence);
  });

  it('is one where the other has no such block, and none where the other has more', () => {
    expect(mismatchOf(truth, made([[5, [1, 2, 2]]], 7), 10, SINGLE, nothing)).toMatchObject({ of: 'head' });
    expect(mismatchOf(made([[5, [1, 2, 2]]]), truth, 10, SINGLE, nothing)).toBeNull();
  });

  it('is told of the part that is worst, and hidden states are parts as well', () => {
    const sent = made([
      ['up', [1, 1]],
      ['down', [1, 1]],
    ]);
    const lied = made([
      ['up', [1.01, 1]],
      ['down', [2, 1]],
    ]);
    const mismatch = mismatchOf(lied, sent, 10, SINGLE, nothing);
    expect(mismatch?.of).toBe('down');
    expect(mismatchWords(mismatch!)).toContain('what it sent down was off by');
  });

  it('of one twentieth shows in half precision, too', () => {
    expect(
      mismatchOf(
        lie((v) => v.map((x) => 1.05 * x)),
        truth,
        10,
        HALF,
        nothing,
      ),
    ).not.toBeNull();
    expect(
      mismatchOf(
        lie((v) => v.map((x, i) => (i === 0 ? 0.1 : x))),
        truth,
        10,
        HALF,
        nothing,
      ),
    ).toBeNull();
  });
});

describe('what is usual', () => {
  const right = (usual: typeof NOTHING_USUAL, norm: number) => withRight(usual, made([[3, [norm, 0]]]), 4);
  it('is the median norm a sample of what was found right, a hundredth of which does not matter', () => {
    let usual = NOTHING_USUAL;
    expect(leastOf(usual, 3, 8)).toBe(0);
    for (const norm of [4, 8, 400]) usual = right(usual, norm);
    expect(leastOf(usual, 3, 8)).toBeCloseTo(0.01 * 8 * 2, 12);
    expect(leastOf(usual, 2, 8)).toBe(0);
    for (let i = 0; i < 16; i++) usual = right(usual, 12);
    expect(leastOf(usual, 3, 1)).toBeCloseTo(0.03, 12);
  });
});
