import { describe, expect, it } from 'vitest';
import { mixSeed, seededRandom, shuffledIndices } from '../../worker/data/seeded-random.ts';

/** What is drawn decides which samples a round has: a session that goes on elsewhere, or later, must draw the same. */

const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);

/** mulberry32 on 64-bit integers, as its author gives it. */
function* mulberry32(seed: number): Generator<number> {
  let state = u32(BigInt(seed));
  for (;;) {
    state = u32(state + 0x6d2b79f5n);
    let z = u32((state ^ (state >> 15n)) * (state | 1n));
    z ^= u32(z + u32((z ^ (z >> 7n)) * (z | 61n)));
    yield Number(z ^ (z >> 14n)) / 2 ** 32;
  }
}

/** MurmurHash3's finaliser over one key after the other. */
function murmur(keys: readonly number[]): number {
  let hash = 0x9e3779b9n;
  for (const key of keys) {
    hash ^= u32(BigInt(key));
    hash = u32((hash ^ (hash >> 16n)) * 0x85ebca6bn);
    hash = u32((hash ^ (hash >> 13n)) * 0xc2b2ae35n);
    hash ^= hash >> 16n;
  }
  return Number(hash);
}

describe('seeded draws', () => {
  it.each([0, 1, 7, 0x7fffffff, 0xffffffff])('from %i are those of mulberry32', (seed) => {
    const [random, expected] = [seededRandom(seed), mulberry32(seed)];
    for (let i = 0; i < 50; i++) expect(random()).toBe(expected.next().value);
  });

  it.each([[[]], [[0]], [[1, 2, 3]], [[0xffffffff, 5]], [[7, -1]]])('from the keys %j have their own seed', (keys) => {
    expect(mixSeed(...keys)).toBe(murmur(keys));
  });

  it('shuffle by Fisher and Yates: from the last place down, each with one of those up to it', () => {
    const draws = [0.999, 0, 0.5, 0.25];
    // Place 4 with floor(0.999 * 5) = 4: 0 1 2 3 4; 3 with 0: 3 1 2 0 4; 2 with floor(0.5 * 3) = 1: 3 2 1 0 4; 1 with 0: 2 3 1 0 4.
    expect([...shuffledIndices(5, () => draws.shift()!)]).toEqual([2, 3, 1, 0, 4]);
    expect([...shuffledIndices(1, () => expect.unreachable('one needs no draw'))]).toEqual([0]);
    const many = shuffledIndices(1000, seededRandom(3));
    expect(new Set(many).size).toBe(1000);
    // Where a number stands says nothing of the number: the correlation of 1,000 is within 5 / sqrt(1000).
    const correlation = many.reduce((sum, value, i) => sum + (value - 499.5) * (i - 499.5), 0) / (1000 ** 3 / 12);
    expect(Math.abs(correlation)).toBeLessThan(0.16);
  });
});
