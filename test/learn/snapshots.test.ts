import { describe, expect, it } from 'vitest';
import type { Learner } from '../../worker/learn/learner.ts';
import { createAdamWState } from '../../worker/learn/optimiser.ts';
import { SNAPSHOT_ROUNDS, Snapshots } from '../../worker/learn/snapshots.ts';

const VALUES = 1000;
/** Three vectors of f32. */
const BYTES = 3 * 4 * VALUES;

/** A learner whose values are the round. */
function learnerAt(round: number): Learner {
  const optimiser = createAdamWState(VALUES);
  optimiser.steps = round;
  optimiser.firstMoment.fill(10 * round);
  return {
    layout: { length: VALUES, layers: [], head: undefined! },
    values: new Float32Array(VALUES).fill(round),
    optimiser,
    groups: [],
  };
}

function kept(rounds: number, maxBytes?: number): Snapshots<string> {
  const snapshots = new Snapshots<string>(maxBytes);
  for (let round = 0; round <= rounds; round++) snapshots.keep(round, learnerAt(round), `after ${round}`);
  return snapshots;
}

describe('snapshots', () => {
  it('bring back what was after any of the last 64 rounds', () => {
    for (const back of [100, 99, 50, 101 - SNAPSHOT_ROUNDS]) {
      const learner = learnerAt(200);
      expect(kept(100).goBack(back, learner)).toEqual({ round: back, besides: `after ${back}` });
      expect([learner.values[7], learner.optimiser.steps, learner.optimiser.firstMoment[0]]).toEqual([
        back,
        back,
        10 * back,
      ]);
    }
  });

  it('of a model for which there is not the room are fewer: it goes a few rounds further back', () => {
    // Room for nine: every eighth round of 64, and one more.
    const snapshots = kept(100, 9 * BYTES);
    const learner = learnerAt(200);
    expect(snapshots.goBack(95, learner)?.round).toBe(88);
    expect(kept(100, 9 * BYTES).goBack(40, learner)?.round).toBe(40);
    expect(kept(100, 9 * BYTES).goBack(39, learner)?.round).toBe(32);
  });

  it('go back as far as there are any, and nowhere where there are none', () => {
    expect(kept(100).goBack(3, learnerAt(0))?.round).toBe(36);
    expect(new Snapshots<string>().goBack(3, learnerAt(0))).toBeNull();
  });

  it('of rounds that were undone are gone', () => {
    const snapshots = kept(100);
    const learner = learnerAt(0);
    snapshots.goBack(60, learner);
    expect(snapshots.goBack(90, learner)?.round).toBe(60);
    learner.values.fill(77);
    snapshots.keep(61, learner, 'again');
    expect(snapshots.goBack(90, learnerAt(0))).toEqual({ round: 61, besides: 'again' });
  });

  it('are handed over once, in the order of their rounds, and taken by another', () => {
    const own = kept(5);
    const past = own.handOver();
    expect(past.map(({ version, steps, values }) => [version, steps, values[0]])).toEqual(
      [0, 1, 2, 3, 4, 5].map((round) => [round, round, round]),
    );
    expect(own.goBack(3, learnerAt(0))).toBeNull();
    const other = new Snapshots<string>();
    other.take(past, (round) => `taken ${round}`);
    const learner = learnerAt(9);
    expect(other.goBack(3, learner)).toEqual({ round: 3, besides: 'taken 3' });
    expect([learner.values[7], learner.optimiser.steps, learner.optimiser.firstMoment[0]]).toEqual([3, 3, 30]);
  });

  it.each<[string, (learner: Learner) => void, number | null]>([
    ['led to it stay, and later ones go', () => undefined, 60],
    ['led to other values go', ({ values }) => values.set([0.5], 7), null],
    ['led to another moment go', ({ optimiser }) => optimiser.firstMoment.set([0.5], 7), null],
    ['had another second moment go', ({ optimiser }) => optimiser.secondMoment.set([0.5], 7), null],
    ['took other steps go', ({ optimiser }) => void optimiser.steps++, null],
  ])('of a past that %s', (_, change, expected) => {
    const snapshots = kept(100);
    const learner = learnerAt(60);
    change(learner);
    snapshots.follow(60, learner);
    expect(snapshots.goBack(90, learnerAt(0))?.round ?? null).toBe(expected);
  });
});
