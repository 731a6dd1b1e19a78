import { expect, test } from 'vitest';
import { createSampler, rowsOf, tokenBatch } from '../../worker/data/batches.ts';
import { mixSeed, seededRandom, shuffledIndices } from '../../worker/data/seeded-random.ts';

const rounds = (draw: (round: number) => number[], count: number) =>
  Array.from({ length: count }, (_, i) => draw(i + 1)).flat();

test('an epoch holds every example once, wherever the rounds cut it', () => {
  const drawn = rounds(createSampler(10, 4, 1), 5);
  expect([...drawn.slice(0, 10)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect([...drawn.slice(10)].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(drawn.slice(0, 10)).not.toEqual(drawn.slice(10));
});

test('a round depends on the seed and its number alone', () => {
  const straight = createSampler(100, 7, 42);
  const all = Array.from({ length: 40 }, (_, i) => straight(i + 1));
  const backwards = createSampler(100, 7, 42);
  for (let round = 40; round >= 1; round--) expect(backwards(round)).toEqual(all[round - 1]);
  expect(createSampler(100, 7, 43)(1)).not.toEqual(all[0]);
});

test('known draws: what one machine trains on, every machine does', () => {
  expect(createSampler(1000, 4, 7)(1)).toMatchInlineSnapshot(`
    [
      368,
      587,
      710,
      60,
    ]
  `);
  expect(createSampler(1000, 4, 7)(251)).toMatchInlineSnapshot(`
    [
      872,
      20,
      172,
      978,
    ]
  `);
});

test('rounds may be larger than the data', () => {
  const drawn = createSampler(3, 8, 5)(1);
  expect(drawn).toHaveLength(8);
  expect([...drawn.slice(0, 3)].sort()).toEqual([0, 1, 2]);
  expect([...drawn.slice(3, 6)].sort()).toEqual([0, 1, 2]);
});

test('the shuffle favours no place: each of 4 values is first about a quarter of the time', () => {
  const first = [0, 0, 0, 0];
  for (let seed = 0; seed < 4000; seed++) first[shuffledIndices(4, seededRandom(mixSeed(seed, 0)))[0]!]! += 1;
  for (const count of first) expect(Math.abs(count - 1000)).toBeLessThan(120); // 4.4 standard deviations
});

test('a batch is padded to its longest row', () => {
  const examples = [
    { text: 'ab', pair: 'c', label: 1 },
    { text: 'd', pair: null, label: 0.5 },
  ];
  expect(tokenBatch(examples, [[97, 98, 99], [100]], 9)).toEqual({
    ids: new Int32Array([97, 98, 99, 100, 9, 9]),
    lengths: new Int32Array([3, 1]),
    labels: new Float32Array([1, 0.5]),
    positions: new Int32Array([0, 1]),
    tokens: 3,
  });
});

test('rows of a batch keep their ids, labels and positions, and lose the padding that they do not need', () => {
  const batch = {
    ids: new Int32Array([1, 2, 3, 0, 4, 0, 0, 0, 5, 6, 7, 8]),
    lengths: new Int32Array([3, 1, 4]),
    // Two labels a sample.
    labels: new Float32Array([0, 1, 1, 0, 1, 1]),
    positions: new Int32Array([7, 3, 5]),
    tokens: 4,
  };
  expect(rowsOf(batch, [1, 0])).toEqual({
    ids: new Int32Array([4, 0, 0, 1, 2, 3]),
    lengths: new Int32Array([1, 3]),
    labels: new Float32Array([1, 0, 0, 1]),
    positions: new Int32Array([3, 7]),
    tokens: 3,
  });
});
