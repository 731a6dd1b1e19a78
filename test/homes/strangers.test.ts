import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';
import { Client, enter, hostRoom, self } from '../server/client.ts';
import { type HomeOptions, type RunningHome, startHome } from './home.ts';

/** What strangers get out of a home, and what they do not. */

let server: RunningHome;
const lines: string[] = [];
const optional: RunningHome[] = [];
const clients: Client[] = [];
const another = async (options: HomeOptions): Promise<RunningHome> => {
  const started = await startHome(options);
  optional.push(started);
  return started;
};
const kept = (client: Client): Client => {
  clients.push(client);
  return client;
};

beforeAll(async () => {
  server = await startHome({ log: (line) => lines.push(line) });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.terminate();
  for (const one of optional.splice(0)) await one.close();
});
afterAll(() => server.close());

describe('secrets', () => {
  it('of a TURN server reach only devices that are in, as credentials that expire', async () => {
    const turn = { urls: 'turn:turn.example.org:3478' };
    const { port } = await another({ iceServers: [turn], turnSecret: 'shared with coturn' });
    const config = await (await fetch(`http://127.0.0.1:${port}/config.json`)).text();
    expect(config).not.toContain('turn');
    const { host } = await hostRoom(port);
    kept(host);
    const { introduction } = await host.message('welcome');
    const [server] = introduction.iceServers;
    const [expires] = (server.username ?? '').split(':');
    expect(server.urls).toBe(turn.urls);
    expect(Number(expires) - Date.now() / 1000).toBeGreaterThan(1800);
    expect(Number(expires) - Date.now() / 1000).toBeLessThan(2 * 3600);
    expect(JSON.stringify(introduction)).not.toContain('shared with coturn');
  });

  it('and codes of rooms are in no line of the log, which no name can forge', async () => {
    lines.length = 0;
    const { host, room } = await hostRoom(server.port);
    kept(host);
    const device = { ...self('forger00'), name: 'a\n\u001b[31mfake line\u202e' };
    const forger = kept(await new Client(server.port, {}, room).open());
    forger.send({ type: 'join', version: PROTOCOL_VERSION, device, room, watch: false });
    await Promise.race([forger.message('error'), forger.message('welcome')]);
    host.send({ type: 'leave' });
    host.socket.close();
    await host.closed;
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(line).not.toContain(room);
      expect(line).not.toMatch(/\p{Cc}|\p{Cf}/u);
    }
  });
});

describe('rooms', () => {
  it('are closed to an address that guesses codes, at the right one, too', async () => {
    const { port } = await another({ limits: { wrongGuessesOfAddress: { perSecond: 0.01, burst: 5 } } });
    const { host, room } = await hostRoom(port);
    kept(host);
    for (let i = 0; i < 6; i++) {
      const stranger = kept(await enter(port, `zzzzz${2 + i}`, `stranger${i}`));
      expect((await stranger.message('error')).refused).toBe(true);
    }
    const stranger = kept(await enter(port, room, 'strangerx'));
    expect((await stranger.message('error')).sentence).toMatch(/try again/i);
  });

  it('cannot be used up by one address', async () => {
    const { port } = await another({ limits: { roomsOfAddress: 3 } });
    for (let i = 0; i < 3; i++) kept((await hostRoom(port, { id: `hosthost${i}` })).host);
    const greedy = kept(await new Client(port).open());
    greedy.send({
      type: 'create',
      version: PROTOCOL_VERSION,
      device: self('greedy00'),
      settings: SETTINGS,
      ...OPEN_DOOR,
    });
    expect((await greedy.message('error')).sentence).toContain('one address');
  });

  it('that a server forgot are given to nobody but their host', async () => {
    const secret = new Uint8Array(32).fill(7);
    const before = await another({ secret });
    const { host, room } = await hostRoom(before.port);
    const { claim } = await host.message('welcome');
    host.socket.terminate();
    const { port } = await another({ secret });
    const create = async (id: string, shown: string | undefined) => {
      const client = kept(await new Client(port, {}, room).open());
      const message = {
        type: 'create',
        version: PROTOCOL_VERSION,
        device: self(id),
        settings: SETTINGS,
        ...OPEN_DOOR,
        room,
      } as const;
      client.send(shown === undefined ? message : { ...message, claim: shown });
      return client;
    };
    for (const shown of [undefined, '0'.repeat(64), claim])
      expect((await (await create('stranger', shown)).message('error')).refused).toBe(true);
    expect((await (await create('hosthost', claim)).message('welcome')).room).toBe(room);
  });
});

describe('introductions', () => {
  const line = (port: number, room: string, { id, token }: { id: string; token: string }) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/peer/peerjs?key=${room}&id=${id}&token=${token}`);
    const heard: { type: string; src?: string; payload?: unknown }[] = [];
    const waiting: (() => void)[] = [];
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      heard.push(JSON.parse(data.toString()));
      for (const look of waiting.splice(0)) look();
    });
    const until = async (type: string): Promise<(typeof heard)[number]> => {
      for (;;) {
        const found = heard.find((m) => m.type === type);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    };
    return { socket, heard, until };
  };
  const offer = (dst: string) =>
    JSON.stringify({
      type: 'OFFER',
      dst,
      payload: {
        sdp: { type: 'offer', sdp: 'v=0' },
        type: 'data',
        connectionId: 'dc_1',
        label: 'dc_1',
        reliable: true,
        serialization: 'binary',
      },
    });

  it('are made between devices of one room, and no others', async () => {
    const one = await hostRoom(server.port);
    const two = await hostRoom(server.port, { id: 'hostofit' });
    const mate = await enter(server.port, one.room, 'matemate');
    [one.host, two.host, mate].forEach(kept);
    const [a, b, c] = await Promise.all(
      [one.host, mate, two.host].map(async (client) => (await client.message('welcome')).introduction),
    );
    const lines = [a, b, c].map((introduction, i) => line(server.port, i < 2 ? one.room : two.room, introduction));
    await Promise.all(lines.map(({ until }) => until('OPEN')));
    const [ofA, ofB, ofC] = lines;
    ofA.socket.send(offer(c.id));
    expect((await ofA.until('EXPIRE')).src).toBe(c.id);
    ofA.socket.send(offer(b.id));
    expect((await ofB.until('OFFER')).src).toBe(a.id);
    expect(ofC.heard.map(({ type }) => type)).toEqual(['OPEN']);
    for (const { socket } of lines) socket.terminate();
  });

  it('are not made for an id with another token, nor for one that nobody was given', async () => {
    const { host, room } = await hostRoom(server.port);
    kept(host);
    const { introduction } = await host.message('welcome');
    const stolen = line(server.port, room, { ...introduction, token: '0'.repeat(32) });
    expect((await stolen.until('ID-TAKEN')).type).toBe('ID-TAKEN');
    const invented = line(server.port, room, { id: 'inventedid', token: '0'.repeat(32) });
    expect((await invented.until('ERROR')).type).toBe('ERROR');
    const own = line(server.port, room, introduction);
    await own.until('OPEN');
    for (const { socket } of [stolen, invented, own]) socket.terminate();
  });
});
