import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { type RequestOptions, request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectSecure } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { certify, type KeyPair, newAuthority } from '../../signaling/server/tls/authority.ts';
import { filedCertificates } from '../../signaling/server/tls/certificates.ts';
import { AUTHORITY_FILES, keptAuthority } from '../../signaling/server/tls/kept-authority.ts';
import { machineNames } from '../../signaling/server/tls/machine.ts';

const MACHINE = { names: ['loom', 'loom.local'], addresses: ['127.0.0.1', '::1', '192.168.7.9'] };
const NOW_MS = Date.now();
const DAY_MS = 86_400_000;

let folder: string;
let authority: KeyPair;
let server: RunningServer;
/** What the server's certificate is asked for next. */
let machine = MACHINE;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-tls-'));
  await writeFile(join(folder, 'index.html'), '<title>page</title>');
  authority = await newAuthority(MACHINE, NOW_MS);
  server = await serve();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const serve = () =>
  startServer({
    port: 0,
    host: '127.0.0.1',
    allowOrigins: ['https://loom.local'],
    pageFolder: folder,
    modelsFolder: folder,
    hubFolder: null,
    iceServers: [],
    certificates: {
      subject: () => '',
      certificate: () => certify(authority, machine, NOW_MS),
      authority: authority.certificate,
    },
    log: () => undefined,
  });

type Answer = { readonly status: number; readonly location: string | undefined; readonly type: string | undefined };
const answer = (options: RequestOptions, secure: boolean, port = server.port): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const to = { host: '127.0.0.1', port, ...options };
    const request = secure ? requestHttps({ ca: authority.certificate, ...to }) : requestHttp(to);
    request.once('error', reject);
    request.once('response', (response) => {
      response.resume();
      const { location, 'content-type': type } = response.headers;
      resolve({ status: response.statusCode ?? 0, location, type });
    });
    request.end();
  });

describe('one port', () => {
  it('speaks https to those who trust the authority, and to nobody else', async () => {
    expect((await answer({ path: '/' }, true)).status).toBe(200);
    expect((await answer({ path: '/', servername: 'loom.local' }, true)).status).toBe(200);
    await expect(answer({ path: '/', ca: undefined }, true)).rejects.toThrow(/self.signed/);
    await expect(answer({ path: '/', servername: 'example.org' }, true)).rejects.toThrow(/does not match/);
  });

  it('sends people who ask by http to https, and nothing else', async () => {
    const asPage = { accept: 'text/html,application/xhtml+xml', host: `loom.local:${server.port}` };
    const there = { status: 307, location: `https://loom.local:${server.port}/?a=1` };
    // The Host check of a server on loopback knows the name without a port.
    const named = { ...asPage, host: 'loom.local' };
    expect(await answer({ path: '/?a=1', headers: named }, false)).toMatchObject({
      ...there,
      location: 'https://loom.local/?a=1',
    });
    expect((await answer({ path: '/', headers: { ...asPage, host: 'localhost' } }, false)).status).toBe(200);
    expect((await answer({ path: '/config.json', headers: { host: 'loom.local', accept: '*/*' } }, false)).status).toBe(
      200,
    );
    expect((await answer({ path: '/', headers: named }, true)).status).toBe(200);
  });

  it('opens rooms to either', async () => {
    for (const scheme of ['ws', 'wss']) {
      const socket = new WebSocket(`${scheme}://127.0.0.1:${server.port}/room`, { ca: authority.certificate });
      const first = await new Promise((resolve, reject) => {
        socket.once('message', (data) => resolve(JSON.parse(data.toString())));
        socket.once('error', reject);
      });
      expect(first).toMatchObject({ type: 'hello' });
      socket.terminate();
    }
  });

  it('outlives what is neither', async () => {
    for (const bytes of [Buffer.from([22]), Buffer.from([22, 3, 1, 255, 255, 0]), Buffer.from([0]), Buffer.alloc(0)]) {
      const socket = connect(server.port, '127.0.0.1');
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.on('error', () => undefined);
      socket.end(bytes);
      await new Promise((resolve) => socket.resume().once('close', resolve));
    }
    expect((await answer({ path: '/health' }, true)).status).toBe(200);
  });

  it('closes who says a request a letter at a time, over TLS as without', async () => {
    const plain = connect(server.port, '127.0.0.1');
    const secure = connectSecure({ port: server.port, host: '127.0.0.1', ca: authority.certificate });
    const began = performance.now();
    const sockets = [plain, secure];
    const ended = sockets.map((socket) => {
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\nX-Long: ');
      socket.resume();
      return new Promise<number>((resolve) => socket.once('close', () => resolve(performance.now() - began)));
    });
    const dripping = setInterval(() => sockets.map((socket) => socket.writable && socket.write('x')), 200);
    const late = new Promise<number[]>((resolve) => setTimeout(() => resolve([Infinity]), 25_000));
    const tookMs = await Promise.race([Promise.all(ended), late]);
    clearInterval(dripping);
    for (const socket of sockets) socket.destroy();
    expect(Math.max(...tookMs)).toBeLessThan(25_000);
  });

  it('hands out the authority, never its key', async () => {
    expect(await answer({ path: '/trust/tabloom.crt' }, true)).toMatchObject({
      status: 200,
      type: 'application/x-x509-ca-cert',
    });
    for (const path of ['/trust/authority-key.pem', '/trust/', '/trust/key'])
      expect([path, (await answer({ path }, true)).status]).toEqual([path, 404]);
  });
});

