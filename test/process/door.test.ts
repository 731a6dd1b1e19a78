import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { headlessEnvironment } from '../../signaling/node/node-environment.ts';
import type { RunningServer } from '../../signaling/server/server.ts';
import { roomLink } from '../../web/session/links/link-address.ts';
import { lookAt } from '../../web/session/look.ts';
import { HeadlessRoom, startTestServer } from './headless-room.ts';

const PROGRAM = fileURLToPath(new URL('../../signaling/tabloom.ts', import.meta.url));
let server: RunningServer;
let origin: string;
beforeAll(async () => {
  server = await startTestServer();
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

/** `tabloom join` as a person runs it; `said` settles when a line begins with the text. */
function join(link: string, name: string) {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, 'join', link, '--name', name], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 100_000,
  });
  let out = '';
  const said = (start: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!`\n${out}`.includes(`\n${start}`)) return;
        child.stdout.off('data', look);
        resolve();
      };
      child.stdout.on('data', look);
      child.once('close', () => reject(new Error(`never said "${start}": ${out}`)));
      look();
    });
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const ended = new Promise<{ code: number | null; out: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, out })),
  );
  return { said, ended };
}

it('whoever has the link comes in; whoever has the code alone waits for the host, who can take anybody out again', async () => {
  const room = await HeadlessRoom.open(origin, 'data-parallel', { rounds: 5 });
  try {
    const { invitation } = await room.until((view) => view.invitation !== null && view.door !== null);
    if (invitation === null) throw new Error('no invitation');
    expect(room.view).toMatchObject({ door: 'link', cap: 64, waiting: [] });
    const environment = await headlessEnvironment(origin, { memoryLimitBytes: 1e9 });
    const looked = await lookAt(environment, invitation);
    expect(looked).toMatchObject({ pass: 'right', door: 'link', devices: 1, ownTable: false, model: 'roberta-mini' });
    // Config, tokenizer and weights of the embedded model.
    expect(looked.downloadBytes).toBeGreaterThan(1e6);
    await expect(lookAt(environment, { room: 'zzzzzz', secret: null })).rejects.toThrow('zzzzzz');

    await room.ready(1);
    await room.addDevice('invited');
    await room.ready(2);

    const stranger = join(roomLink(origin, invitation.room), 'stranger');
    await stranger.said('Waiting: ');
    const { waiting } = await room.until((view) => view.waiting.length === 1);
    expect(waiting).toMatchObject([{ name: 'stranger', kind: 'headless', withPass: false, likeRemoved: false }]);
    expect(room.view.room?.devices).toHaveLength(2);
    room.session.entrance.admit(waiting[0].id);
    await room.ready(3);
    expect(room.view.waiting).toEqual([]);

    room.session.entrance.remove(waiting[0].id);
    const { code, out } = await stranger.ended;
    expect([code, out.trim().split('\n').at(-1)]).toEqual([0, 'The host took this device out of the session.']);
    await room.until((view) => view.room?.devices.length === 2);

    // Whoever comes from there now waits, the link in hand.
    const another = join(invitation.link, 'another');
    await room.until((view) => view.waiting.some(({ withPass, likeRemoved }) => withPass && likeRemoved));
    room.session.entrance.refuse(room.view.waiting[0].id);
    const refused = await another.ended;
    expect([refused.code, refused.out.trim().split('\n').at(-1)]).toEqual([2, 'The host did not let this device in.']);

    room.session.start();
    const view = await room.finished();
    expect(view.rounds).toHaveLength(5);
  } finally {
    await room.close();
  }
});
