import { expect, it } from 'vitest';
import type { ScoreReport } from '../../signaling/protocol/room-view.ts';
import { isExhausted } from '../../web/session/rounds/training.ts';

const at = (...rounds: number[]): ScoreReport[] =>
  rounds.map((round) => ({ round, metric: 'accuracy', value: 0.5, loss: 1, examples: 9, elapsedSeconds: 1 }));

it('patience counts the evaluations after the best one, and 0 never ends', () => {
  expect(isExhausted(at(0, 10, 20), 10, 1)).toBe(true);
  expect(isExhausted(at(0, 10, 20), 10, 2)).toBe(false);
  expect(isExhausted(at(0, 10, 20, 30), 10, 2)).toBe(true);
  expect(isExhausted(at(0, 10, 20), 20, 1)).toBe(false);
  expect(isExhausted(at(0, 10, 20, 30, 40), 0, 0)).toBe(false);
});
