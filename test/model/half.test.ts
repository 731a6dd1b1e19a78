import { describe, expect, it } from 'vitest';
import { fromHalf, halfValue, toHalf } from '../../signaling/protocol/exchange/half.ts';
import { pcg4d } from '../../signaling/protocol/exchange/pcg4d.ts';

const ALL = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
const half = (value: number) => toHalf(Float32Array.of(value))[0]!;

describe('binary16', () => {
  it.each([
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x7bff, 65_504],
    [0x0400, 2 ** -14],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
  ])('%i is %d', (bits, value) => {
    expect(halfValue(bits)).toBe(value);
    expect(half(value)).toBe(bits);
  });

  it('comes back from f32, each of its 65,536 values', () => {
    const back = toHalf(fromHalf(ALL));
    const isNaN16 = (bits: number) => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
    for (const bits of ALL)
      if (isNaN16(bits)) expect(isNaN16(back[bits]!) && Number.isNaN(halfValue(bits))).toBe(true);
      else if (back[bits] !== bits) expect.unreachable(`${bits} comes back as ${back[bits]}`);
    expect(Object.is(halfValue(0x8000), -0)).toBe(true);
  });

  it('half-way between two it is the even one, and a little to either side the nearer', () => {
    for (let bits = 0; bits < 0x7bff; bits += 7) {
      const [low, high] = [halfValue(bits), halfValue(bits + 1)];
      // Exact in f32: eleven bits and one more.
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const step = middle * 2 ** -22;
      const got = [middle, middle - step, middle + step, -middle].map(half);
      expect(got, `between ${low} and ${high}`).toEqual([even, bits, bits + 1, even | 0x8000]);
    }
    expect([65_519.99, 65_520, -65_520].map(half)).toEqual([0x7bff, 0x7c00, 0xfc00]);
    expect([2 ** -25, 2 ** -25 * 1.0001, 2 ** -26].map(half)).toEqual([0, 1, 0]);
  });

  it('is never further from the f32 than its neighbours', () => {
    const words = new Uint32Array(4);
    for (let i = 0; i < 5000; i++) {
      words.set([i, 3, 0, 0]);
      pcg4d(words);
      const value = (words[0]! / 2 ** 31 - 1) * 2 ** ((words[1]! % 40) - 25);
      const bits = half(Math.fround(value));
      const error = (of: number) => Math.abs(halfValue(of) - Math.fround(value));
      for (const other of [bits - 1, bits + 1])
        if ((other & 0x7fff) < 0x7c00 && other >= 0) expect(error(bits)).toBeLessThanOrEqual(error(other));
    }
  });
});
