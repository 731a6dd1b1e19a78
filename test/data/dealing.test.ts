import { expect, test } from 'vitest';
import type { Block } from '../../signaling/protocol/round.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import { rowsOf } from '../../worker/data/batches.ts';
import { dealByLength } from '../../worker/data/dealing.ts';
import { seededRandom } from '../../worker/data/seeded-random.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { mergeGradients } from '../../worker/learn/merge.ts';
import { runOrder } from '../../worker/learn/trainer.ts';

const ranges = (...counts: readonly number[]) => counts.map((count, i) => ({ start: sum(counts.slice(0, i)), count }));
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

test('long and short samples are dealt out so that each range has its share of the tokens', () => {
  // 100 tokens for 4 samples: 50 for each range of two.
  expect(dealByLength([40, 10, 30, 20], ranges(2, 2))).toEqual([1, 0, 3, 2]);
  // A range of one gets a sample next to the mean of 25.
  expect([30, 20]).toContain([40, 10, 30, 20][dealByLength([40, 10, 30, 20], ranges(3, 1))[3]!]);
});

test('one range, or ranges that do not cover the round once, get the samples from the shortest to the longest', () => {
  const lengths = [4, 2, 9, 2];
  const byLength = [1, 3, 0, 2];
  expect(dealByLength(lengths, ranges(4))).toEqual(byLength);
  // Members of one team name the same range.
  expect(dealByLength(lengths, [...ranges(4), ...ranges(4)])).toEqual(byLength);
  expect(dealByLength(lengths, [])).toEqual(byLength);
  expect(dealByLength(lengths, ranges(3))).toEqual(byLength);
  expect(dealByLength(lengths, [...ranges(2, 2), { start: 1, count: 2 }])).toEqual(byLength);
});

test('tokens a sample hardly differ between ranges, and no sample is dealt twice', () => {
  const random = seededRandom(11);
  for (const counts of [
    [8, 8],
    [4, 12],
    [5, 5, 6],
    [2, 6, 8],
    [4, 4, 4, 4],
    [1, 15],
  ]) {
    const worst: number[] = [];
    for (let trial = 0; trial < 50; trial++) {
      // Skewed like texts are: many short ones, some three times the mean.
      const lengths = Array.from({ length: 16 }, () => 4 + Math.round(-18 * Math.log(1 - 0.98 * random())));
      const dealt = dealByLength(lengths, ranges(...counts));
      expect(dealt.toSorted((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
      const mean = sum(lengths) / 16;
      const means = ranges(...counts).map(({ start, count }) => {
        const own = dealt.slice(start, start + count).map((row) => lengths[row]!);
        expect(own).toEqual(own.toSorted((a, b) => a - b));
        return sum(own) / count / mean;
      });
      // What a range of one is dealt can be no nearer than its nearest sample.
      worst.push(Math.max(...means));
    }
    const typical = worst.toSorted((a, b) => a - b)[25]!;
    expect(typical).toBeLessThan(Math.min(...counts) === 1 ? 1.1 : 1.05);
  }
});

/** The round's gradient as devices of these ranges compute it and the host merges it. */
async function merged(counts: readonly number[], exact: boolean) {
  const model = await randomModel({ layers: 2, lengths: [12, 3, 7, 9, 1, 5], tokens: 12 });
  const engine = await createReferenceEngine(model);
  await engine.setParameters(model.parameters);
  const cut = ranges(...counts);
  const batch = rowsOf(model.batch, dealByLength(model.batch.lengths, cut));
  const parts: { block: Block; samples: { start: number; count: number }; gradient: Float32Array }[] = [];
  for (const samples of cut) {
    const { start, count } = samples;
    const own = rowsOf(
      batch,
      Array.from({ length: count }, (_, i) => start + i),
    );
    const order = { round: 3, batch: own, layers: [0, 1], head: true, microBatch: 2 };
    for await (const part of runOrder(engine, { ...order, dropout: { probability: 0.3, seed: 5 } }, async () => {})) {
      if (part.kind !== 'gradient') continue;
      // Whole numbers add up without rounding, so that what is left of a difference is the dealing's own.
      const values = exact
        ? part.gradient.map((_, i) => sum([...own.positions].map((position) => (position + 1) * (i + 1))))
        : part.gradient;
      parts.push({ block: part.block, samples, gradient: values });
    }
  }
  return mergeGradients({ layout: engine.layout, samples: 6 }, parts);
}

test('the merged gradient is the same whatever the dealing: dropout goes by the place in the draw', async () => {
  const whole = await merged([6], false);
  for (const counts of [
    [3, 3],
    [1, 5],
    [2, 2, 2],
  ]) {
    const other = await merged(counts, false);
    const largest = Math.max(...whole.map(Math.abs));
    for (const [i, value] of whole.entries()) expect(Math.abs(other[i]! - value)).toBeLessThan(2e-6 * largest);
  }
});

test('and to the bit where nothing is rounded', async () => {
  const whole = await merged([6], true);
  expect(whole.some((value) => value !== 0)).toBe(true);
  for (const counts of [
    [3, 3],
    [1, 5],
    [2, 2, 2],
  ])
    expect(await merged(counts, true)).toEqual(whole);
});
