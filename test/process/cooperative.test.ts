import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Policy } from '../../signaling/protocol/settings.ts';
import type { RunningServer } from '../../signaling/server/server.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { HeadlessRoom, largestRelativeDifference, losses, namesOf, startTestServer } from './headless-room.ts';

/**
 * The invariant of cooperative fine-tuning, in real processes over real WebRTC: whatever the plan and whoever comes and goes, the loss
 * curve is the one that a single device gets. Dropout is off; float sums in another order are all that may differ.
 */
const TOLERANCE = 1e-4;
const ROUNDS = 20;

let server: RunningServer;
let origin: string;
let alone: SessionView;

async function train(policy: Policy, names: readonly string[]) {
  const room = await HeadlessRoom.open(origin, policy, { rounds: ROUNDS });
  try {
    for (const name of names) await room.addDevice(name);
    await room.ready(names.length + 1);
    room.session.start();
    return await room.finished();
  } finally {
    await room.close();
  }
}

beforeAll(async () => {
  server = await startTestServer();
  origin = `http://127.0.0.1:${server.port}`;
  alone = await train('crunch', []);
}, 120_000);
afterAll(() => server.close());

describe('a cooperative loss curve', () => {
  it('of one device moves, so that there is something to compare with', () => {
    expect(losses(alone)).toHaveLength(ROUNDS);
    const [before, after] = alone.scores;
    expect(Math.abs(after.loss - before.loss)).toBeGreaterThan(100 * TOLERANCE * before.loss);
  });

  it.each<[number, Policy, string[]]>([
    [2, 'crunch', ['b']],
    [3, 'data-parallel', ['b', 'c']],
    [5, 'teams', ['b', 'c', 'd', 'e']],
  ])('of %i devices under %s is that of one', async (count, policy, names) => {
    const view = await train(policy, names);
    expect(losses(view)).toHaveLength(ROUNDS);
    const took = new Set(view.rounds.flatMap((_, i) => namesOf(view, i + 1)));
    expect(took.size).toBe(count);
    expect(largestRelativeDifference(losses(view), losses(alone))).toBeLessThan(TOLERANCE);
  });

  it('is that of one when a device dies in round 8 and another joins before round 12', async () => {
    const room = await HeadlessRoom.open(origin, 'crunch', { rounds: ROUNDS });
    try {
      await room.addDevice('b');
      await room.addDevice('c');
      await room.ready(3);
      room.session.start();
      await room.until(({ activity }) => activity?.round === 8);
      room.kill('b');
      await room.until(({ rounds }) => rounds.length === 11);
      room.session.pause();
      await room.addDevice('d');
      await room.until(({ room: r }) => {
        const d = r?.devices.find(({ name }) => name === 'd');
        return d !== undefined && (r?.plan?.assignments.some(({ device }) => device === d.id) ?? false);
      });
      room.session.setPolicy('teams');
      room.session.start();
      const view = await room.finished();
      expect(losses(view)).toHaveLength(ROUNDS);
      expect(namesOf(view, ROUNDS)).toContain('d');
      expect(namesOf(view, ROUNDS)).not.toContain('b');
      expect(view.rounds.some((report) => report.reassigned > 0)).toBe(true);
      expect(largestRelativeDifference(losses(view), losses(alone))).toBeLessThan(TOLERANCE);
    } finally {
      await room.close();
    }
  });
});
