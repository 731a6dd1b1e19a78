import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import {
  holdsRun,
  microBatchSizes,
  partOf,
  StageSchema,
  UnitRunSchema,
  wholePart,
  wholeRun,
} from '../../signaling/protocol/split.ts';

describe('runs of units', () => {
  it('are parts of the model: embeddings, layers counted from 0, and the head', () => {
    const part = (from: number, to: number) => partOf({ from, to }, 6);
    expect(part(0, 1)).toEqual({ embeddings: true, layers: { from: 0, to: 0 }, head: false });
    expect(part(0, 3)).toEqual({ embeddings: true, layers: { from: 0, to: 2 }, head: false });
    expect(part(3, 7)).toEqual({ embeddings: false, layers: { from: 2, to: 6 }, head: false });
    expect(part(6, 8)).toEqual({ embeddings: false, layers: { from: 5, to: 6 }, head: true });
    expect(part(7, 8)).toEqual({ embeddings: false, layers: { from: 6, to: 6 }, head: true });
    expect(partOf(wholeRun(6), 6)).toEqual(wholePart(6));
  });

  it('are held by who has all of their units', () => {
    const held = { from: 2, to: 5 };
    expect(
      [
        { from: 2, to: 5 },
        { from: 3, to: 4 },
      ].map((run) => holdsRun(held, run)),
    ).toEqual([true, true]);
    expect(
      [
        { from: 1, to: 5 },
        { from: 2, to: 6 },
      ].map((run) => holdsRun(held, run)),
    ).toEqual([false, false]);
    expect([holdsRun(null, held), holdsRun(undefined, held)]).toEqual([false, false]);
  });

  it('are refused where they are empty, run backwards, or lie outside any model', () => {
    const takes = (from: unknown, to: unknown) => v.is(UnitRunSchema, { from, to });
    expect([takes(0, 1), takes(65, 66)]).toEqual([true, true]);
    expect([takes(1, 1), takes(2, 1), takes(-1, 1), takes(0.5, 2), takes(0, 67), takes(0, '1')]).toEqual(
      Array(6).fill(false),
    );
    const stage = { pipeline: 0, index: 0, from: 0, to: 1, window: 0, microBatches: 1 };
    expect(v.is(StageSchema, stage)).toBe(true);
    for (const change of [{ to: 0 }, { index: 64 }, { window: -1 }, { microBatches: 0 }, { pipeline: -1 }, { more: 1 }])
      expect(v.is(StageSchema, { ...stage, ...change })).toBe(false);
  });
});

it('micro-batches differ by one sample at most, the larger ones first', () => {
  expect(microBatchSizes(16, 4)).toEqual([4, 4, 4, 4]);
  expect(microBatchSizes(11, 4)).toEqual([3, 3, 3, 2]);
  expect(microBatchSizes(3, 3)).toEqual([1, 1, 1]);
  for (let samples = 1; samples < 20; samples++)
    for (let m = 1; m <= samples; m++) expect(microBatchSizes(samples, m).reduce((a, b) => a + b)).toBe(samples);
});
