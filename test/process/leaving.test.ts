import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../signaling/server/server.ts';
import { HeadlessRoom, startTestServer } from './headless-room.ts';
import { TabloomProcess } from './tabloom-process.ts';

/** What a headless device and a server do when they are asked to go, or must. */

const FAULT = `process.on('SIGUSR2', () => { Promise.reject(new Error('a fault')); });`;
let server: RunningServer;
/** Devices so far: whoever could not say goodbye stays in the room under its name. */
let comers = 0;
let room: HeadlessRoom;
beforeAll(async () => {
  server = await startTestServer();
  room = await HeadlessRoom.open(`http://127.0.0.1:${server.port}`, 'crunch', { rounds: 10 });
  await room.until(({ invitation }) => invitation !== null);
});
afterAll(async () => {
  await room.close();
  await server.close();
});

describe('a headless device', () => {
  it.each<[string, NodeJS.Signals, number, string | undefined]>([
    ['Ctrl-C', 'SIGINT', 0, undefined],
    ['a request to end', 'SIGTERM', 0, undefined],
    ['a closed terminal', 'SIGHUP', 0, undefined],
    ['a rejection that nobody handled', 'SIGUSR2', 70, FAULT],
  ])('says goodbye at %s, so that nobody waits for it', async (_, signal, code, preload) => {
    const link = room.view.invitation?.link ?? '';
    comers += 1;
    const called = `${signal} ${comers}`;
    const args = ['join', link, '--name', called, '--watch'];
    const device = new TabloomProcess(args, preload === undefined ? {} : { preload });
    await room.until((view) => view.room?.devices.some(({ name }) => name === called) ?? false);
    await device.until((said) => said.includes('Watching.'));
    device.child.kill(signal);
    // A device that is only cut off stays in the room as one that is away.
    const gone = room.until((view) => view.room?.devices.every(({ name }) => name !== called) ?? false);
    const ended = await device.ended;
    expect([ended.code, ended.err]).toEqual([
      code,
      code === 0 ? '' : expect.stringContaining('tabloom: Error: a fault'),
    ]);
    await gone;
  });
});

describe('a server', () => {
  it.each<[string, NodeJS.Signals, number, string | undefined]>([
    ['Ctrl-C', 'SIGINT', 0, undefined],
    ['a closed terminal', 'SIGHUP', 0, undefined],
    ['a rejection that nobody handled', 'SIGUSR2', 70, FAULT],
  ])('closes at %s', async (_, signal, code, preload) => {
    const serving = new TabloomProcess(['serve', '--port', '0'], preload === undefined ? {} : { preload });
    const said = await serving.until((text) => text.includes('Tabloom is open at'));
    const [, origin = ''] = /open at\s+(\S+)/.exec(said) ?? [];
    expect((await fetch(`${origin}/config.json`)).status).toBe(200);
    serving.child.kill(signal);
    expect((await serving.ended).code).toBe(code);
    await expect(fetch(`${origin}/config.json`)).rejects.toThrow();
  });
});

it('a reader that has enough is no fault: `| head`', async () => {
  const help = new TabloomProcess(['demo', '--help']);
  help.child.stdout?.destroy();
  const { code, err } = await help.ended;
  expect([code, err]).toEqual([0, '']);
});
