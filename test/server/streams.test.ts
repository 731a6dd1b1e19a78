import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MAX_CONNECTIONS_OF_STREAM } from '../../signaling/protocol/text/stream-text.ts';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';

/** Event streams, told to the server by hand: what they carry, and what they do not put up with. */
let server: RunningServer;
const OF_ADDRESS = 24;
const open: IncomingMessage[] = [];
const start = () =>
  startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: null,
    modelsFolder: '/nowhere',
    hubFolder: null,
    iceServers: [],
    log: () => undefined,
    limits: { connectionsOfAddress: OF_ADDRESS },
  });

beforeAll(async () => {
  server = await start();
});
afterEach(() => {
  for (const answer of open.splice(0)) answer.destroy();
});
afterAll(() => server.close());

function post(path: string, headers: Record<string, string> = {}, port = server.port): ClientRequest {
  const asked = request({ port, path, method: 'POST', headers });
  asked.on('error', () => undefined);
  return asked;
}

async function answerTo(asked: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return answer;
}

const status = async (path: string, body: string, headers: Record<string, string> = {}): Promise<number> => {
  const asked = post(path, headers);
  asked.end(body);
  const answer = await answerTo(asked);
  answer.resume();
  return answer.statusCode ?? 0;
};

async function openStream(headers: Record<string, string> = {}, port = server.port) {
  const asked = post('/stream', headers, port);
  asked.end();
  const answer = await answerTo(asked);
  open.push(answer);
  const events: string[] = [];
  let rest = '';
  const waiting = new Set<() => void>();
  answer.setEncoding('utf8').on('data', (data: string) => {
    const parts = (rest + data).split('\n\n');
    rest = parts.pop() ?? '';
    events.push(...parts.map((part) => part.replace(/^data: /, '')));
    for (const look of waiting) look();
  });
  answer.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => answer.once('close', () => resolve()));
  const event = (fits: (event: string) => boolean): Promise<string> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = events.find(fits);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  const token = (await event((text) => text.startsWith('='))).slice(1);
  return { answer, events, event, token, ended, path: (at: number | string) => `/stream/${token}?at=${at}` };
}

