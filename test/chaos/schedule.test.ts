import { describe, expect, it } from 'vitest';
import { FAULTS, PHASES } from './cells.ts';
import { ALL_CELLS, LIES_TOLD, QUIET_ROUNDS, type ScheduleRequest, scheduled, someCells } from './schedule.ts';

const whole = (seed: number): ScheduleRequest => ({
  ...{ seed, rounds: 200, evaluateEvery: 10, cells: ALL_CELLS, longestStopSeconds: 30 },
});
const SEEDS = Array.from({ length: 50 }, (_, seed) => seed + 1);

describe('a schedule of faults', () => {
  it('has every cell of phase and fault once, whatever the seed', () => {
    expect(ALL_CELLS).toHaveLength(8 * 10);
    for (const seed of SEEDS) {
      const cells = scheduled(whole(seed)).map(({ phase, manner }) => `${phase} ${manner.kind}`);
      expect([...cells].sort()).toEqual(ALL_CELLS.map((cell) => cell.join(' ')).sort());
    }
  });

  it('is the same for the same seed, and another for another', () => {
    expect(scheduled(whole(3))).toEqual(scheduled(whole(3)));
    expect(scheduled(whole(3))).not.toEqual(scheduled(whole(4)));
  });

  it('leaves rounds before the first fault and after the last, in the order of rounds', () => {
    for (const seed of SEEDS) {
      const rounds = scheduled(whole(seed)).map(({ round }) => round);
      expect(Math.min(...rounds)).toBeGreaterThan(QUIET_ROUNDS.before);
      expect(Math.max(...rounds)).toBeLessThanOrEqual(200 - QUIET_ROUNDS.after);
      expect(rounds).toEqual([...rounds].sort((a, b) => a - b));
    }
  });

  it('has no two faults of one evaluation or checkpoint, and no two others in one round', () => {
    for (const seed of SEEDS) {
      const rounds = (of: (phase: string) => boolean) =>
        scheduled(whole(seed))
          .filter(({ phase }) => of(phase))
          .map(({ round }) => round);
      const rare = (phase: string) => phase === 'evaluation' || phase === 'checkpoint';
      for (const list of [
        rounds((phase) => phase === 'evaluation'),
        rounds((phase) => phase === 'checkpoint'),
        rounds((phase) => !rare(phase)),
      ])
        expect(new Set(list).size).toBe(list.length);
      for (const round of rounds((phase) => phase === 'evaluation')) expect(round % 10).toBe(0);
    }
  });

  it('stops for 1 to 30 seconds, mostly shortly and once for 30', () => {
    const all = SEEDS.map((seed) =>
      scheduled(whole(seed)).flatMap(({ manner }) => (manner.kind === 'stop' ? [manner.seconds] : [])),
    );
    for (const seconds of all) {
      expect(seconds).toHaveLength(PHASES.length);
      expect(seconds.filter((one) => one === 30)).toHaveLength(1);
      expect(Math.min(...seconds)).toBeGreaterThanOrEqual(1);
    }
    const middle = all.flat().sort((a, b) => a - b)[all.flat().length >> 1];
    expect(middle).toBeLessThanOrEqual(6);
  });

  it('for a short trial has every kind of fault and every phase', () => {
    for (const seed of SEEDS) {
      const cells = someCells(seed);
      expect(cells.map(([, fault]) => fault).sort()).toEqual([...FAULTS].sort());
      expect(new Set(cells.map(([phase]) => phase)).size).toBe(PHASES.length);
      const planned = scheduled({ ...whole(seed), rounds: 50, cells, longestStopSeconds: 1 });
      expect(planned).toHaveLength(FAULTS.length);
    }
  });

  it('for a split room has three phases of each kind of fault, every phase three times at least, and lies of stages', () => {
    for (const seed of SEEDS) {
      const cells = someCells(seed, FAULTS, 3);
      expect(new Set(cells.map((cell) => cell.join(' '))).size).toBe(3 * 10);
      for (const phase of PHASES) expect(cells.filter(([one]) => one === phase).length).toBeGreaterThanOrEqual(3);
      const planned = scheduled({ ...whole(seed), rounds: 80, cells, lies: LIES_TOLD.split });
      const lies = planned.flatMap(({ manner }) => (manner.kind === 'liar' ? [manner.lie] : []));
      expect(lies).toHaveLength(3);
      for (const lie of lies) expect(LIES_TOLD.split).toContain(lie);
    }
  });

  it('says how many rounds it needs where there are too few', () => {
    expect(() => scheduled({ ...whole(1), rounds: 100 })).toThrow(/^80 faults need \d+ rounds\.$/);
  });
});
