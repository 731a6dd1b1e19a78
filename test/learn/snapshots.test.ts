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
});
