import { describe, expect, it } from 'vitest';
import { allowancesOf, isScoreDue } from '../../web/session/training/scoring.ts';

describe('a score is due', () => {
  const every = { rounds: 20, evaluateEvery: 5 };

  it('before all, and whenever so many rounds are done since the turn of the last one', () => {
    expect(isScoreDue(every, 0, -1)).toBe(true);
    // Of a session that goes on without any.
    expect(isScoreDue(every, 8, -1)).toBe(true);
    expect([0, 1, 4, 5, 6].map((round) => isScoreDue(every, round, 0))).toEqual([false, false, false, true, true]);
    // That of round 5 was taken late, after round 7: the next one's turn is still 10.
    expect([7, 9, 10].map((round) => isScoreDue(every, round, 7))).toEqual([false, false, true]);
  });

  it('at the end by itself, and in between only where that is asked for', () => {
    expect(isScoreDue(every, 20, 15)).toBe(false);
    expect(isScoreDue({ rounds: 20, evaluateEvery: 0 }, 10, 0)).toBe(false);
    expect(isScoreDue({ rounds: 20, evaluateEvery: 0 }, 0, -1)).toBe(true);
  });
});

describe('beside a round a device may evaluate', () => {
  const assignment = { layers: [0], head: true, microBatch: 4, memoryBytes: 0, share: 1, uploadBits: 0 };
  const work = (device: string, count: number, computeSeconds: number, uploadSeconds: number) => ({
    ...assignment,
    ...{ device, samples: { start: 0, count }, computeSeconds, uploadSeconds },
  });

  it('what the plan leaves it idle and a tenth of the round; without work as much as it can', () => {
    const plan = {
      latencySeconds: 10,
      assignments: [work('busy', 4, 8, 2), work('idle', 4, 3, 1), work('none', 0, 0, 0)],
    };
    expect([...allowancesOf(plan, ['busy', 'idle', 'none', 'new'])]).toEqual([
      ['busy', { seconds: 1, aheadSeconds: 10 }],
      ['idle', { seconds: 7, aheadSeconds: 4 }],
      ['none', { seconds: Infinity, aheadSeconds: 0 }],
      ['new', { seconds: Infinity, aheadSeconds: 0 }],
    ]);
  });
});
