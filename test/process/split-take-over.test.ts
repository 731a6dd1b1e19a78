import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunningServer } from '../../signaling/server/server.ts';
import { DEALT_RUNS } from './dealt-plans.ts';
import { losses, startTestServer } from './headless-room.ts';
import { trainAlone } from './one-device.ts';
import { HostProcess, Member } from './take-over-scene.ts';

/** As in `split-room.test.ts`: no device here can hold roberta-mini's weights. */
const MEMORY_BYTES = 9.5e6;
const ROUNDS = 14;

let server: RunningServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

it('the host of a split room is killed in a round: a device that holds all blocks leads, and the curve is one device’s to the bit', async () => {
  const origin = `http://127.0.0.1:${server.port}`;
  const host = new HostProcess(origin, { policy: 'split', rounds: ROUNDS, devices: 4, memoryBytes: MEMORY_BYTES });
  const link = await host.link();
  const members: Member[] = [];
  for (const name of ['Anna', 'Bert', 'Cleo']) members.push(await Member.join(link, name, MEMORY_BYTES));
  try {
    await host.round(5);
    host.kill();
    const leads = (member: Member) => member.until(({ role }) => role === 'host').then(() => member);
    const heir = await Promise.race(members.map(leads));
    const view = await heir.until(({ room, scores }) => room?.phase === 'finished' && scores.length > 0);
    expect(view.rounds.map(({ round }) => round)).toEqual(Array.from({ length: ROUNDS }, (_, i) => i + 1));
    if (view.room === null) throw new Error('There is no room.');
    expect(losses(view)).toEqual((await trainAlone(view.room.settings, origin)).losses);
    // The three that are left hold the model among them, and each had its part of the last round.
    expect(
      view.rounds
        .at(-1)
        ?.devices.map(({ device }) => device)
        .sort(),
    ).toEqual(members.map((member) => member.view.self).sort());
    expect(view.room.devices.flatMap(({ online, holds }) => (online ? [holds] : [])).length).toBe(DEALT_RUNS.length);
  } finally {
    host.kill();
    for (const member of members) member.session.leave();
  }
});
