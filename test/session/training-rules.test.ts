import { expect, it } from 'vitest';
import type { DeviceView, ScoreReport } from '../../signaling/protocol/room-view.ts';
import { isExhausted } from '../../web/session/training/early-stop.ts';
import { isReady } from '../../web/session/training/ready.ts';
import { profile } from '../protocol/samples.ts';

const at = (...rounds: number[]): ScoreReport[] =>
  rounds.map((round) => ({ round, metric: 'accuracy', value: 0.5, loss: 1, examples: 9, elapsedSeconds: 1 }));

it('a device is ready when it says so, has measured itself and has a link', () => {
  const device: DeviceView = {
    id: 'abcdefgh',
    name: 'a',
    kind: 'tab',
    status: { kind: 'ready' },
    hidden: false,
    linked: true,
    online: true,
    peerId: null,
    profile: profile(),
  };
  expect(isReady(device)).toBe(true);
  expect(isReady({ ...device, status: { kind: 'profiling' } })).toBe(false);
  expect(isReady({ ...device, profile: null })).toBe(false);
  expect(isReady({ ...device, linked: false })).toBe(false);
});

it('patience counts the evaluations after the best one, and 0 never ends', () => {
  expect(isExhausted(at(0, 10, 20), 10, 1)).toBe(true);
  expect(isExhausted(at(0, 10, 20), 10, 2)).toBe(false);
  expect(isExhausted(at(0, 10, 20, 30), 10, 2)).toBe(true);
  expect(isExhausted(at(0, 10, 20), 20, 1)).toBe(false);
  expect(isExhausted(at(0, 10, 20, 30, 40), 0, 0)).toBe(false);
});
