import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ENTER_MS } from '../../signaling/connection/bounds/limits.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../signaling/server/server.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';
import { Client, hostRoom, self } from './client.ts';

/** What strangers sent to the first release's server, at a real one. */

let folder: string;
let server: RunningServer;
const lines: string[] = [];
const optional: RunningServer[] = [];
const clients: Client[] = [];

const start = (more: Partial<ServerOptions> = {}): Promise<RunningServer> =>
  startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: join(folder, 'page'),
    modelsFolder: join(folder, 'models'),
    hubFolder: join(folder, 'hub'),
    iceServers: [],
    log: (line) => lines.push(line),
    ...more,
  });
const another = async (more: Partial<ServerOptions>): Promise<RunningServer> => {
  const started = await start(more);
  optional.push(started);
  return started;
};
const kept = (client: Client): Client => {
  clients.push(client);
  return client;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-attacks-'));
  for (const name of ['page', 'models', 'hub', 'outside']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'page', 'index.html'), '<title>page</title>');
  await writeFile(join(folder, 'hub', 'inside.txt'), 'inside');
  await writeFile(join(folder, 'outside', 'secret.txt'), 'secret');
  await symlink(join(folder, 'outside'), join(folder, 'hub', 'link'));
  await symlink(join(folder, 'outside', 'secret.txt'), join(folder, 'hub', 'file.txt'));
  await symlink(join(folder, 'hub', 'inside.txt'), join(folder, 'hub', 'own.txt'));
  server = await start();
});
afterEach(async () => {
  vi.useRealTimers();
  for (const client of clients.splice(0)) client.socket.terminate();
  for (const one of optional.splice(0)) await one.close();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** The first line of the answer to a raw request. */
function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (data) => {
      text += data.toString('latin1');
      if (text.includes('\r\n')) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text.split('\r\n')[0]));
  });
}

const upgrade = (target: string, headers: Record<string, string> = {}): string => {
  const all = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
};

describe('an upgrade', () => {
  it.each(['//', 'http://[', 'http://x:99999/', '///room', '*', 'room', '/room#x', '/\\', '/%', 'ws://x/room'])(
    'to %s is refused, and the server lives',
    async (target) => {
      const status = await raw(server.port, upgrade(target));
      expect(status).toMatch(/^HTTP\/1\.1 40[034] /);
      const { host } = await hostRoom(server.port);
      kept(host);
    },
  );

  it('that is no upgrade, or breaks off, ends nothing', async () => {
    for (const request of [
      upgrade('/room', { 'Sec-WebSocket-Key': '' }),
      upgrade('/room', { 'Sec-WebSocket-Version': '99' }),
      upgrade('/room', { Upgrade: 'h2c' }),
      'GET // HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'GET http://[ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'GET /%E0%A4%A HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'GET /hub/%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'BREW /pot HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    ])
      expect(await raw(server.port, request)).toMatch(/^HTTP\/1\.1 \d\d\d /);
    const cut = connect(server.port, '127.0.0.1', () =>
      cut.write(upgrade('/room').slice(0, 60), () => cut.resetAndDestroy()),
    );
    await new Promise((resolve) => cut.once('close', resolve));
    kept((await hostRoom(server.port)).host);
  });
});

describe('whose page it is', () => {
  it.each(['/room', '/peer/peerjs?id=abcdefgh&token=x'])('is asked on %s', async (target) => {
    const status = (headers: Record<string, string>) => raw(server.port, upgrade(target, headers));
    expect(await status({ Origin: 'http://evil.example' })).toMatch(/ 403 /);
    expect(await status({ Origin: 'null' })).toMatch(/ 403 /);
    expect(await status({ Host: 'rebound.example', Origin: 'http://rebound.example' })).toMatch(/ 403 /);
    expect(await status({ Origin: 'http://localhost' })).toMatch(/ 101 /);
  });

  it('may be named by the person who starts the server', async () => {
    const { port } = await another({ allowOrigins: ['https://page.example'] });
    expect(await raw(port, upgrade('/room', { Origin: 'https://page.example' }))).toMatch(/ 101 /);
    expect(await raw(port, upgrade('/room', { Origin: 'https://other.example' }))).toMatch(/ 403 /);
  });

  it('is not asked of files, but the name is: a name that was made to lead here gets nothing', async () => {
    const get = (host: string) => raw(server.port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await get('localhost')).toMatch(/ 200 /);
    expect(await get('127.0.0.1:80')).toMatch(/ 200 /);
    expect(await get('rebound.example')).toMatch(/ 403 /);
  });

  it('and nobody may frame it, or run other code in it', async () => {
    const { headers } = await fetch(`http://127.0.0.1:${server.port}/`);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toMatch(/script-src 'self' 'wasm-unsafe-eval'(;|$)/);
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|\*(?!\.)/);
    expect(headers.get('permissions-policy')).toContain('camera=()');
    const peer = await fetch(`http://127.0.0.1:${server.port}/peer/peerjs/id`, { headers: { origin: 'http://a.b' } });
    expect(peer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('files', () => {
  it('outside the folder are not served through links that lie inside it', async () => {
    const at = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      return [response.status, await response.text()];
    };
    expect(await at('/hub/inside.txt')).toEqual([200, 'inside']);
    expect(await at('/hub/own.txt')).toEqual([200, 'inside']);
    for (const path of ['/hub/file.txt', '/hub/link/secret.txt', '/hub/link/', '/hub/..%2foutside/secret.txt']) {
      const [status, text] = await at(path);
      expect([path, status]).toEqual([path, 404]);
      expect(text).not.toContain('secret');
    }
  });
});

describe('rooms', () => {
  it('are left by a connection that does not enter', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const { port } = await another({ limits: { connectionsOfAddress: 5 } });
    const idle = await Promise.all(Array.from({ length: 5 }, () => new Client(port).open()));
    idle.forEach(kept);
    await vi.advanceTimersByTimeAsync(ENTER_MS - 1);
    expect(await raw(port, upgrade('/room'))).toMatch(/ 429 /);
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all(idle.map((client) => client.closed));
    expect(await raw(port, upgrade('/room'))).toMatch(/ 101 /);
  });

  it('do not fill the memory for somebody who does not read', async () => {
    const { port } = await another({});
    const classNames = Array.from({ length: 200 }, (_, i) => `class ${i} ${'x'.repeat(200)}`);
    const settings = { ...SETTINGS, task: { ...SETTINGS.task, labelNames: classNames, labelCount: classNames.length } };
    const client = kept(await new Client(port).open());
    client.send({ type: 'create', version: PROTOCOL_VERSION, device: self('hosthost'), settings, ...OPEN_DOOR });
    const first = await Promise.race([client.message('welcome'), client.message('error')]);
    client.ignore();
    client.socket.pause();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 300 && client.socket.readyState === WebSocket.OPEN; i++) {
      client.send({ type: 'hidden', hidden: i % 2 === 0 });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
    expect(['welcome', 'error']).toContain(first.type);
    kept((await hostRoom(port, { id: 'other000' })).host);
  });
});
