import { describe, expect, it } from 'vitest';
import { fromHalf, toHalf } from '../../signaling/protocol/exchange/half.ts';
import { firstRowsOf, packBatch } from '../../worker/engine/webgpu/packing.ts';

describe('a batch without its padding', () => {
  const batch = {
    ids: Int32Array.of(0, 7, 2, 0, 2, 1),
    lengths: Int32Array.of(3, 2),
    labels: Float32Array.of(1, -0.5),
    positions: Int32Array.of(4, 9),
    tokens: 3,
  };
  const packed = packBatch(batch, 1);

  it('holds the real tokens of all samples one after the other', () => {
    expect(packed).toMatchObject({ rows: 5, samples: 2, longest: 3 });
    // Position id, token, position in the round, token id: positions begin after the padding's.
    expect([...packed.rowTable]).toEqual([2, 0, 4, 0, 3, 1, 4, 7, 4, 2, 4, 2, 2, 0, 9, 0, 3, 1, 9, 2]);
    expect([...packed.sampleTable.subarray(0, 3)]).toEqual([0, 3, 4]);
    expect([...packed.sampleTable.subarray(4, 7)]).toEqual([3, 2, 9]);
  });

  it('has the first tokens where each sample begins', () => {
    expect(firstRowsOf(packed)).toEqual([0, 3]);
  });

  it('without ids has rows all the same', () => {
    expect(packBatch({ ...batch, ids: new Int32Array(0) }, 1)).toMatchObject({ rows: 5, samples: 2, longest: 3 });
  });
});

describe('half precision', () => {
  it('rounds to nearest even', () => {
    const cases: readonly (readonly [number, number])[] = [
      [0, 0x0000],
      [-0, 0x8000],
      [1, 0x3c00],
      [-2.5, 0xc100],
      [65_504, 0x7bff],
      [65_519, 0x7bff],
      [65_520, 0x7c00],
      [Number.NEGATIVE_INFINITY, 0xfc00],
      [Number.NaN, 0x7e00],
      // Half-way between 1 and the next value goes to the even one, half-way above that up.
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [2 ** -14, 0x0400],
      [2 ** -24, 0x0001],
      [2 ** -25, 0x0000],
      [1.5 * 2 ** -25, 0x0001],
      [3 * 2 ** -25, 0x0002],
      [1023.5 * 2 ** -24, 0x0400],
    ];
    const halves = toHalf(Float32Array.from(cases, ([value]) => value));
    expect([...halves].map((h) => h.toString(16))).toEqual(cases.map(([, half]) => half.toString(16)));
  });

  it('gives back every finite half', () => {
    const all = Uint16Array.from({ length: 0x7c00 }, (_, i) => i);
    expect(toHalf(fromHalf(all))).toEqual(all);
    expect([...fromHalf(Uint16Array.of(0xc100, 0x7c00, 0x0001))]).toEqual([-2.5, Number.POSITIVE_INFINITY, 2 ** -24]);
  });
});