describe('the authority', () => {
  it('vouches for this machine and private networks only', async () => {
    for (const [wrong, names, addresses] of [
      ['a name elsewhere', ['example.org'], ['127.0.0.1']],
      ['an address of the internet', [], ['127.0.0.1', '203.0.113.7']],
    ] as const) {
      machine = { names: [...names], addresses: [...addresses] };
      const other = await serve();
      await expect(answer({ path: '/' }, true, other.port), wrong).rejects.toThrow(/permitted subtree/);
      await other.close();
    }
    machine = MACHINE;
  });

  it('and its certificates last no longer than browsers take', async () => {
    const leaf = new X509Certificate((await certify(authority, MACHINE, NOW_MS)).certificate);
    const days = ({ validFrom, validTo }: X509Certificate) => (Date.parse(validTo) - Date.parse(validFrom)) / DAY_MS;
    expect(days(leaf)).toBeLessThanOrEqual(398);
    expect(days(leaf)).toBeGreaterThan(300);
    expect(days(new X509Certificate(authority.certificate))).toBeLessThanOrEqual(825);
    // Near its own end the authority vouches for nothing beyond it.
    const late = new X509Certificate((await certify(authority, MACHINE, NOW_MS + 700 * DAY_MS)).certificate);
    expect(late.validTo).toBe(new X509Certificate(authority.certificate).validTo);
  });

  it('is kept, readable by its owner alone, until it ends or the machine is called otherwise', async () => {
    const kept = join(folder, 'kept');
    const first = await keptAuthority(kept, MACHINE, NOW_MS);
    for (const name of Object.values(AUTHORITY_FILES))
      expect([name, (await stat(join(kept, name))).mode & 0o777]).toEqual([name, 0o600]);
    expect(await keptAuthority(kept, { ...MACHINE, addresses: ['10.0.0.1'] }, NOW_MS)).toEqual(first);
    expect((await keptAuthority(kept, MACHINE, NOW_MS + 790 * DAY_MS))?.certificate).toBe(first?.certificate);
    expect((await keptAuthority(kept, MACHINE, NOW_MS + 800 * DAY_MS))?.certificate).not.toBe(first?.certificate);
    const second = await keptAuthority(kept, { ...MACHINE, names: ['spindle'] }, NOW_MS);
    expect(second?.certificate).not.toBe(first?.certificate);
    await writeFile(join(kept, AUTHORITY_FILES.key), authority.key);
    const third = await keptAuthority(kept, { ...MACHINE, names: ['spindle'] }, NOW_MS);
    expect(third?.key).not.toBe(authority.key);
    expect(await readFile(join(kept, AUTHORITY_FILES.key), 'utf8')).toBe(third?.key);
    expect(await keptAuthority(join(folder, 'index.html'), MACHINE, NOW_MS)).toBeNull();
  });
});

it('names of a machine are those that its network knows', () => {
  const face = (address: string, family: 'IPv4' | 'IPv6', scopeid = 0) =>
    ({ address, family, internal: false, netmask: '', mac: '', cidr: null, scopeid }) as never;
  const interfaces = {
    lo: [face('127.0.0.1', 'IPv4')],
    eth0: [
      face('192.168.7.9', 'IPv4'),
      face('203.0.113.7', 'IPv4'),
      face('fe80::1', 'IPv6', 2),
      face('fd12::5', 'IPv6'),
    ],
    docker: [face('172.17.0.1', 'IPv4'), face('172.32.0.1', 'IPv4')],
  };
  expect(machineNames('Loom.Home.Example', interfaces)).toEqual({
    names: ['loom.home.example', 'loom', 'loom.local'],
    addresses: ['127.0.0.1', '::1', '192.168.7.9', 'fd12::5', '172.17.0.1'],
  });
  expect(machineNames('my_laptop', {}).names).toEqual([]);
});

it('a certificate of one’s own is refused with a sentence where it is none', async () => {
  const pair = await certify(authority, MACHINE, NOW_MS);
  const [cert, key, other] = ['cert.pem', 'key.pem', 'other.pem'].map((name) => join(folder, name));
  await writeFile(cert, pair.certificate);
  await writeFile(key, pair.key);
  await writeFile(other, authority.key);
  expect(await (await filedCertificates(cert, key)).certificate()).toEqual(pair);
  await expect(filedCertificates(cert, other)).rejects.toThrow(/does not belong to the certificate/);
  await expect(filedCertificates(key, cert)).rejects.toThrow(/must be a certificate and its private key/);
  await expect(filedCertificates(join(folder, 'none.pem'), key)).rejects.toThrow(/cannot be read: ENOENT/);
});
