import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { Workerd } from '../homes/workerd.ts';
import { OPEN_DOOR, profile, SETTINGS } from '../protocol/samples.ts';
import { Client, enter, hostRoom, self } from '../server/client.ts';

/** A guess comes back after a quarter of an hour, however slow the machine is. */
const LIMITS = JSON.stringify({ wrongGuessesOfAddress: { perSecond: 0.001, burst: 3 } });
const words = { SECRET: 'a secret that is only this test’s own', ADDRESS_HEADER: 'x-forwarded-for', LIMITS };
const report = (round: number): RoundReport => ({
  round,
  planVersion: 1,
  loss: 1 / round,
  learningRate: 1e-3,
  gradientNorm: 1,
  elapsedSeconds: 1,
  devices: [],
  reassigned: 0,
});

it('a room is there again with all that was told of it when the engine lost its power, and a guesser’s account, too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tabloom-storage-'));
  const log = (): void => undefined;
  const first = await Workerd.start({ words, storage: folder, log });
  const { host, room } = await hostRoom(first.port);
  const tab = await enter(first.port, room, 'tabtabtab');
  await tab.message('room');
  host.send({ type: 'linked', device: 'tabtabtab', linked: true });
  for (const client of [host, tab]) client.send({ type: 'profile', profile: profile() });
  await tab.message('room', ({ room: seen }) => seen.plan?.assignments.length === 2);
  for (const round of [1, 2, 3]) host.send({ type: 'round', report: report(round) });
  await tab.message('round', ({ report: { round } }) => round === 3);
  const from = { 'x-forwarded-for': '192.0.2.7' };
  for (let i = 0; i < 4; i++) {
    const guesser = await new Client(first.port, from, 'zzzzzz').open();
    guesser.send({
      type: 'join',
      version: PROTOCOL_VERSION,
      device: self(`guesser${i}`),
      room: 'zzzzzz',
      watch: false,
    });
    await guesser.message('error');
    guesser.socket.terminate();
  }
  await first.close();

  const second = await Workerd.start({ words, storage: folder, log });
  try {
    const late = await enter(second.port, room, 'latelate', { watch: true });
    expect((await late.message('history')).rounds.map(({ loss }) => loss)).toEqual([1, 1 / 2, 1 / 3]);
    const seen = (await late.message('room')).room;
    expect(seen.devices.map(({ id, online, linked }) => [id, online, linked])).toEqual([
      ['hosthost', false, true],
      ['tabtabtab', false, true],
      ['latelate', true, false],
    ]);
    expect(seen.plan?.assignments).toHaveLength(2);
    // Its key is its claim: the room is the host's, without any other proof.
    const again = await new Client(second.port, {}, room).open();
    again.send({
      type: 'create',
      version: PROTOCOL_VERSION,
      device: self('hosthost'),
      settings: SETTINGS,
      ...OPEN_DOOR,
      room,
    });
    await again.message('room', ({ room: { devices } }) => devices[0]?.online === true);
    const guesser = await new Client(second.port, from, room).open();
    guesser.send({ type: 'join', version: PROTOCOL_VERSION, device: self('guesser99'), room, watch: false });
    expect((await guesser.message('error')).sentence).toContain('Too many codes');
    for (const client of [late, again, guesser]) client.socket.terminate();
  } finally {
    await second.close();
    await rm(folder, { recursive: true });
  }
});
