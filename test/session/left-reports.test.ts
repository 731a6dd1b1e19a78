import { describe, expect, it } from 'vitest';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { roundsUntil, withLeft } from '../../web/session/held/left-reports.ts';

const report = (round: number, loss = round, devices: RoundReport['devices'] = []): RoundReport => ({
  ...{ round, loss, devices, planVersion: 1, learningRate: 0.1, gradientNorm: 1, elapsedSeconds: 1, reassigned: 0 },
});
const seen = (reports: readonly RoundReport[]) => reports.map(({ round, loss }) => [round, loss]);
const DEVICE = {
  ...{ device: 'aaaaaaaa', samples: 1, deepestDepth: 1 },
  ...{ computeSeconds: 1, uploadSeconds: 1, uploadBits: 1 },
};

describe('what a device keeps of the rounds as the host told them', () => {
  it('is each one once; rounds that are done again take the place of those that were undone', () => {
    const told = [1, 2, 3, 4].map((round) => report(round)).reduce(withLeft, []);
    expect(seen(withLeft(told, report(3, 0.5)))).toEqual([
      [1, 1],
      [2, 2],
      [3, 0.5],
    ]);
  });

  it('is of the last 256 rounds', () => {
    const many = Array.from({ length: 300 }, (_, i) => report(i + 1)).reduce(withLeft, [] as readonly RoundReport[]);
    expect([many.length, many[0]?.round, many.at(-1)?.round]).toEqual([256, 45, 300]);
  });
});

describe('whoever leads after a host', () => {
  it('knows rounds of which the server, that was away, told nothing, or what was undone, and none that it does not hold', () => {
    const told = [report(1, 1, [DEVICE]), report(2, 2, [DEVICE]), report(3, 9, [DEVICE])];
    const left = [2, 3, 4, 5].map((round) => report(round));
    const rounds = roundsUntil(4, told, left);
    expect(seen(rounds)).toEqual([1, 2, 3, 4].map((round) => [round, round]));
    // What the server told says more of the same round.
    expect(rounds.map(({ devices }) => devices.length)).toEqual([1, 1, 0, 0]);
  });
});
