import { describe, expect, it } from 'vitest';
import type { Manner, Planned } from './schedule.ts';
import { judged, type Run } from './verdict.ts';

const ROUNDS = 5;
const LOSSES = [0.7, 0.65, 0.6, 0.55, 0.5];
const history = LOSSES.map((loss, i) => ({ round: i + 1, loss, seconds: 1 }));
const quiet = { history, usualSeconds: 1 };
const fault = (round: number, manner: Manner): Planned => ({ round, phase: 'merge', manner, victim: 0 });
const KILL = fault(2, { kind: 'kill' });
const LIAR = fault(3, { kind: 'liar', lie: 'zeroed' });

/** Reports at these seconds, each of a round. */
const reports = (...told: readonly (readonly [round: number, atSeconds: number])[]): Run['reports'] =>
  told.map(([round, at]) => ({ round, loss: LOSSES[round - 1]!, seconds: 1, atMs: 1000 * at, by: 'host' }));
const struck = (planned: Planned, at: number) => ({ planned, round: planned.round, atMs: 1000 * at, sentence: '' });
const run = (change: Partial<Run> = {}): Run => ({
  ...{ rounds: ROUNDS, planned: [], struck: [], history, held: [], unasked: [], seconds: 5 },
  reports: reports([1, 1], [2, 2], [3, 3], [4, 4], [5, 5]),
  ...change,
});

describe('what is said of a run', () => {
  it('is nothing against a quiet one', () => {
    const { problems, repeated, curveDifference, lost } = judged(run(), quiet);
    expect([problems, repeated, curveDifference, lost]).toEqual([[], 0, 0, {}]);
  });

  it.each<[string, Partial<Run>, string]>([
    ['a round that is lost', { history: history.filter(({ round }) => round !== 3) }, 'Rounds that are lost: 3.'],
    ['a round that is there twice', { history: [...history, history[4]!] }, 'not in their order, each once'],
    ['rounds in another order', { history: [...history].reverse() }, 'not in their order, each once'],
    [
      'a loss that is off by 2e-4',
      { history: history.map((one) => (one.round < 4 ? one : { ...one, loss: one.loss * (1 + 2e-4) })) },
      'From round 4 on the curve is another one',
    ],
    [
      'a loss that is no number',
      { history: history.map((one) => (one.round < 5 ? one : { ...one, loss: Number.NaN })) },
      'From round 5 on the curve is another one',
    ],
    ['a cell that is empty', { planned: [KILL] }, 'kill did not strike in merge.'],
    ['a process that ended by itself', { unasked: ['d1 ended.'] }, 'd1 ended.'],
  ])('is a problem with %s', (_, change, sentence) => {
    expect(judged(run(change), quiet).problems.join()).toContain(sentence);
  });

  it('lets losses differ by what float sums do', () => {
    const near = history.map((one) => ({ ...one, loss: one.loss * (1 + 5e-5) }));
    const { problems, curveDifference } = judged(run({ history: near }), quiet);
    expect(problems).toEqual([]);
    expect(curveDifference).toBeCloseTo(5e-5, 9);
  });

  it('counts what struck in a table', () => {
    const { table, faults } = judged(
      run({ planned: [KILL, LIAR], struck: [struck(KILL, 1.5), struck(LIAR, 2.5)] }),
      quiet,
    );
    expect([faults, table.merge.kill, table.merge.liar, table.merge.stop, table.order.kill]).toEqual([2, 1, 1, 0, 0]);
  });
});

describe('seconds lost', () => {
  it('are what a round took beyond the usual, less what the test held it for, by the last fault', () => {
    const told = run({
      planned: [KILL],
      struck: [struck(KILL, 1.5)],
      // Round 3 took eight seconds, of which the test held the room for two.
      reports: reports([1, 1], [2, 2], [3, 10], [4, 11], [5, 12]),
      held: [[3000, 5000]],
    });
    expect(judged(told, quiet).lost).toEqual({ kill: { faults: 1, seconds: 5, most: 5 } });
  });

  it('are a liar’s where rounds were done again, whatever struck since', () => {
    const told = run({
      planned: [LIAR, KILL],
      struck: [struck(LIAR, 1.5), struck(KILL, 3.5)],
      reports: reports([1, 1], [2, 2], [3, 3], [2, 5], [3, 6], [4, 7], [5, 8]),
    });
    const { lost, repeated } = judged(told, quiet);
    expect(repeated).toBe(2);
    expect(lost.liar).toEqual({ faults: 1, seconds: 3, most: 3 });
    expect(lost.kill).toEqual({ faults: 1, seconds: 0, most: 0 });
  });
});
