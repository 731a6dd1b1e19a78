import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startServer } from '../../signaling/server/server.ts';
import { needs } from '../needs.ts';
import { DEALT } from './dealt-plans.ts';
import { HeadlessRoom } from './headless-room.ts';

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const COTURN = ['/usr/bin/turnserver', '/usr/local/bin/turnserver', '/opt/homebrew/bin/turnserver'].find((path) =>
  existsSync(path),
);
/** WebRTC in Node gathers nothing on loopback. */
const ADDRESS = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
const SECRET = 'shared by coturn and Tabloom';

async function freePort(host: string): Promise<number> {
  const probe = createSocket('udp4').bind(0, host);
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}

const NEED = {
  here: COTURN !== undefined && ADDRESS !== undefined,
  reason: 'coturn is not installed, or no interface but loopback is up',
};

it(
  'a device that reaches the host through coturn alone trains with it, by credentials that the server made',
  needs(NEED),
  async () => {
    const host = ADDRESS ?? '';
    const port = await freePort(host);
    const folder = await mkdtemp(join(tmpdir(), 'tabloom-relay-'));
    const turn = spawn(
      COTURN ?? '',
      [
        ...['-n', '-v', '-L', host, '-E', host, '-p', String(port), '--relay-ip', host, '--realm', 'tabloom'],
        ...[
          '--use-auth-secret',
          '--static-auth-secret',
          SECRET,
          '--no-tls',
          '--no-dtls',
          '--no-cli',
          '--no-multicast-peers',
        ],
        ...['--pidfile', join(folder, 'pid'), '--userdb', join(folder, 'db'), '--log-file', 'stdout', '--simple-log'],
      ],
      { cwd: folder, stdio: 'pipe' },
    );
    let said = '';
    for (const stream of [turn.stdout, turn.stderr]) stream.on('data', (data) => (said += String(data)));
    const server = await startServer({
      port: 0,
      host: '127.0.0.1',
      pageFolder: null,
      modelsFolder: project('models'),
      hubFolder: null,
      planner: DEALT,
      iceServers: [{ urls: `turn:${host}:${port}?transport=udp` }],
      turnSecret: SECRET,
      log: () => undefined,
    });
    const room = await HeadlessRoom.open(`http://127.0.0.1:${server.port}`, 'crunch', { rounds: 2, evaluateEvery: 2 });
    try {
      await room.addDevice('far', 2e9, ['--relay']);
      const view = await room.ready(2);
      const far = view.room?.devices.find(({ name }) => name === 'far')?.id ?? '';
      await room.until(({ links }) => links[far] !== undefined);
      expect(room.view.links[far]?.way, said).toBe('relayed');
      room.session.start();
      const { rounds } = await room.finished();
      expect(rounds.map(({ devices }) => devices.some(({ device }) => device === far))).toEqual([true, true]);
      expect(said).toContain('ALLOCATE processed, success');
    } finally {
      await room.close();
      await server.close();
      turn.kill('SIGTERM');
      await once(turn, 'exit');
      await rm(folder, { recursive: true, maxRetries: 9 });
    }
  },
);
