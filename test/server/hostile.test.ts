import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { enter, hostRoom } from './client.ts';

let folder: string;
let server: RunningServer;
const logged: string[] = [];

const start = (more: Partial<Parameters<typeof startServer>[0]> = {}): Promise<RunningServer> =>
  startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: join(folder, 'page'),
    modelsFolder: join(folder, 'models'),
    hubFolder: join(folder, 'hub'),
    modelFolder: join(folder, 'model'),
    iceServers: [{ urls: 'turn:192.0.2.1:3478' }],
    turnSecret: 'turn secret',
    log: (line) => logged.push(line),
    ...more,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-hostile-'));
  for (const name of ['page', 'models', 'hub', 'model', 'hub/inside']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'outside.txt'), 'not yours');
  await writeFile(join(folder, 'page', 'index.html'), '<title>page</title>');
  await writeFile(join(folder, 'hub', 'inside', 'file.txt'), 'yours');
  for (const name of ['hub', 'model', 'page', 'models']) {
    await symlink(join(folder, 'outside.txt'), join(folder, name, 'link.txt'));
    await symlink(folder, join(folder, name, 'up'));
  }
  await symlink(join(folder, 'hub', 'inside'), join(folder, 'hub', 'alias'));
  server = await start();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** The first line of what the server answers to these bytes. */
function raw(text: string, port = server.port): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    let answer = '';
    socket.on('data', (data) => {
      answer += data.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer.split('\r\n')[0]));
  });
}

const upgrade = (url: string, headers: readonly string[] = [], host = `127.0.0.1:${server.port}`): string =>
  [
    `GET ${url} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
    '',
    '',
  ].join('\r\n');

const get = (
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; headers: Headers }> =>
  new Promise((resolve, reject) => {
    const request = httpRequest({ port: server.port, host: '127.0.0.1', path, headers }, (response) => {
      let body = '';
      response.on('data', (data) => {
        body += data.toString();
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body,
          headers: new Headers(response.headers as Record<string, string>),
        }),
      );
    });
    request.on('error', reject);
    request.end();
  });

describe('an address that is none', () => {
  it.each([
    ['//', '400'],
    ['http://[', '400'],
    ['http://x:99999/', '400'],
    ['http://127.0.0.1/room', '400'],
    ['/room#x', '400'],
    ['/\u0000', '400'],
    ['/room\u00ff', '400'],
    ['*', '400'],
    ['/%', '404'],
    ['/%ff%fe', '404'],
    ['/room/', '404'],
    ['/peer', '404'],
    ['/peer/peerjs/x', '404'],
    ['/..%2froom', '404'],
    ['/elsewhere', '404'],
    [`/${'x'.repeat(9000)}`, '404'],
  ])('%j is refused with %s, and the server goes on', async (url, status) => {
    expect(await raw(upgrade(url))).toContain(` ${status} `);
    expect((await get('/')).status).toBe(200);
  });

  it.each([
    'GET',
    'GET / HTTP/9',
    '\u0016\u0003\u0001',
    'PRI * HTTP/2.0',
    `GET / HTTP/1.1\r\nHost: ${'x'.repeat(70_000)}`,
  ])('%j is no request, and the server goes on', async (text) => {
    expect(await raw(`${text}\r\n\r\n`)).toMatch(/^HTTP\/1.1 4|^$/);
    expect((await get('/')).status).toBe(200);
  });

  it.each(['/%', '/%ff', '/hub/%', '/models/%00', '/hub/..%2f..%2fetc/passwd'])('%s is no file', async (path) => {
    expect([400, 403, 404]).toContain((await get(path)).status);
  });
});

describe('pages of elsewhere', () => {
  it.each([
    ['evil.example', 403],
    ['evil.example:8787', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost', 200],
    ['localhost:1234', 200],
    ['[::1]:1234', 200],
    ['127.0.0.1', 200],
    ['a b', 403],
  ])('do not reach this machine through a name of theirs: Host %s is answered with %i', async (host, status) => {
    expect((await get('/', { host })).status).toBe(status);
    expect(await raw(upgrade('/room', [], host))).toContain(status === 200 ? ' 101 ' : ' 403 ');
  });

  it('read nothing: no answer names an origin', async () => {
    for (const path of ['/', '/config.json', '/peer/', '/peer/peerjs/id', '/hub/inside/file.txt']) {
      const { headers } = await get(path, { origin: 'http://evil.example' });
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

describe('every answer', () => {
  it.each(['/', '/config.json', '/hub/inside/file.txt', '/absent'])(
    'says what may run and who may be asked: %s',
    async (path) => {
      const { headers } = await get(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe-inline');
      const connects = /connect-src ([^;]*)/.exec(policy)?.[1].split(' ');
      const host = `127.0.0.1:${server.port}`;
      expect(connects).toEqual([
        "'self'",
        `ws://${host}`,
        `wss://${host}`,
        'https://huggingface.co',
        'https://*.huggingface.co',
        'https://*.hf.co',
      ]);
      expect(headers.get('permissions-policy')).toContain('camera=()');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    },
  );

  it('names the hubs that the server names, and no other', async () => {
    const named = await start({ hubEndpoints: ['https://hub.example/mirror'] });
    const response = await fetch(`http://127.0.0.1:${named.port}/`);
    expect(response.headers.get('content-security-policy')).toMatch(/wss:\S+ https:\/\/hub.example;/);
    await named.close();
  });

  it('tells nobody a secret who did not join', async () => {
    const { body } = await get('/config.json');
    expect(body).not.toMatch(/turn|credential|secret|ice/i);
    const { host, room } = await hostRoom(server.port);
    const welcome = await (await enter(server.port, room, 'tabtabtab')).message('welcome');
    expect(welcome.introduction.iceServers).toEqual([
      {
        urls: 'turn:192.0.2.1:3478',
        username: expect.stringMatching(/^\d+:tabtabtab$/),
        credential: expect.any(String),
      },
    ]);
    host.send({ type: 'leave' });
    host.socket.close();
    await host.closed;
  });
});

describe('links', () => {
  it('do not lead out of a folder that is offered', async () => {
    for (const base of ['/hub', `/hub/local/model/resolve/main`, '/models', ''])
      for (const path of ['link.txt', 'up/outside.txt', 'up/state', 'up'])
        expect([base, path, (await get(`${base}/${path}`)).status]).toEqual([base, path, 404]);
    expect((await get('/hub/inside/file.txt')).body).toBe('yours');
    expect((await get('/hub/alias/file.txt')).body).toBe('yours');
  });
});

describe('the log', () => {
  it('is one line an entry, without codes, names or keys', async () => {
    logged.length = 0;
    const { host, room } = await hostRoom(server.port, { id: 'loggedhost' });
    host.send({ type: 'leave' });
    host.socket.close();
    await host.closed;
    expect(logged).toHaveLength(2);
    for (const line of logged) {
      expect(line).not.toMatch(new RegExp(`${room}|loggedhost|[\\n\\u001b]`));
      expect(line).toMatch(/open/);
    }
  });

  it('shows what would move the cursor', async () => {
    const lines: string[] = [];
    const odd = await start({
      log: (line) => lines.push(line),
      planner: {
        plan: () => {
          throw new Error('\u001b[2J\nforged');
        },
        close: () => Promise.resolve(),
      },
    });
    const { host } = await hostRoom(odd.port);
    const { profile } = await import('../protocol/samples.ts');
    host.send({ type: 'profile', profile: profile() });
    await host.closed;
    const line = lines.find((one) => one.includes('forged'));
    expect(line).toContain('\\u001b[2J\\nforged');
    await odd.close();
  });
});
