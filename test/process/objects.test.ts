import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { passOf } from '../../signaling/protocol/door/secret.ts';
import { prepare, Workerd } from '../homes/workerd.ts';
import { needs, WHOLE } from '../needs.ts';
import { enter } from '../server/client.ts';
import { HeadlessRoom, losses } from './headless-room.ts';

const ROUNDS = 8;
let folder: string;

beforeAll(async () => {
  if (!WHOLE.here) return;
  await prepare();
  folder = await mkdtemp(join(tmpdir(), 'tabloom-objects-'));
  await cp(fileURLToPath(new URL('../../models', import.meta.url)), join(folder, 'models'), { recursive: true });
});
afterAll(() => (WHOLE.here ? rm(folder, { recursive: true }) : undefined));

it(
  'a session trains whose room is put away between any two things that happen, and nothing of it is lost',
  needs(WHOLE),
  async () => {
    const words = { SECRET: 'a secret that is only this test’s own', EVICT: 'always' };
    const faults: string[] = [];
    const home = await Workerd.start({ words, assets: folder, log: (line) => faults.push(line) });
    const room = await HeadlessRoom.open(`http://127.0.0.1:${home.port}`, 'crunch', { rounds: ROUNDS });
    try {
      await room.addDevice('b');
      await room.ready(2);
      room.session.start();
      const view = await room.finished();
      expect(losses(view)).toHaveLength(ROUNDS);
      expect(view.room?.devices.map(({ name, linked }) => [name, linked])).toEqual([
        ['host', true],
        ['b', true],
      ]);
      const { secret = null } = view.invitation ?? {};
      if (secret === null) throw new Error('There is no link.');
      // Somebody who comes at the end is told all of it.
      const late = await enter(home.port, view.room?.id ?? '', 'latelate', { watch: true, pass: passOf(secret) });
      const { rounds } = await late.message('history');
      expect(rounds.map(({ loss }) => loss)).toEqual(losses(view));
      expect((await late.message('room')).room.plan?.policy).toBe('crunch');
      late.socket.terminate();
      expect(faults.filter((line) => !/^A session|had a seat/.test(line))).toEqual([]);
    } finally {
      await room.close();
      await home.close();
    }
  },
);
