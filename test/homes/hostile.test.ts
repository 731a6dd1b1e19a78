import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { Client } from '../server/client.ts';
import { type RunningHome, startHome } from './home.ts';

let server: RunningHome;

beforeAll(async () => {
  server = await startHome();
});
afterAll(() => server.close());

describe('a message that is none', () => {
  const LONG = 1_000_000;
  it.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['bytes', Buffer.from([1, 2, 3])],
    ['a list', '[]'],
    ['null', 'null'],
    ['another prototype', '{"__proto__":{"type":"create"},"type":"constructor"}'],
    ['a deep one', `{"type":"create","settings":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    ['a long one', `"${'x'.repeat(LONG)}"`],
    ['half a pair', '{"type":"join\ud800"}'],
  ])('is answered with a sentence or the end of its connection: %s', async (_, message) => {
    const client = await new Client(server.port).open();
    client.socket.send(message);
    const first = await Promise.race([
      client.message('error').then((m) => m.refused),
      client.closed.then(() => 'closed'),
    ]);
    expect([true, 'closed']).toContain(first);
    client.socket.terminate();
    expect((await fetch(`http://127.0.0.1:${server.port}/health`)).status).toBe(200);
  });
});

describe('pages of elsewhere', () => {
  it.each([
    ['/room', 'http://evil.example', '403'],
    ['/room', 'null', '403'],
    ['/room', 'http://127.0.0.1:1', '403'],
    ['/peer/peerjs?key=zzzzzz&id=a&token=b', 'http://evil.example', '403'],
    ['/room', 'ORIGIN', '101'],
  ])('open %s from %s: %s', async (url, origin, status) => {
    const from = origin === 'ORIGIN' ? `http://127.0.0.1:${server.port}` : origin;
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${url}`, { headers: { origin: from } });
    const outcome = await new Promise<string>((resolve) => {
      socket.once('open', () => resolve('101'));
      socket.once('error', (error) => resolve(/\d{3}/.exec(error.message)?.[0] ?? error.message));
    });
    expect(outcome).toBe(status);
    socket.terminate();
  });

  it('may connect where they were named', async () => {
    const named = await startHome({ allowOrigins: ['https://pages.example'] });
    const client = await new Client(named.port, { origin: 'https://pages.example' }).open();
    expect((await client.message('hello')).version).toBe(PROTOCOL_VERSION);
    client.socket.terminate();
    await named.close();
  });
});

describe('one address', () => {
  it('has no more connections than it may, believed from a proxy or not', async () => {
    const small = await startHome({ limits: { connectionsOfAddress: 3 }, trustProxy: true });
    const statuses = async (count: number, headers: Record<string, string>): Promise<number[]> => {
      const found: number[] = [];
      for (let i = 0; i < count; i++) {
        const socket = new WebSocket(`ws://127.0.0.1:${small.port}/room`, { headers });
        found.push(
          await new Promise((resolve) => {
            socket.once('open', () => resolve(101));
            socket.once('error', (error) => resolve(Number(/\d{3}/.exec(error.message)?.[0])));
          }),
        );
      }
      return found;
    };
    expect(await statuses(5, { 'x-forwarded-for': '192.0.2.1' })).toEqual([101, 101, 101, 429, 429]);
    // What somebody told the proxy stands before what the proxy says.
    expect(await statuses(1, { 'x-forwarded-for': '203.0.113.9, 192.0.2.1' })).toEqual([429]);
    expect(await statuses(1, { 'x-forwarded-for': '192.0.2.2' })).toEqual([101]);
    await small.close();
    const plain = await startHome({ limits: { connectionsOfAddress: 1 } });
    const first = await new Client(plain.port, { 'x-forwarded-for': '192.0.2.1' }).open();
    await expect(new Client(plain.port, { 'x-forwarded-for': '192.0.2.2' }).open()).rejects.toThrow('429');
    first.socket.terminate();
    await plain.close();
  });
});
