import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { hostRoom } from './client.ts';

const SCRIPT = `console.log(${JSON.stringify('twice and twice and '.repeat(200))})`;
let folder: string;
let server: RunningServer;
const start = () =>
  startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: folder,
    modelsFolder: folder,
    hubFolder: null,
    iceServers: [],
    log: () => undefined,
  });
const at = (path: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${server.port}${path}`, { headers });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-running-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<title>page</title>');
  await writeFile(join(folder, 'index.html.br'), brotliCompressSync('<title>page</title>'));
  for (const name of ['app-Ab_3-x9Z.js', 'named.js']) {
    await writeFile(join(folder, 'assets', name), SCRIPT);
    await writeFile(join(folder, 'assets', `${name}.br`), brotliCompressSync(SCRIPT));
    await writeFile(join(folder, 'assets', `${name}.gz`), gzipSync(SCRIPT));
  }
  server = await start();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe('the built page', () => {
  it('comes in the form that the browser takes, the same whichever', async () => {
    for (const [accepted, encoding] of [
      ['gzip, deflate, br', 'br'],
      ['br;q=0.1, gzip', 'br'],
      ['gzip', 'gzip'],
      ['identity', null],
    ] as const) {
      const answer = await at('/assets/app-Ab_3-x9Z.js', { 'accept-encoding': accepted });
      expect([accepted, answer.headers.get('content-encoding')]).toEqual([accepted, encoding]);
      expect(answer.headers.get('vary')).toContain('Accept-Encoding');
      expect(answer.headers.get('content-type')).toMatch(/^(text|application)\/javascript/);
      expect(await answer.text()).toBe(SCRIPT);
    }
    expect(await (await at('/')).text()).toBe('<title>page</title>');
  });

  it('is kept for good where a name says what is in it, and asked for again where it does not', async () => {
    const cached = async (path: string) => (await at(path)).headers.get('cache-control');
    expect(await cached('/assets/app-Ab_3-x9Z.js')).toBe('public, max-age=31536000, immutable');
    expect(await cached('/assets/named.js')).toBe('no-cache');
    expect(await cached('/')).toBe('no-cache');
    const etag = (await at('/', { 'accept-encoding': 'br' })).headers.get('etag') ?? '';
    // `fetch` would ask for a fresh answer.
    const status = await new Promise((resolve) => {
      const headers = { 'if-none-match': etag, 'accept-encoding': 'br' };
      get({ port: server.port, path: '/', headers }, (answer) => resolve(answer.resume().statusCode));
    });
    expect(status).toBe(304);
  });

  it('keeps the headers of every answer, and its folder shut', async () => {
    const answer = await at('/assets/app-Ab_3-x9Z.js');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const path of [
      '/assets/../../etc/passwd',
      '/assets/%2e%2e/%2e%2e/etc/passwd',
      '/assets/%ff',
      '/assets/none.js',
    ])
      expect([404, 400]).toContain((await at(path)).status);
  });
});

describe('whoever runs it', () => {
  it('can ask whether it lives, and what it does, in numbers alone', async () => {
    expect(await (await at('/health')).json()).toEqual({ ok: true });
    const { host, room } = await hostRoom(server.port);
    const answer = await at('/metrics');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await answer.text();
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(value('tabloom_rooms')).toBe(1);
    expect(value('tabloom_devices')).toBe(1);
    expect(value('tabloom_connections')).toBe(1);
    expect(value('tabloom_messages_received_total')).toBeGreaterThanOrEqual(1);
    expect(value('tabloom_messages_sent_total')).toBeGreaterThanOrEqual(2);
    expect(text).not.toContain(room);
    host.socket.terminate();
  });

  it('stops it with a word to everybody, and does not wait for who does not listen', async () => {
    const other = await start();
    const { host } = await hostRoom(other.port);
    const deaf = new WebSocket(`ws://127.0.0.1:${other.port}/room`);
    await new Promise((resolve) => deaf.once('open', resolve));
    deaf.pause();
    const told = new Promise((resolve) => host.socket.once('close', (code) => resolve(code)));
    const beganMs = performance.now();
    await other.close();
    expect(await told).toBe(1012);
    expect(performance.now() - beganMs).toBeLessThan(5000);
    deaf.terminate();
  });
});
