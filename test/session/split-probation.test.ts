import { describe, expect, it } from 'vitest';
import {
  type ConductEffect,
  type ConductEvent,
  type ConductState,
  isOnProbation,
  NO_CONDUCT,
  probationOf,
  stepConduct,
} from '../../web/session/rounds/probation.ts';

const SECOND = 1000;

/** Conduct of the stages of a split room, a second each round. */
class Told {
  state: ConductState = NO_CONDUCT;
  effects: ConductEffect[] = [];
  round = 0;

  plays(late: readonly string[] = []): void {
    this.begins(1);
    const delivered = ['host', 'good'];
    this.take({ type: 'outcome', of: 'round', round: this.round, late, failed: [], delivered, atMs: this.atMs });
  }

  begins(rounds: number, atMs = this.atMs + rounds * SECOND): readonly ConductEffect[] {
    this.round += rounds;
    this.#atMs = atMs;
    return this.take({ type: 'split-round', round: this.round, atMs });
  }

  take(event: ConductEvent): readonly ConductEffect[] {
    const { state, effects } = stepConduct(this.state, event);
    this.state = state;
    this.effects.push(...effects);
    return effects;
  }

  get atMs(): number {
    return this.#atMs;
  }
  #atMs = 0;
}

describe('a stage of a split room', () => {
  it('that was late twice rests for 1, 2, 4 rounds, is back without a trial, and its lapses stay known', () => {
    const told = new Told();
    told.plays(['slow']);
    expect(isOnProbation(told.state, 'slow')).toBe(false);
    told.plays(['slow']);
    expect(probationOf(told.state, 'slow')).toEqual({ why: 'late', since: 2, next: 3 });
    for (const pause of [1, 2, 4]) {
      for (let rounds = 0; rounds < pause; rounds++) {
        told.plays();
        expect(isOnProbation(told.state, 'slow')).toBe(true);
      }
      // It has a place again, and once is enough now.
      told.plays(['slow']);
      expect(told.effects.at(-2)).toEqual({
        ...{ type: 'standing', device: 'slow', probation: null, was: true, measured: null },
      });
      expect(isOnProbation(told.state, 'slow')).toBe(true);
    }
    expect(told.effects.some(({ type }) => type === 'try')).toBe(false);
  });

  it('rests no longer than five minutes, and not at all where nobody was in time', () => {
    const told = new Told();
    for (const _ of [1, 2, 3, 4]) told.plays(['host', 'good']);
    expect(told.effects).toEqual([]);
    for (const _ of [1, 2]) told.plays(['slow']);
    expect(told.begins(1, told.atMs + 300_000)).toHaveLength(1);
  });
});
