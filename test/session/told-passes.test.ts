import { describe, expect, it } from 'vitest';
import type { Passed } from '../../web/session/rounds/split/split-round.ts';
import { passesEach, toldPasses } from '../../web/session/rounds/split/told-passes.ts';

const up = (microBatch: number, sinceSeconds: number, seconds: number): Passed => ({
  ...{ microBatch, direction: 'up', sinceSeconds, seconds },
});
const down = (microBatch: number, sinceSeconds: number, seconds: number): Passed => ({
  ...{ microBatch, direction: 'down', sinceSeconds, seconds },
});

describe('a stage’s passes on the host’s clock', () => {
  it('end where the host heard that the stage was done; what is left came before the first', () => {
    // Sent at 0.5 and done 4 s later; by its own clock the stage began at 0 and ended at 3: it could begin at 1.5.
    const passed = [up(0, 0.25, 0.5), up(1, 0.75, 0.5), down(0, 2, 0.5), down(1, 2.5, 0.5)];
    expect(toldPasses(passed, { startSeconds: 0.5, elapsedSeconds: 4, computeSeconds: 2, most: 9 })).toEqual({
      downSeconds: 1,
      passes: [
        { microBatch: 0, direction: 'up', startSeconds: 1.75, seconds: 0.5 },
        { microBatch: 1, direction: 'up', startSeconds: 2.25, seconds: 0.5 },
        { microBatch: 0, direction: 'down', startSeconds: 3.5, seconds: 0.5 },
        { microBatch: 1, direction: 'down', startSeconds: 4, seconds: 0.5 },
      ],
    });
  });

  it('had their input when it came, which is not after they began', () => {
    const given = [{ ...up(0, 0.5, 0.5), cameSeconds: 0.25 }, { ...down(0, 1, 0.5), cameSeconds: 9 }, up(1, 2, 1)];
    const { passes } = toldPasses(given, { startSeconds: 0.5, elapsedSeconds: 4, computeSeconds: 2, most: 9 });
    expect(passes.map(({ startSeconds, cameSeconds }) => [startSeconds, cameSeconds])).toEqual([
      [2, 1.75],
      [2.5, 2.5],
      [3.5, undefined],
    ]);
  });

  it('lie between order and report, whatever the stage says', () => {
    const { downSeconds, passes } = toldPasses([up(0, 1, 5), down(0, 100, 7)], {
      ...{ startSeconds: 0.5, elapsedSeconds: 2, computeSeconds: 2, most: 9 },
    });
    expect(downSeconds).toBe(0);
    expect(passes.map(({ startSeconds, seconds }) => [startSeconds, seconds])).toEqual([
      [1.5, 1],
      [2.5, 0],
    ]);
  });

  it('are told to a hundredth of a millisecond, in the order of their time', () => {
    const { passes } = toldPasses([up(1, 0.5, 0.25), up(0, 1 / 3, 1 / 9)], {
      ...{ startSeconds: 0, elapsedSeconds: 0.75, computeSeconds: 0.5, most: 9 },
    });
    expect(passes.map(({ microBatch, startSeconds, seconds }) => [microBatch, startSeconds, seconds])).toEqual([
      [0, 0.33333, 0.11111],
      [1, 0.5, 0.25],
    ]);
  });

  it('are the first and the very last of many, so that its end is right', () => {
    const many = Array.from({ length: 10 }, (_, j) => up(j, j, 1));
    const { passes, downSeconds } = toldPasses(many, {
      startSeconds: 1,
      elapsedSeconds: 12,
      computeSeconds: 10,
      most: 4,
    });
    expect(downSeconds).toBe(2);
    expect(passes.map(({ microBatch, startSeconds }) => [microBatch, startSeconds])).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
      [9, 12],
    ]);
  });

  it('are none of a stage that told none: then what it did not compute lies before', () => {
    expect(toldPasses([], { startSeconds: 1, elapsedSeconds: 3, computeSeconds: 1, most: 4 })).toEqual({
      downSeconds: 2,
      passes: [],
    });
  });

  it('are 128 of a stage, and 512 of a round, which fit into a message', () => {
    expect([1, 4, 5, 64, 128, 0].map(passesEach)).toEqual([128, 128, 102, 8, 4, 128]);
  });
});
