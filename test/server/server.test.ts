import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type ClientMessage, parseServerMessage, type ServerMessage } from '../../signaling/protocol/messages.ts';
import type { RoundReport } from '../../signaling/protocol/room-view.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

let server: RunningServer;
let folder: string;
const clients: Client[] = [];

const options = (port: number) => ({
  port,
  host: '127.0.0.1',
  pageFolder: folder,
  modelsFolder: folder,
  hubFolder: null,
  iceServers: [],
  log: () => undefined,
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-server-'));
  await writeFile(join(folder, 'index.html'), '<title>page</title>');
  await writeFile(join(folder, 'weights.bin'), Buffer.from('0123456789'));
  await writeFile(join(folder, '.secret'), 'no');
  server = await startServer(options(0));
});
afterEach(() => {
  for (const client of clients.splice(0)) client.socket.terminate();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** A control connection whose messages can be awaited. */
class Client {
  readonly socket: WebSocket;
  readonly received: ServerMessage[] = [];
  readonly #waiting: ((message: ServerMessage) => void)[] = [];

  constructor() {
    this.socket = new WebSocket(`ws://127.0.0.1:${server.port}/room`);
    this.socket.on('message', (data) => {
      const parsed = parseServerMessage(data.toString());
      if (!parsed.ok) throw new Error(parsed.sentence);
      this.received.push(parsed.value);
      for (const look of [...this.#waiting]) look(parsed.value);
    });
    clients.push(this);
  }

  async open(): Promise<this> {
    await new Promise((resolve) => this.socket.once('open', resolve));
    return this;
  }

  send(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  /** The first message, already received or still to come, that satisfies. */
  message<T extends ServerMessage['type']>(
    type: T,
    satisfies: (message: Extract<ServerMessage, { type: T }>) => boolean = () => true,
  ): Promise<Extract<ServerMessage, { type: T }>> {
    const fits = (m: ServerMessage): m is Extract<ServerMessage, { type: T }> =>
      m.type === type && satisfies(m as Extract<ServerMessage, { type: T }>);
    const known = this.received.find(fits);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => {
      const look = (m: ServerMessage): void => {
        if (!fits(m)) return;
        this.#waiting.splice(this.#waiting.indexOf(look), 1);
        resolve(m);
      };
      this.#waiting.push(look);
    });
  }
}

const self = (id: string) => ({ id, key: `${id}keykeykeykey0000`, name: id, kind: 'tab' as const });

async function hostRoom(): Promise<{ host: Client; room: string }> {
  const host = await new Client().open();
  host.send({ type: 'create', version: PROTOCOL_VERSION, device: self('hosthost'), settings: SETTINGS });
  const { room } = await host.message('room');
  return { host, room: room.id };
}

async function enter(room: string, id: string, watch = false): Promise<Client> {
  const client = await new Client().open();
  client.send({ type: 'join', version: PROTOCOL_VERSION, device: self(id), room, watch });
  return client;
}

describe('files', () => {
  it('are served with ranges, isolated, and nothing hidden', async () => {
    const at = (path: string, headers = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
    const page = await at('/');
    expect(await page.text()).toContain('page');
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    const part = await at('/models/weights.bin', { range: 'bytes=2-4' });
    expect([part.status, await part.text()]).toEqual([206, '234']);
    for (const path of ['/models/absent', '/models/.secret', '/hub/x', '/models/../package.json'])
      expect([path, (await at(path)).status]).toEqual([path, 404]);
    expect(await (await at('/config.json')).json()).toEqual({
      iceServers: [],
      hubPath: null,
      models: [],
      addresses: [],
    });
  });

  it('says that a port is taken', async () => {
    await expect(startServer(options(server.port))).rejects.toThrow(`Port ${server.port} is in use`);
  });
});

describe('rooms', () => {
  it('tell everybody who is there, plan for them, and relay the rounds', async () => {
    const { host, room } = await hostRoom();
    host.send({ type: 'profile', profile: profile() });
    const tab = await enter(room, 'tabtabtab');
    tab.send({ type: 'address', peerId: 'peer1' });
    await host.message('room', (m) => m.room.devices[1]?.peerId === 'peer1');
    host.send({ type: 'linked', device: 'tabtabtab', linked: true });
    tab.send({ type: 'profile', profile: profile() });
    const planned = await tab.message('room', (m) => m.room.plan?.assignments.length === 2);
    expect(planned.room.plan?.policy).toBe('crunch');
    const report = {
      round: 1,
      planVersion: planned.room.plan?.version ?? 0,
      loss: 0.69,
      learningRate: 1e-3,
      gradientNorm: 1,
      elapsedSeconds: 0.1,
      devices: [],
      reassigned: 0,
    };
    host.send({ type: 'round', report });
    expect((await tab.message('round')).report).toEqual(report);
    const late = await enter(room, 'latelate', true);
    expect((await late.message('history')).rounds).toEqual([report]);
    tab.send({ type: 'leave' });
    const after = await host.message(
      'room',
      (m) => m.room.devices[1]?.id === 'latelate' && m.room.plan?.assignments.length === 1,
    );
    expect(after.room.plan?.assignments.map((a) => a.device)).toEqual(['hosthost']);
  });

  it('answer with a sentence: unknown room, taken id, bad message, things that only the host may do', async () => {
    const { room } = await hostRoom();
    const lost = await enter('zzzzzz', 'lostlost');
    expect(await lost.message('error')).toMatchObject({ refused: true, sentence: expect.stringContaining('zzzzzz') });
    const thief = await new Client().open();
    thief.send({
      type: 'join',
      version: PROTOCOL_VERSION,
      room,
      watch: false,
      device: { ...self('hosthost'), key: 'wrongwrongwrong0' },
    });
    expect(await thief.message('error')).toMatchObject({ refused: true });
    const tab = await enter(room, 'tabtabtab');
    await tab.message('room');
    tab.send({ type: 'phase', phase: 'training' });
    expect(await tab.message('error')).toEqual({
      type: 'error',
      sentence: 'Only the host may do this.',
      refused: false,
    });
    tab.socket.send('{"type":"profile"}');
    const wrong = await tab.message('error', (m) => m.sentence.includes('profile'));
    expect(wrong.refused).toBe(false);
  });

  it('close for everybody when the host leaves', async () => {
    const { host, room } = await hostRoom();
    const tab = await enter(room, 'tabtabtab');
    await tab.message('room');
    host.send({ type: 'leave' });
    expect((await tab.message('closed')).sentence).toBe('The host ended the session.');
    const late = await enter(room, 'latelate');
    expect((await late.message('error')).refused).toBe(true);
  });

  it('come back under their code when the host returns to a server that forgot them', async () => {
    const { host, room } = await hostRoom();
    host.socket.terminate();
    const port = server.port;
    await server.close();
    server = await startServer(options(port));
    const early = await enter(room, 'tabtabtab');
    expect((await early.message('error')).refused).toBe(true);
    const again = await new Client().open();
    again.send({ type: 'create', version: PROTOCOL_VERSION, device: self('hosthost'), settings: SETTINGS, room });
    expect((await again.message('room')).room.id).toBe(room);
    const tab = await enter(room, 'tabtabtab');
    expect((await tab.message('room')).room.devices).toHaveLength(2);
  });

  it('take the history of a session that goes on, and tell it whoever comes', async () => {
    const { host, room } = await hostRoom();
    const tab = await enter(room, 'tabtabtab');
    await tab.message('room');
    const round = (n: number): RoundReport => ({
      round: n,
      planVersion: 1,
      loss: 1 / n,
      learningRate: 1e-3,
      gradientNorm: 1,
      elapsedSeconds: 1,
      devices: [],
      reassigned: 0,
    });
    host.send({ type: 'history', rounds: [1, 2, 3].map(round), scores: [] });
    await tab.message('history', ({ rounds }) => rounds.length === 3);
    // It went on from round 2: the third is trained again.
    host.send({ type: 'round', report: { ...round(3), loss: 9 } });
    await tab.message('round');
    const late = await enter(room, 'latelate');
    const { rounds } = await late.message('history');
    expect(rounds.map(({ loss }) => loss)).toEqual([1, 1 / 2, 9]);
    tab.send({ type: 'history', rounds: [], scores: [] });
    expect((await tab.message('error')).sentence).toBe('Only the host may do this.');
  });

  it('let go of a socket that floods them', async () => {
    const { host } = await hostRoom();
    const closed = new Promise((resolve) => host.socket.once('close', resolve));
    for (let i = 0; i < 500; i++) host.send({ type: 'ping' });
    await closed;
  });

  it('share the port with PeerServer, and refuse other sockets', async () => {
    const peer = new WebSocket(`ws://127.0.0.1:${server.port}/peer/peerjs?key=peerjs&id=abc&token=t`);
    const hello = await new Promise((resolve) => peer.once('message', (data) => resolve(JSON.parse(data.toString()))));
    expect(hello).toEqual({ type: 'OPEN' });
    peer.terminate();
    const other = new WebSocket(`ws://127.0.0.1:${server.port}/elsewhere`);
    const error = await new Promise<Error>((resolve) => other.once('error', resolve));
    expect(error.message).toContain('404');
  });
});
