import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Checkpoints } from '../../web/session/own/checkpoints.ts';

let kept: number[];
let problems: string[];
let round: number;
/** How long keeping takes. */
let takesMs: number;
let refusal: string | null;
let checkpoints: Checkpoints;

beforeEach(() => {
  vi.useFakeTimers();
  [kept, problems, round, takesMs, refusal] = [[], [], 0, 0, null];
  checkpoints = new Checkpoints({
    keep: async () => {
      const now = round;
      if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
      if (refusal !== null) throw new Error(refusal);
      return now;
    },
    onKept: (of) => kept.push(of),
    onProblem: (sentence) => problems.push(sentence),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

async function rounds(count: number, everyMs: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await vi.advanceTimersByTimeAsync(everyMs);
    checkpoints.roundDone(++round);
  }
  await vi.advanceTimersByTimeAsync(takesMs);
}

describe('checkpoints', () => {
  it('come with the first round, then every ten', async () => {
    await rounds(41, 500);
    expect(kept).toEqual([1, 11, 21, 31, 41]);
  });

  it('come after twenty seconds where rounds are slow', async () => {
    await rounds(7, 7000);
    expect(kept).toEqual([1, 4, 7]);
  });

  it('come no more often than every two seconds where rounds are quick', async () => {
    await rounds(101, 50);
    expect(kept).toEqual([1, 41, 81]);
  });

  it('take no more than a twentieth of the time', async () => {
    takesMs = 1000;
    await rounds(100, 500);
    // 20 s after each of them.
    expect(kept).toEqual([1, 43, 85]);
  });

  it('come at once when they are asked for, one after the other', async () => {
    takesMs = 100;
    await rounds(3, 10);
    const first = checkpoints.now();
    round = 4;
    const second = checkpoints.now();
    await vi.advanceTimersByTimeAsync(500);
    await Promise.all([first, second]);
    expect(kept).toEqual([1, 4, 4]);
  });

  it('that cannot be made are told once for each reason, and go on being tried', async () => {
    refusal = 'The disk is full.';
    await rounds(31, 500);
    expect(problems).toEqual(['The disk is full. Training goes on.']);
    refusal = 'The disk is gone.';
    await rounds(10, 500);
    expect(problems).toHaveLength(2);
    refusal = null;
    await rounds(10, 500);
    expect(kept.length).toBeGreaterThan(0);
  });
});