describe('a stream', () => {
  it('carries several connections, each under its own number, and says when one was closed', async () => {
    const stream = await openStream();
    expect(stream.answer.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(stream.answer.headers['cache-control']).toContain('no-store');
    expect(await status(stream.path(0), '0+\n5+\n5:{"type":"ping"}')).toBe(204);
    await stream.event((text) => text === '5:{"type":"pong"}');
    expect(stream.events.slice(1, 3)).toEqual(['0+', expect.stringMatching(/^0:\{"type":"hello"/)]);
    expect(stream.events.slice(3, 5)).toEqual(['5+', expect.stringMatching(/^5:\{"type":"hello"/)]);
    // A stranger to introductions is told so and closed; the others stay.
    expect(await status(stream.path(1), '6+nobody nothing')).toBe(204);
    await stream.event((text) => text === '6-');
    expect(stream.events.filter((text) => text.startsWith('6'))).toEqual([
      '6+',
      expect.stringMatching(/^6:\{"type":"ERROR"/),
      '6-',
    ]);
    expect(await status(stream.path(2), '0-\n0:{"type":"ping"}\n5:{"type":"ping"}')).toBe(204);
    expect(stream.events.some((text) => text.startsWith('0:{"type":"pong"'))).toBe(false);
  });

  it('hears a request once that comes twice, and ends for one that is not the next', async () => {
    const stream = await openStream();
    expect(await status(stream.path(0), '0+')).toBe(204);
    for (let again = 0; again < 3; again++) expect(await status(stream.path(1), '0:{"type":"ping"}')).toBe(204);
    expect(await status(stream.path(2), '0:{"type":"ping"}\n1+')).toBe(204);
    await stream.event((text) => text === '1+');
    expect(stream.events.filter((text) => text === '0:{"type":"pong"}')).toHaveLength(2);
    expect(await status(stream.path(4), '0:{"type":"ping"}')).toBe(400);
    await stream.ended;
    expect(await status(stream.path(3), '')).toBe(404);
  });

  it.each([
    ['what is no item', 'hello'],
    ['a number that is none', '-1+'],
    ['an introduction with a third word', '1+a b c'],
    ['a number that was given before', '3+\n3-\n3+'],
    ['a closing with words', '0-because'],
  ])('ends for %s', async (_what, body) => {
    const stream = await openStream();
    expect(await status(stream.path(0), `0+\n${body}`)).toBe(204);
    await stream.ended;
  });

  it('takes one request at a time, and none that is longer than a message', async () => {
    const stream = await openStream();
    const slow = post(stream.path(0));
    slow.write('0+\n0:{"type":');
    // The server has begun to read it when it refuses the next.
    for (;;) if ((await status(stream.path(0), '')) === 409) break;
    slow.end('"ping"}');
    expect((await answerTo(slow)).statusCode).toBe(204);
    await stream.event((text) => text === '0:{"type":"pong"}');
    const long = post(stream.path(1));
    long.write(`0:${'x'.repeat(3 * 256 * 1024 + 2048)}`);
    expect((await answerTo(long)).statusCode).toBe(413);
    await stream.ended;
    long.destroy();
  });

  it('goes on after a request that broke off, when it is brought again', async () => {
    const stream = await openStream();
    const broken = post(stream.path(0), { 'content-length': '1000' });
    broken.write('0+');
    for (;;) if ((await status(stream.path(0), '')) === 409) break;
    broken.destroy();
    for (;;) if ((await status(stream.path(0), '0+')) === 204) break;
    await stream.event((text) => text === '0+');
  });

  it('carries so many connections and no more', async () => {
    const stream = await openStream();
    const numbers = Array.from({ length: MAX_CONNECTIONS_OF_STREAM + 1 }, (_, i) => i);
    expect(await status(stream.path(0), numbers.map((number) => `${number}+`).join('\n'))).toBe(204);
    await stream.event((text) => text === `${MAX_CONNECTIONS_OF_STREAM}-`);
    expect(stream.events.filter((text) => /^\d+\+$/.test(text))).toHaveLength(MAX_CONNECTIONS_OF_STREAM);
    // Room again for a new one.
    expect(await status(stream.path(1), '0-\n100+')).toBe(204);
    await stream.event((text) => text === '100+');
  });

  it('counts for its address with every connection, and so do streams that carry nothing', async () => {
    const streams = await Promise.all(Array.from({ length: OF_ADDRESS }, () => openStream()));
    expect(await status('/stream', '')).toBe(429);
    streams[0].answer.destroy();
    for (;;) {
      const asked = post('/stream');
      asked.end();
      const answer = await answerTo(asked);
      open.push(answer);
      if (answer.statusCode === 200) break;
    }
    for (const stream of streams.slice(1, 4)) {
      const eight = Array.from({ length: MAX_CONNECTIONS_OF_STREAM }, (_, i) => `${i}+`).join('\n');
      expect(await status(stream.path(0), eight)).toBe(204);
    }
    await streams[3].event((text) => text === '7+');
    expect(await status(streams[4].path(0), '0+')).toBe(204);
    await streams[4].event((text) => text === '0-');
    expect(await status('/stream', '')).toBe(429);
  });

  it('is nobody’s of another origin, of another name, or who guesses', async () => {
    const foreign = { origin: 'https://evil.example' };
    expect(await status('/stream', '', foreign)).toBe(403);
    expect(await status('/stream', '', { host: 'evil.example' })).toBe(403);
    const stream = await openStream({ origin: `http://localhost:${server.port}`, host: `localhost:${server.port}` });
    expect(await status(stream.path(0), '0+', foreign)).toBe(403);
    expect(await status(`/stream/${'A'.repeat(22)}?at=0`, '0+')).toBe(404);
    expect(await status(stream.path('x'), '0+')).toBe(400);
    await stream.ended;
    const answer = await fetch(`http://127.0.0.1:${server.port}/stream`);
    expect(answer.status).toBe(404);
  });

  it('ends with the request that it is read from: what that brought is not held any longer', async () => {
    const stream = await openStream();
    const begun = post(stream.path(0), { 'content-length': '700000' });
    const ended = new Promise<void>((resolve) => begun.once('close', () => resolve()));
    begun.write('0+'.padEnd(600_000));
    for (;;) if ((await status(stream.path(0), '')) === 409) break;
    stream.answer.destroy();
    const beganMs = performance.now();
    await ended;
    // Not when every request has had its time, twenty seconds.
    expect(performance.now() - beganMs).toBeLessThan(10_000);
  });

  it('is not opened behind another answer on the same socket, where nobody would hear it and nothing end it', async () => {
    const other = await start();
    const socket = connect(other.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const asks = 'POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n';
    socket.write(asks.repeat(OF_ADDRESS));
    await once(socket, 'data');
    // The first one is open; as many as an address may have besides can be had all the same.
    for (let i = 1; i < OF_ADDRESS; i++) await openStream({}, other.port);
    socket.destroy();
    await other.close();
  });

  it('that carries nothing for ten seconds is ended, and all are when the server goes', async () => {
    const other = await start();
    const beganMs = performance.now();
    const [empty, used] = [await openStream({}, other.port), await openStream({}, other.port)];
    const asked = post(used.path(0), {}, other.port);
    asked.end('0+');
    (await answerTo(asked)).resume();
    await empty.ended;
    expect(performance.now() - beganMs).toBeGreaterThan(9000);
    expect(used.answer.destroyed).toBe(false);
    await other.close();
    await used.ended;
    expect(used.answer.complete).toBe(true);
  });
});
