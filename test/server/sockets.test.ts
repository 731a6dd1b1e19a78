import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';

/** Sockets that are up to no good, each of its own kind; the server is the real one. */
let server: RunningServer;
const OF_ADDRESS = 20;
/** What `socket-guard.ts` leaves an address for files. */
const SPARE = 200;

beforeAll(async () => {
  server = await startServer({
    port: 0,
    host: '0.0.0.0',
    pageFolder: null,
    modelsFolder: '/nowhere',
    hubFolder: null,
    iceServers: [],
    log: () => undefined,
    limits: { connectionsOfAddress: OF_ADDRESS },
  });
});
afterAll(() => server.close());

/** A connection from an address of this machine. */
function open(from = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: from, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Milliseconds until the server is done with a socket. */
function ended(socket: Socket): Promise<number> {
  const startMs = performance.now();
  socket.resume();
  return new Promise((resolve) => {
    const over = (): void => resolve(performance.now() - startMs);
    socket.once('close', over);
    socket.on('error', over);
    // The server may have closed its half alone: then writing fails.
    socket.once('end', () => {
      const timer = setInterval(() => socket.write('x'), 200);
      socket.once('close', () => clearInterval(timer));
    });
  });
}

const healthy = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${server.port}/health`)).ok;

const UPGRADE = (path: string): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    '\r\n',
  ].join('\r\n');

describe('a socket', () => {
  it('that says nothing, says it a letter at a time or will not hang up is closed within seconds', async () => {
    const silent = await open();
    const slow = await open();
    let at = 0;
    const drip = setInterval(() => slow.write(`GET / HTTP/1.1\r\nX-${'x'.repeat(1000)}`[at++] ?? 'x'), 100);
    const body = await open();
    body.write('POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n');
    const trickle = setInterval(() => body.write('x'), 500);
    const refused = await open();
    refused.write(UPGRADE('/nothing'));
    const answered = await open();
    answered.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [silentMs, slowMs, bodyMs, refusedMs, answeredMs] = await Promise.all(
      [silent, slow, body, refused, answered].map(ended),
    );
    clearInterval(drip);
    clearInterval(trickle);
    expect(silentMs).toBeLessThan(18_000);
    expect(slowMs).toBeLessThan(18_000);
    expect(bodyMs).toBeLessThan(45_000);
    expect(refusedMs).toBeLessThan(9000);
    expect(answeredMs).toBeLessThan(18_000);
    expect(await healthy()).toBe(true);
  }, 60_000);

  it('is one of so many that an address may have: others still come in', async () => {
    const sockets = await Promise.all(Array.from({ length: OF_ADDRESS + SPARE + 50 }, () => open('127.0.0.9')));
    let closed = 0;
    for (const socket of sockets)
      socket
        .resume()
        .on('error', () => undefined)
        .once('close', () => closed++)
        .once('end', () => socket.destroy());
    const other = await open('127.0.0.10');
    other.write('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const answer = await new Promise<string>((resolve) => other.once('data', (data) => resolve(data.toString())));
    expect(answer).toMatch(/^HTTP\/1.1 200/);
    await expect.poll(() => closed).toBe(50);
    for (const socket of sockets) socket.destroy();
  });
});

describe('a WebSocket', () => {
  const connected = async (): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/room`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return socket;
  };
  const closed = (socket: WebSocket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

  it('that pings without end is closed, and one that pings as a proxy does is answered', async () => {
    const calm = await connected();
    const pong = new Promise((resolve) => calm.once('pong', resolve));
    calm.ping();
    await pong;
    const flooding = await connected();
    const over = closed(flooding);
    flooding.on('error', () => undefined);
    for (let i = 0; i < 200; i++) flooding.ping('x'.repeat(100));
    await over;
    expect(calm.readyState).toBe(WebSocket.OPEN);
    calm.terminate();
  });

  it.each([
    ['a frame with a reserved bit', Uint8Array.of(0xc1, 0x80, 0, 0, 0, 0)],
    ['an unmasked frame', Uint8Array.of(0x81, 0x01, 0x61)],
    ['a reserved kind of frame', Uint8Array.of(0x83, 0x80, 0, 0, 0, 0)],
    ['a text that is not UTF-8', Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0xff)],
    ['a message of 2^62 bytes', Uint8Array.of(0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['a ping in pieces', Uint8Array.of(0x09, 0x80, 0, 0, 0, 0)],
    ['the middle of nothing', Uint8Array.of(0x80, 0x80, 0, 0, 0, 0)],
  ])('that sends %s is closed, and nobody else is', async (_, frame) => {
    const socket = await open();
    socket.write(UPGRADE('/room'));
    await new Promise((resolve) => socket.once('data', resolve));
    const over = ended(socket);
    socket.write(frame);
    expect(await over).toBeLessThan(9000);
    expect(await healthy()).toBe(true);
  });

  it('that sends pieces without end and no message is closed; an empty or a binary message is only refused', async () => {
    const socket = await open();
    socket.write(UPGRADE('/room'));
    await new Promise((resolve) => socket.once('data', resolve));
    let over = false;
    void ended(socket).then(() => {
      over = true;
    });
    socket.write(Uint8Array.of(0x01, 0x80, 0, 0, 0, 0));
    // Continuations that carry nothing.
    const nothing = Buffer.concat(Array(10_000).fill(Buffer.from([0x00, 0x80, 0, 0, 0, 0])));
    for (let i = 0; i < 20_000 && !over; i++)
      if (!socket.write(nothing)) await new Promise((resolve) => (over ? resolve(null) : setTimeout(resolve, 1)));
    expect(over).toBe(true);
    const calm = await connected();
    calm.send('');
    calm.send(Uint8Array.of(1, 2, 3));
    const said: string[] = [];
    calm.on('message', (data) => said.push(data.toString()));
    await expect.poll(() => said.filter((text) => text.includes('"error"')).length).toBe(2);
    calm.terminate();
  });

  it('that sends frames without end that are no messages is closed', async () => {
    const socket = await open();
    socket.write(UPGRADE('/room'));
    await new Promise((resolve) => socket.once('data', resolve));
    let over = false;
    void ended(socket).then(() => {
      over = true;
    });
    // Answers to questions that nobody asked.
    const pongs = Buffer.concat(Array(10_000).fill(Buffer.from([0x8a, 0x80, 0, 0, 0, 0])));
    for (let i = 0; i < 20_000 && !over; i++)
      if (!socket.write(pongs)) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(over).toBe(true);
    expect(await healthy()).toBe(true);
  });

  it('is not compressed, whatever it asks for', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/room`, { perMessageDeflate: true });
    await new Promise((resolve) => socket.once('open', resolve));
    expect(socket.extensions).toBe('');
    socket.terminate();
  });
});

describe('requests', () => {
  const answerTo = async (text: string): Promise<string> => {
    const socket = await open();
    let said = '';
    socket.on('data', (data) => {
      said += data.toString('latin1');
    });
    const over = new Promise((resolve) => socket.once('close', resolve).once('end', resolve).on('error', resolve));
    socket.write(text);
    await over;
    socket.destroy();
    return said;
  };

  it.each([
    ['OPTIONS', 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', /^HTTP\/1.1 4\d\d/],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', /^HTTP\/1.1 4\d\d/],
    [
      'PUT',
      'PUT /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      /^HTTP\/1.1 404/,
    ],
    ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n', /^$/],
    [
      'an absolute address',
      'GET http://example.org/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      /^HTTP\/1.1 4\d\d/,
    ],
    ['a head of 20 kB', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1.1 431/],
    ['an address of 20 kB', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, /^HTTP\/1.1 431/],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      /^HTTP\/1.1 400/,
    ],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1.1 400/,
    ],
    ['no HTTP', '\u0016\u0003\u0001\u0000\u0000', /^HTTP\/1.1 400/],
    [
      'an upgrade to h2c',
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n',
      /^HTTP\/1.1 4\d\d/,
    ],
    [
      'an expectation',
      'GET /health HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\nConnection: close\r\n\r\n',
      /^HTTP\/1.1 417/,
    ],
  ])('that are %s get a plain answer or none', async (_, text, answer) => {
    expect(await answerTo(text)).toMatch(answer);
    expect(await healthy()).toBe(true);
  });
});
