import { expect, it } from 'vitest';
import { onlyProgress } from '../../web/page/session/use-session.ts';
import { crowd } from './gallery/crowd.ts';

const view = crowd(3, 2);
const moved = { ...view, activity: { round: 3, devices: [{ device: 'device000', received: 5, expected: 13 }] } };

it('tells progress within a round from all else that is new', () => {
  expect(onlyProgress(view, moved)).toBe(true);
  expect(onlyProgress(view, { ...moved, rounds: [...view.rounds] })).toBe(false);
  expect(onlyProgress(view, { ...moved, ended: 'over' })).toBe(false);
  const { room: _gone, ...less } = moved;
  expect(onlyProgress(view, { ...less, room: null })).toBe(false);
});
