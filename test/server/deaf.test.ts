import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { keptSecret } from '../../signaling/server/server-secret.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';
import { Client, self } from './client.ts';

let folder: string;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-deaf-'));
  server = await startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: null,
    modelsFolder: folder,
    hubFolder: null,
    iceServers: [],
    log: () => undefined,
  });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe('hosts that never read', () => {
  it('cost a bounded number of bytes', async () => {
    const classNames = Array.from({ length: 600 }, (_, i) => `${'\u0001'.repeat(40)}class ${i} ${'x'.repeat(40)}`);
    const settings = { ...SETTINGS, task: { ...SETTINGS.task, classNames } };
    const hosts = await Promise.all(
      Array.from({ length: 5 }, async (_, i) => {
        const client = (await new Client(server.port).open()).ignore();
        client.send({
          type: 'create',
          version: PROTOCOL_VERSION,
          device: self(`deafdeaf${i}`),
          settings,
          ...OPEN_DOOR,
        });
        await client.message('welcome');
        client.socket.pause();
        return client;
      }),
    );
    // What they send makes news for each of them, which they do not read.
    const beforeBytes = process.memoryUsage().rss;
    for (let i = 0; i < 100; i++) {
      for (const client of hosts) client.send({ type: 'hidden', hidden: i % 2 === 0 });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // 0.1.0 held 240 kB for each of the 500 messages: 120 MB.
    expect(process.memoryUsage().rss - beforeBytes).toBeLessThan(90e6);
    expect((await fetch(`http://127.0.0.1:${server.port}/config.json`)).status).toBe(200);
    for (const { socket } of hosts) socket.terminate();
  });
});

describe('the server’s secret', () => {
  it('is made once, and is its owner’s alone', async () => {
    const state = join(folder, 'state', 'tabloom');
    const [a, b] = await Promise.all([keptSecret(state), keptSecret(state)]);
    expect(a).toHaveLength(32);
    expect(b).toEqual(a);
    expect(await keptSecret(state)).toEqual(a);
    expect((await stat(join(state, 'server-secret'))).mode & 0o077).toBe(0);
    expect(await readFile(join(state, 'server-secret'))).toEqual(a);
    await writeFile(join(folder, 'file'), '');
    expect(await keptSecret(join(folder, 'file', 'state'))).toBeNull();
  });
});
