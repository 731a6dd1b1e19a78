import { describe, expect, it } from 'vitest';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import { seededRandom } from '../../worker/data/seeded-random.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { lengthGroups, microBatches, paddedTokens } from '../../worker/learn/micro-batches.ts';
import { evaluateBatch } from '../../worker/learn/trainer.ts';

/** What `micro-batches.ts` says that starting a group costs. */
const START_TOKENS = 12;
const costOf = (lengths: readonly number[], groups: readonly (readonly number[])[]) =>
  START_TOKENS * groups.length + paddedTokens(lengths, groups);

/** Every way of putting samples into groups of at most `most`, in whatever order. */
function* everyGrouping(samples: readonly number[], most: number): Generator<readonly number[][]> {
  const [first, ...rest] = samples;
  if (first === undefined) return yield [];
  for (const groups of everyGrouping(rest, most)) {
    yield [[first], ...groups];
    for (const [i, group] of groups.entries())
      if (group.length < most) yield groups.map((one, j) => (i === j ? [first, ...group] : one));
  }
}

describe('groups of like lengths', () => {
  it('cost no more than any other grouping', () => {
    const random = seededRandom(3);
    for (let trial = 0; trial < 60; trial++) {
      const lengths = Array.from({ length: 1 + Math.floor(random() * 7) }, () => 1 + Math.floor(random() * 60));
      const most = 1 + Math.floor(random() * 5);
      const samples = lengths.map((_, i) => i);
      const groups = lengthGroups(lengths, most);
      expect(groups.flat().toSorted((a, b) => a - b)).toEqual(samples);
      expect(Math.max(...groups.map((group) => group.length))).toBeLessThanOrEqual(most);
      const least = Math.min(...[...everyGrouping(samples, most)].map((other) => costOf(lengths, other)));
      expect(costOf(lengths, groups)).toBe(least);
    }
  });

  it('weigh padding against the start of another group', () => {
    // Together 2 x 40 and one start of 12; apart 40 + 10 and two: 92 against 74.
    expect(lengthGroups([40, 10], 8)).toEqual([[1], [0]]);
    // 2 x 40 + 12 against 40 + 29 + 24.
    expect(lengthGroups([40, 29], 8)).toEqual([[1, 0]]);
    expect(
      lengthGroups([5, 5, 5], 2)
        .map((group) => group.length)
        .toSorted(),
    ).toEqual([1, 2]);
    expect(lengthGroups([], 4)).toEqual([]);
  });
});

describe('micro-batches', () => {
  const padding = { computesPadding: true };

  it('are padded to their longest, with ids, labels and positions of their samples', async () => {
    const { batch } = await randomModel({ lengths: [60, 3, 58, 9, 1], tokens: 64 });
    const parts = microBatches(padding, batch, 2);
    expect(parts.map(({ rows }) => rows)).toEqual([[4, 1], [3], [2, 0]]);
    expect(parts.map((part) => part.batch.tokens)).toEqual([3, 9, 60]);
    expect(parts.map((part) => [...part.batch.positions])).toEqual([[13, 4], [10], [7, 1]]);
    expect([...parts[0]!.batch.ids.subarray(3)]).toEqual([...batch.ids.subarray(64, 64 + 3)]);
  });

  it('are as few as may be where padding costs nothing', async () => {
    const { batch } = await randomModel({ lengths: [60, 3, 58, 9, 1], tokens: 64 });
    const groups = microBatches({ computesPadding: false }, batch, 3).map(({ rows }) => rows);
    expect(groups).toEqual([
      [4, 1, 3],
      [2, 0],
    ]);
  });

  it('change no logit, whatever their samples and the order of them', async () => {
    const model = await randomModel({ layers: 2, lengths: [50, 3, 29, 9, 1, 44], tokens: 51 });
    const engine = await createReferenceEngine(model);
    await engine.setParameters(model.parameters);
    const want = (await lossAndGradient(engine, model.batch, 0)).logits;
    for (const most of [1, 2, 6]) {
      const got = await evaluateBatch(engine, model.batch, most, async () => {});
      for (const [i, logit] of want.entries()) expect(got[i]).toBeCloseTo(logit, 5);
    }
  });
});
