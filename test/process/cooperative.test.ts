import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Policy } from '../../signaling/protocol/settings.ts';
import type { RunningServer } from '../../signaling/server/server.ts';
import type { SessionView } from '../../web/session/view/view.ts';
import { HeadlessRoom, largestRelativeDifference, losses, namesOf, startTestServer } from './headless-room.ts';

/**
 * The invariant of cooperative fine-tuning, in real processes over real WebRTC: whatever the plan and whoever comes and goes, the loss
 * curve is the one that a single device gets, without dropout and with it. Float sums in another order are all that may differ.
 */
const TOLERANCE = 1e-4;
const ROUNDS = 20;

let server: RunningServer;
let origin: string;
/** What one device alone comes to, by dropout. */
const alone = new Map<number, SessionView>();

function lossesAlone(dropout: number): number[] {
  const view = alone.get(dropout);
  if (view === undefined) throw new Error(`Nobody trained alone with dropout ${dropout}.`);
  return losses(view);
}

async function train(policy: Policy, names: readonly string[], dropout: number) {
  const room = await HeadlessRoom.open(origin, policy, { rounds: ROUNDS, dropout });
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
  for (const dropout of [0, 0.1]) alone.set(dropout, await train('crunch', [], dropout));
});
afterAll(() => server.close());

describe('a cooperative loss curve', () => {
  it.each([0, 0.1])('of one device with dropout %d moves, so that there is something to compare with', (dropout) => {
    const curve = lossesAlone(dropout);
    expect(curve).toHaveLength(ROUNDS);
    // Two classes that a fresh head knows nothing of.
    expect(curve[0]).toBeCloseTo(Math.LN2, 1);
    const [before, after] = alone.get(dropout)?.scores ?? [];
    expect(Math.abs(after.loss - before.loss)).toBeGreaterThan(100 * TOLERANCE * before.loss);
  });

  it('is another one with dropout', () => {
    expect(largestRelativeDifference(lossesAlone(0.1), lossesAlone(0))).toBeGreaterThan(100 * TOLERANCE);
  });

  it.each<[number, Policy, number, string[]]>([
    [2, 'crunch', 0, ['b']],
    [2, 'data-parallel', 0.1, ['b']],
    [4, 'teams', 0.1, ['b', 'c', 'd']],
  ])('of %i devices under %s with dropout %d is that of one', async (count, policy, dropout, names) => {
    const view = await train(policy, names, dropout);
    expect(losses(view)).toHaveLength(ROUNDS);
    const took = new Set(view.rounds.flatMap((_, i) => namesOf(view, i + 1)));
    expect(took.size).toBe(count);
    expect(largestRelativeDifference(losses(view), lossesAlone(dropout))).toBeLessThan(TOLERANCE);
  });

  it('is that of one when a device dies in round 8 and another joins before round 12', async () => {
    const dropout = 0.1;
    const room = await HeadlessRoom.open(origin, 'crunch', { rounds: ROUNDS, dropout });
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
      expect(largestRelativeDifference(losses(view), lossesAlone(dropout))).toBeLessThan(TOLERANCE);
    } finally {
      await room.close();
    }
  });
});
