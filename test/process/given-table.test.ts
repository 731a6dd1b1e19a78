import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesText } from '../../signaling/protocol/words/quantities.ts';
import type { RunningServer } from '../../signaling/server/server.ts';
import { needs, WHOLE } from '../needs.ts';
import { HeadlessRoom, largestRelativeDifference, losses, startTestServer } from './headless-room.ts';
import { ownTable } from './host-process.ts';
import { HostProcess, Member } from './take-over-scene.ts';

/** A table of a person's own, of more than one piece, in a room whose host is killed. */
const ROUNDS = 16;
const TABLE_ROWS = 6000;
/** As between any two plans. */
const TOLERANCE = 1e-4;

let server: RunningServer;
let origin: string;
beforeAll(async () => {
  server = await startTestServer();
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

const idOf = (member: Member): string => member.view.self;

describe('a table of one’s own', () => {
  it('goes to the device that the host gave it to, and that one alone goes on when the host is killed', async () => {
    const host = new HostProcess(origin, { rounds: ROUNDS, devices: 3, tableRows: TABLE_ROWS });
    const link = await host.link();
    const [anna, bert] = [await Member.join(link, 'Anna'), await Member.join(link, 'Bert')];
    try {
      await bert.until(({ room }) => room?.phase === 'training');
      host.tell({ give: idOf(anna) });
      await host.until(({ table, device }) => table === 'held' && device === idOf(anna));
      expect(anna.news).toContain(
        `The host gave this device its whole table, “Own rows” (${bytesText(ownTable(TABLE_ROWS).train.bytes.length)}): it can go on when the host is gone.`,
      );
      await host.until(({ heirs }) => JSON.stringify(heirs) === JSON.stringify([idOf(anna)]));
      host.kill();
      await anna.until(({ role }) => role === 'host');
      const view = await anna.until(({ room, scores }) => room?.phase === 'finished' && scores.length > 0);
      expect(bert.view.role).toBe('device');
      expect(view.rounds.map(({ round }) => round)).toEqual(Array.from({ length: ROUNDS }, (_, i) => i + 1));
      const quiet = await HeadlessRoom.open(
        origin,
        'crunch',
        { rounds: ROUNDS, dropout: 0.1 },
        { request: { task: { id: 'own', endpoint: '', own: ownTable(TABLE_ROWS) } } },
      );
      await quiet.ready(1);
      quiet.session.start();
      expect(largestRelativeDifference(losses(view), losses(await quiet.finished()))).toBeLessThan(TOLERANCE);
      await quiet.close();
    } finally {
      host.kill();
      anna.session.leave();
      bert.session.leave();
    }
  });

  it('that was given to nobody makes the room wait, and say so, until its host is back', needs(WHOLE), async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tabloom-'));
    const options = { rounds: ROUNDS, devices: 2, tableRows: TABLE_ROWS, checkpointFile: join(folder, 'kept') };
    const host = new HostProcess(origin, options);
    const anna = await Member.join(await host.link(), 'Anna');
    let again: HostProcess | null = null;
    try {
      await host.until(({ kept }) => Number(kept) >= 2);
      host.kill();
      await anna.until(({ room }) => room?.devices.find(({ id }) => id === room.host)?.online === false);
      expect(anna.news).toContain(
        'The host is away. Its table is private: the session waits for it, unless it gave the table to another device, which goes on then.',
      );
      // Longer than the server waits before it offers the role to somebody who may have it.
      await new Promise((resolve) => setTimeout(resolve, 12_000));
      expect(anna.view.role).toBe('device');
      expect(anna.view.ended).toBeNull();
      again = new HostProcess(origin, options);
      const { rounds } = await anna.until(({ room, scores }) => room?.phase === 'finished' && scores.length > 0);
      expect(rounds.at(-1)?.round).toBe(ROUNDS);
      expect(anna.view.role).toBe('device');
    } finally {
      host.kill();
      again?.kill();
      anna.session.leave();
      await rm(folder, { recursive: true, maxRetries: 9 });
    }
  });
});
