import { describe, expect, it } from 'vitest';
import { type Chronicle, newChronicle, note, reportsSince } from '../../signaling/connection/chronicle.ts';
import type { RoundReport, ScoreReport } from '../../signaling/protocol/room-view.ts';
import { apply, createRoom, type RoomEvent, type RoomState } from '../../signaling/room/room.ts';
import { SETTINGS } from '../protocol/samples.ts';

const host = { id: 'host', key: 'key-of-host-0000000000', name: 'Host', kind: 'tab' } as const;
const roundReport = (round: number): RoundReport => ({
  round,
  planVersion: 1,
  loss: 1,
  learningRate: 1e-3,
  gradientNorm: 1,
  elapsedSeconds: 1,
  devices: [],
  reassigned: 0,
});
const scoreReport = (round: number): ScoreReport => ({
  round,
  metric: 'accuracy',
  value: 0.5,
  constant: 0.5,
  loss: 1,
  examples: 10,
  elapsedSeconds: 1,
});

/** A room whose events are taken down; what somebody at an edition has not been told, by rounds. */
class Told {
  state: RoomState = createRoom('abc234', host, SETTINGS);
  readonly chronicle: Chronicle = newChronicle(this.state);

  take(event: RoomEvent): number {
    const before = this.state;
    this.state = apply(before, event);
    note(this.chronicle, event, before, this.state);
    return this.chronicle.edition;
  }

  since(edition: number): { rounds: number[]; scores: number[] } {
    const { rounds, scores } = reportsSince(this.chronicle, this.state, edition);
    return { rounds: rounds.map(({ round }) => round), scores: scores.map(({ round }) => round) };
  }
}

describe('reports', () => {
  it('are told once: rounds and scores that came after the edition that somebody has', () => {
    const told = new Told();
    const first = told.take({ type: 'score', report: scoreReport(0) });
    const second = told.take({ type: 'round', report: roundReport(1) });
    const third = told.take({ type: 'score', report: scoreReport(1) });
    expect([first, second, third]).toEqual([2, 3, 4]);
    expect(told.since(1)).toEqual({ rounds: [1], scores: [0, 1] });
    expect(told.since(first)).toEqual({ rounds: [1], scores: [1] });
    expect(told.since(second)).toEqual({ rounds: [], scores: [1] });
    expect(told.since(third)).toEqual({ rounds: [], scores: [] });
  });

  it('of a history are all told again', () => {
    const told = new Told();
    told.take({ type: 'round', report: roundReport(3) });
    const known = told.take({ type: 'score', report: scoreReport(3) });
    told.take({ type: 'history', rounds: [1, 2].map(roundReport), scores: [scoreReport(0)] });
    expect(told.since(known)).toEqual({ rounds: [1, 2, 3], scores: [0, 3] });
  });

  it('are told after thousands of rounds as after the first, and what the room forgot is forgotten here', () => {
    const told = new Told();
    let known = 0;
    for (let round = 1; round <= 2500; round++) {
      if (round === 2500) known = told.chronicle.edition;
      told.take({ type: 'round', report: roundReport(round) });
    }
    expect(told.since(known).rounds).toEqual([2500]);
    expect(told.since(known - 1).rounds).toEqual([2499, 2500]);
    expect(told.chronicle.rounds.size).toBeLessThanOrEqual(2001);
  });
});
