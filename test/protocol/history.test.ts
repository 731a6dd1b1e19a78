import { describe, expect, it } from 'vitest';
import { MAX_CONTROL_CHARACTERS } from '../../signaling/protocol/limits.ts';
import { parseClientMessage, parseServerMessage } from '../../signaling/protocol/messages.ts';
import type { RoundReport, ScoreReport } from '../../signaling/protocol/room-view.ts';
import { historyMessages, mergedByRound, thinned } from '../../signaling/protocol/telling/history.ts';

const report = (round: number, devices = 0): RoundReport => ({
  round,
  planVersion: 1,
  loss: 1 / 3 / round,
  learningRate: 1e-3,
  gradientNorm: 1,
  elapsedSeconds: 1,
  reassigned: 0,
  devices: Array.from({ length: devices }, (_, i) => ({
    device: `device${i}`.padEnd(12, 'x'),
    samples: 32,
    deepestDepth: 12,
    computeSeconds: 1 / 3,
    uploadSeconds: 1 / 7,
    uploadBits: 1_234_567,
  })),
});
const score = (round: number): ScoreReport => ({
  round,
  metric: 'accuracy',
  value: 0.5,
  loss: 0.7,
  examples: 100,
  elapsedSeconds: 1,
});

describe('history', () => {
  it('of many rounds with many devices goes in messages that both sides accept, and arrives whole', () => {
    const rounds = Array.from({ length: 400 }, (_, i) => report(i + 1, 40));
    const scores = [score(0), score(400)];
    const messages = historyMessages(rounds, scores);
    for (const message of messages) {
      const text = JSON.stringify(message);
      expect(text.length).toBeLessThan(MAX_CONTROL_CHARACTERS);
      expect(parseServerMessage(text).ok).toBe(true);
      expect(parseClientMessage(text).ok).toBe(true);
    }
    // What each device did is told of the newest eight rounds.
    const told = rounds.map((one, i) => (i < 392 ? { ...one, devices: [] } : one));
    expect(messages.flatMap((message) => message.rounds)).toEqual(told);
    expect(messages.flatMap((message) => message.scores)).toEqual(scores);
    // Well below what a server takes at once.
    expect(messages.length).toBeLessThan(5);
  });

  it('of nothing is one empty message', () => {
    expect(historyMessages([], [])).toEqual([{ type: 'history', rounds: [], scores: [] }]);
  });

  it('is thinned to a drawable number of points, however many there were', () => {
    const points = thinned(Array.from({ length: 100_000 }, (_, i) => i));
    expect(points.length).toBeLessThanOrEqual(400);
    expect([points[0], points.at(-1)]).toEqual([0, 99_999]);
    expect(points).toEqual([...points].sort((a, b) => a - b));
  });

  it('is put together by round, the newer report where two tell of the same', () => {
    const merged = mergedByRound([report(1), report(3)], [report(2), { ...report(3), loss: 9 }]);
    expect(merged.map(({ round, loss }) => [round, loss])).toEqual([
      [1, 1 / 3],
      [2, 1 / 6],
      [3, 9],
    ]);
  });
});
