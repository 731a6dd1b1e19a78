import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ROOM_ID_ALPHABET } from '../../signaling/protocol/ids.ts';
import type { RoomView } from '../../signaling/protocol/room-view.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { RoomClient } from '../../web/session/links/room-client.ts';
import type { ControlSocket } from '../../web/session/transport/control-socket.ts';
import { ServerSockets } from '../../web/session/transport/server-sockets.ts';
import { needs } from '../needs.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';
import { self } from '../server/client.ts';
import { FakeSocket } from '../session/fake-socket.ts';
import { TabloomProcess } from './tabloom-process.ts';

const NGINX = ['/usr/sbin/nginx', '/usr/local/bin/nginx', '/opt/homebrew/bin/nginx'].find((path) => existsSync(path));
const CONFIGURATION = fileURLToPath(new URL('../../docs/deploy/nginx-several.conf', import.meta.url));
const ROOMS = 8;

async function freePorts(count: number): Promise<number[]> {
  const probes = await Promise.all(
    Array.from({ length: count }, async () => {
      const probe = createServer().listen(0, '127.0.0.1');
      await once(probe, 'listening');
      return probe;
    }),
  );
  return probes.map((probe) => {
    const address = probe.address();
    probe.close();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
}

/** `docs/deploy/nginx-several.conf` as it stands, but for names, ports and TLS. */
async function nginx(folder: string, port: number, processes: readonly number[]) {
  const site = (await readFile(CONFIGURATION, 'utf8'))
    .replaceAll('127.0.0.1:8787', `127.0.0.1:${processes[0]}`)
    .replaceAll('127.0.0.1:8788', `127.0.0.1:${processes[1]}`)
    .replace('listen 443 ssl', `listen 127.0.0.1:${port}`)
    .replace('server_name example.org', 'server_name localhost')
    .replace(/^\s*ssl_.*$/gm, '');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join('\n');
  const file = join(folder, 'nginx.conf');
  const main = `daemon off; pid ${join(folder, 'nginx.pid')}; error_log stderr; events {}`;
  await writeFile(file, `${main}\nhttp {\naccess_log off;\n${temporary}\n${site}}\n`);
  const args = ['-p', folder, '-c', file];
  execFileSync(NGINX ?? '', [...args, '-t'], { stdio: 'pipe' });
  return spawn(NGINX ?? '', args, { cwd: folder, stdio: 'ignore' });
}

/** Codes by the process that makes such. */
const sharesOf = (codes: readonly string[]): string[][] =>
  [0, 1].map((which) => codes.filter((code) => ROOM_ID_ALPHABET.indexOf(code[0]) % 2 === which));

/** A page's own connection to its room, over WebSockets or where there are none. */
function client(
  origin: string,
  sockets: boolean,
  ...[enter, code]: [ConstructorParameters<typeof RoomClient>[1], () => string | undefined]
) {
  const refused = (): ControlSocket => {
    const socket = new FakeSocket();
    queueMicrotask(() => socket.dispatchEvent(new Event('close')));
    return socket as unknown as ControlSocket;
  };
  const ways = new ServerSockets(origin, (url) => (sockets ? new WebSocket(url) : refused()));
  const room = new RoomClient({ origin, openSocket: (url) => ways.open(url) }, enter, code);
  const until = (fits: (view: RoomView) => boolean): Promise<RoomView> =>
    new Promise((resolve, reject) =>
      room.onMessage((message) => {
        if (message.type === 'room' && fits(message.room)) resolve(message.room);
        if (message.type === 'error') reject(new Error(message.sentence));
      }),
    );
  return { room, until };
}

it(
  'two processes behind nginx: each room lives in one, which its code leads to, and comes back there',
  needs({ here: NGINX !== undefined, reason: 'nginx is not installed' }),
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tabloom-several-'));
    const [port, ...ports] = await freePorts(3);
    const origin = `http://localhost:${port}/tabloom`;
    const before = process.env.XDG_STATE_HOME;
    process.env.XDG_STATE_HOME = folder;
    const serve = (which: number): TabloomProcess =>
      new TabloomProcess([
        ...['serve', '--port', String(ports[which]), '--share', `${which + 1}/2`],
        ...['--public-url', `${origin}/`, '--trust-proxy'],
      ]);
    const processes = [serve(0), serve(1)];
    const proxy = await nginx(folder, port, ports);
    const roomsOf = async (at: number): Promise<number> =>
      Number(/^tabloom_rooms (\d+)$/m.exec(await (await fetch(`http://localhost:${at}/metrics`)).text())?.[1]);
    const open: RoomClient[] = [];
    try {
      await Promise.all(processes.map((one) => one.until((said) => said.includes('is open at'))));
      await expect
        .poll(
          () =>
            fetch(`${origin}/health`).then(
              ({ ok }) => ok,
              () => false,
            ),
          { timeout: 60_000 },
        )
        .toBe(true);
      const codes: string[] = [];
      // Chance leads new sessions to either process.
      for (let i = 0; i < ROOMS || sharesOf(codes).some((share) => share.length === 0); i++) {
        const device = self(`hosthost${i}`);
        let code: string | undefined;
        // As a host does: under its code, once it has one.
        const host = client(
          origin,
          i % 2 === 0,
          () => [
            {
              ...{ type: 'create', version: PROTOCOL_VERSION, device, settings: SETTINGS, ...OPEN_DOOR },
              ...(code !== undefined && { room: code, claim: host.room.claim ?? undefined }),
            },
          ],
          () => code,
        );
        open.push(host.room);
        const first = await host.until(() => true);
        code = first.id;
        codes.push(first.id);
        const guest = client(
          origin,
          i % 3 === 0,
          () => [
            { type: 'join', version: PROTOCOL_VERSION, device: self(`guestguest${i}`), room: first.id, watch: false },
          ],
          () => first.id,
        );
        open.push(guest.room);
        expect((await guest.until(() => true)).devices.map(({ id }) => id)).toContain(device.id);
      }
      const shares = sharesOf(codes);
      expect(await Promise.all(ports.map(roomsOf))).toEqual(shares.map(({ length }) => length));
      // One process is started anew: its rooms come back to it, the other's never knew.
      processes[0].child.kill('SIGTERM');
      await processes[0].ended;
      processes[0] = serve(0);
      await expect.poll(() => roomsOf(ports[0]).catch(() => -1), { timeout: 60_000 }).toBe(shares[0].length);
      expect(await roomsOf(ports[1])).toBe(shares[1].length);
      const again = client(
        origin,
        true,
        () => [
          { type: 'join', version: PROTOCOL_VERSION, device: self('latelatelate'), room: shares[0][0], watch: true },
        ],
        () => shares[0][0],
      );
      open.push(again.room);
      expect((await again.until(() => true)).id).toBe(shares[0][0]);
    } finally {
      for (const room of open) room.close();
      for (const { child } of processes) child.kill('SIGTERM');
      proxy.kill('SIGTERM');
      await Promise.all([...processes.map(({ ended }) => ended), once(proxy, 'exit')]);
      if (before === undefined) delete process.env.XDG_STATE_HOME;
      else process.env.XDG_STATE_HOME = before;
      await rm(folder, { recursive: true, maxRetries: 9 });
    }
  },
);
