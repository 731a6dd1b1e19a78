import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LOSS, TrainingScene } from './training-scene.ts';

/** A real host's rounds on a clock that the test moves. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const ROUNDS = 6;

/** Moves the clock until training is over; at most so many seconds. */
async function over(scene: TrainingScene, seconds: number): Promise<void> {
  for (let i = 0; i < seconds && scene.training.phase !== 'finished'; i++) await vi.advanceTimersByTimeAsync(1000);
  expect(scene.training.phase).toBe('finished');
}

const told = (scene: TrainingScene) =>
  scene.sent.flatMap((message) => (message.type === 'probation' ? [{ ...message, type: undefined }] : []));

describe('a device that is late twice in a row', () => {
  it('gets a trial instead of orders, and orders again when it has delivered one', async () => {
    const scene = await TrainingScene.open({ rounds: ROUNDS });
    const ordersOfB: { round: number; samples: { start: number; count: number } }[] = [];
    scene.answer = ({ header }, device) => {
      if (device !== 'b') return 'parts';
      ordersOfB.push({ round: header.tag.round, samples: header.samples });
      return header.tag.round < 3 ? 'nothing' : 'parts';
    };
    scene.join('hosthost', 'b');
    scene.training.start();
    await over(scene, 60);
    const half = scene.room.settings.training.samplesPerRound / 2;
    const own = { start: half, count: half };
    expect(ordersOfB).toEqual([
      { round: 1, samples: own },
      { round: 2, samples: own },
      // The trial: the first samples of the round, which the host has, too.
      { round: 3, samples: { start: 0, count: 2 } },
      ...[4, 5, 6].map((round) => ({ round, samples: own })),
    ]);
    expect(told(scene)).toMatchObject([
      { device: 'b', probation: { why: 'late', since: 2, next: 3 }, measured: null },
      { device: 'b', probation: null, measured: { samples: 2, computeSeconds: 1 } },
    ]);
    // Two rounds waited; nothing else of them changed.
    expect(scene.reports().map(({ elapsedSeconds }) => Math.round(elapsedSeconds / 15))).toEqual([1, 1, 0, 0, 0, 0]);
    expect(scene.reports().map(({ loss }) => loss)).toEqual(Array(ROUNDS).fill(expect.closeTo(LOSS, 6)));
    expect(scene.store.view.notices.map(({ sentence }) => sentence)).toEqual(
      expect.arrayContaining([
        'b did not deliver in time and is on probation: nobody waits for it until it delivers.',
        'b delivered in time and is back.',
      ]),
    );
  });

  it('is told of again to a server that forgot it, once in five seconds', async () => {
    const scene = await TrainingScene.open({ rounds: ROUNDS });
    scene.answer = (_, device) => (device === 'b' ? 'nothing' : 'parts');
    scene.join('hosthost', 'b');
    scene.training.start();
    await over(scene, 60);
    const before = told(scene).length;
    await vi.advanceTimersByTimeAsync(5000);
    for (let i = 0; i < 3; i++) scene.training.roomChanged();
    expect(told(scene)).toHaveLength(before + 1);
    expect(told(scene).at(-1)).toMatchObject({ device: 'b', probation: { why: 'late' } });
    const { devices } = scene.room;
    const probation = { why: 'late' as const, since: 2, next: 3 };
    scene.room = { ...scene.room, devices: devices.map((one) => (one.id === 'b' ? { ...one, probation } : one)) };
    await vi.advanceTimersByTimeAsync(5000);
    scene.training.roomChanged();
    expect(told(scene)).toHaveLength(before + 1);
  });
});
