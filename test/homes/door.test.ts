import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MAX_WAITING_OF_ADDRESS } from '../../signaling/connection/door/entrance.ts';
import { passHashOf, passOf, secretOf } from '../../signaling/protocol/door/secret.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { Client, enter, hostRoom, self } from '../server/client.ts';
import { type RunningHome, startHome } from './home.ts';

/** The door at a real home, over real sockets. */

const PASS = passOf(secretOf(new Uint8Array(16).fill(5)));
const passHash = passHashOf(PASS);
let server: RunningHome;
const lines: string[] = [];
const clients: Client[] = [];
const kept = (client: Client): Client => {
  clients.push(client);
  return client;
};

beforeAll(async () => {
  server = await startHome({
    iceServers: [{ urls: 'turn:turn.example.org', username: 'u', credential: 'p' }],
    log: (line) => lines.push(line),
    // None comes back while the test lasts, on however slow a machine.
    limits: { looksOfAddress: { perSecond: 0.01, burst: 120 } },
  });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.socket.terminate();
});
afterAll(() => server.close());

const entrance = (client: Client) =>
  client.received.flatMap((m) => (m.type === 'news' && m.entrance !== undefined ? [m.entrance] : [])).at(-1);
const answer = async (client: Client): Promise<string> =>
  (await Promise.race([client.message('welcome'), client.message('waiting'), client.message('error')])).type;

describe('a door', () => {
  it('is looked at from outside, waited at, and opened by the host alone', async () => {
    const { host, room } = await hostRoom(server.port, { passHash, door: 'ask', cap: 3 });
    kept(host);
    const looker = kept(await new Client(server.port, {}, room).open());
    looker.send({ type: 'look', version: PROTOCOL_VERSION, room, pass: PASS });
    const { look } = await looker.message('outside');
    expect(look).toMatchObject({ door: 'ask', pass: 'right', devices: 1, cap: 3 });

    const stranger = kept(await enter(server.port, room, 'stranger0'));
    expect(await answer(stranger)).toBe('waiting');
    await host.message('news', ({ entrance: seen }) => seen?.waiting.length === 1);
    // It opens nothing itself, and learns nothing: no address to be linked by, no password of a server that helps.
    for (const message of [
      { type: 'admit', device: 'stranger0' } as const,
      { type: 'door', door: 'open', cap: 64 } as const,
    ])
      stranger.send(message);
    stranger.send({ type: 'ping' });
    await stranger.message('pong');
    expect(stranger.received.map(({ type }) => type)).toEqual(['hello', 'waiting', 'pong']);
    host.send({ type: 'admit', device: 'stranger0' });
    const welcome = await stranger.message('welcome');
    expect(welcome.introduction.iceServers).toHaveLength(1);

    host.send({ type: 'remove', device: 'stranger0' });
    expect((await stranger.message('closed')).sentence).toContain('took this device out');
    await stranger.closed;
    expect((await kept(await enter(server.port, room, 'stranger0', { pass: PASS })).message('error')).why).toBe(
      'removed',
    );
    host.send({ type: 'leave' });
    host.socket.close();
    await host.closed;
    for (const line of lines)
      for (const secret of [room, PASS, passHash, 'stranger0']) expect(line).not.toContain(secret);
  });

  it('is not held against the invited by strangers who knock and go, again and again', async () => {
    const { host, room } = await hostRoom(server.port, { passHash, door: 'link' });
    kept(host);
    const before = host.bytes;
    const stay = await Promise.all(
      Array.from({ length: MAX_WAITING_OF_ADDRESS + 2 }, (_, i) => enter(server.port, room, `stays0000${i}`)),
    );
    for (const client of stay) kept(client);
    const answers = await Promise.all(stay.map(answer));
    expect(answers.filter((type) => type === 'waiting')).toHaveLength(MAX_WAITING_OF_ADDRESS);
    stay.find((_, i) => answers[i] === 'waiting')?.socket.terminate();
    const knocks: string[] = [];
    await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        for (let count = 0; count < 30; count++) {
          const client = await new Client(server.port, {}, room).open();
          const device = { ...self(`knock${i}x${count}`), name: '\u{1f6aa}'.repeat(20) };
          client.send({ type: 'join', version: PROTOCOL_VERSION, device, room, watch: false });
          knocks.push(await answer(client));
          client.socket.terminate();
          await client.closed;
        }
      }),
    );
    expect(knocks).toHaveLength(300);
    // An address has so many looks at once; after them it is not heard for a while.
    expect(knocks.filter((type) => type === 'waiting').length).toBeLessThan(130);
    expect(host.bytes - before).toBeLessThan(400_000);
    const invited = kept(await enter(server.port, room, 'invited00', { pass: PASS }));
    expect(await answer(invited)).toBe('welcome');
    await host.message('room', ({ room: seen }) => seen.devices.length === 2);
    expect(entrance(host)?.waiting.length).toBeLessThanOrEqual(MAX_WAITING_OF_ADDRESS);
  });
});
