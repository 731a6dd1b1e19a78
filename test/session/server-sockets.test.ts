import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DataConnection } from 'peerjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { installWebRtc } from '../../signaling/node/webrtc.ts';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { peerOptions } from '../../web/session/links/peer-options.ts';
import type { ControlSocket } from '../../web/session/transport/control-socket.ts';
import { peerOver } from '../../web/session/transport/peer-over.ts';
import { ServerSockets } from '../../web/session/transport/server-sockets.ts';
import { enter, hostRoom } from '../server/client.ts';
import { FakeSocket } from './fake-socket.ts';

/** WebSockets are the test's to open or refuse; event streams go to a real server. */
let server: RunningServer;
let origin: string;
beforeEach(async () => {
  server = await startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: null,
    modelsFolder: '/nowhere',
    hubFolder: null,
    iceServers: [],
    log: () => undefined,
  });
  origin = `http://127.0.0.1:${server.port}`;
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

type Fate = 'refused' | 'swallowed' | 'dumb' | 'works';

function scene(fates: Fate[], at = origin) {
  const sockets: FakeSocket[] = [];
  const sureSockets = new ServerSockets(at, () => {
    const socket = new FakeSocket();
    socket.readyState = 0;
    sockets.push(socket);
    const fate = fates.shift() ?? 'refused';
    queueMicrotask(() => {
      if (fate === 'refused') {
        socket.dispatchEvent(new Event('error'));
        socket.dispatchEvent(new Event('close'));
      } else if (fate !== 'swallowed') {
        socket.readyState = 1;
        socket.dispatchEvent(new Event('open'));
      }
      if (fate === 'dumb') socket.dispatchEvent(new Event('close'));
      if (fate === 'works') socket.say('{"type":"hello"}');
    });
    return socket as unknown as ControlSocket;
  });
  const open = () => {
    const socket = sureSockets.open(`${at.replace('http', 'ws')}/room`);
    const told: string[] = [];
    for (const type of ['open', 'close'] as const) socket.addEventListener(type, () => told.push(type));
    socket.addEventListener('message', ({ data }) => told.push(String(data).slice(0, 15)));
    const until = (what: string) => vi.waitUntil(() => told.includes(what), { timeout: 5000, interval: 5 });
    return { socket, told, until };
  };
  return { sockets, open };
}

const HELLO = '{"type":"hello"';

describe('a connection to the server', () => {
  it('goes over a WebSocket where there is one', async () => {
    const { sockets, open } = scene(['works']);
    const one = open();
    await one.until(HELLO);
    one.socket.send('{"type":"ping"}');
    expect(sockets.map((socket) => socket.types())).toEqual([['ping']]);
    one.socket.close();
    expect(sockets[0].readyState).toBe(3);
  });

  it('goes over a stream where it is refused; after that the stream comes first', async () => {
    const { sockets, open } = scene(['refused']);
    const [one, other] = [open(), open()];
    await one.until(HELLO);
    await other.until(HELLO);
    one.socket.send('{"type":"ping"}');
    await one.until('{"type":"pong"}');
    expect([one.told, other.told]).toEqual([
      ['open', HELLO, '{"type":"pong"}'],
      ['open', HELLO],
    ]);
    const tried = sockets.length;
    const third = open();
    await third.until(HELLO);
    expect(sockets).toHaveLength(tried);
    for (const { socket } of [one, other, third]) socket.close();
    await third.until('close');
    // Nothing is left of the stream when nobody needs it.
    await vi.waitUntil(async () => /tabloom_connections 0/.test(await (await fetch(`${origin}/metrics`)).text()));
  });

  it('does not wait long for a WebSocket that nobody answers', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { sockets, open } = scene(['swallowed']);
    const one = open();
    vi.advanceTimersByTime(3999);
    expect([one.told, sockets.length]).toEqual([[], 1]);
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    await one.until(HELLO);
    // Should it open after all, it is not wanted any more.
    expect(sockets[0].readyState).toBe(3);
    sockets[0].dispatchEvent(new Event('open'));
    sockets[0].say('{"type":"late"}');
    expect(one.told).toEqual(['open', HELLO]);
    one.socket.close();
  });

  it('takes the other way next time where a WebSocket opens and no word comes', async () => {
    const { sockets, open } = scene(['dumb']);
    const one = open();
    await one.until('close');
    expect(one.told).toEqual(['open', 'close']);
    const next = open();
    await next.until(HELLO);
    expect(sockets).toHaveLength(1);
    next.socket.close();
  });

  it('keeps trying WebSockets first where they worked before', async () => {
    const { sockets, open } = scene(['works', 'refused', 'works']);
    const [one] = [open()];
    await one.until(HELLO);
    sockets[0].dispatchEvent(new Event('close'));
    expect(one.told.at(-1)).toBe('close');
    const during = open();
    await during.until(HELLO);
    during.socket.close();
    const after = open();
    await after.until(HELLO);
    expect(sockets).toHaveLength(3);
    after.socket.send('{"type":"ping"}');
    expect(sockets[2].types()).toEqual(['ping']);
  });

  it('is closed where neither way leads anywhere, and when somebody gives it up', async () => {
    const { open } = scene(['refused', 'swallowed'], 'http://127.0.0.1:1');
    const one = open();
    await one.until('close');
    const two = open();
    two.socket.close();
    two.socket.close();
    await two.until('close');
    expect([one.told, two.told]).toEqual([['close'], ['close']]);
  });

  it('over a stream ends with the server, and with a stream that is no stream', async () => {
    const { open } = scene([]);
    const one = open();
    await one.until(HELLO);
    await server.close();
    await one.until('close');
    for (const content of ['<html>Welcome to the hotel</html>\n', 'data: =short\n\n', `data: ${'x'.repeat(2 ** 21)}`]) {
      const hotel = await new Promise<Server>((resolve) => {
        const started = createServer((_request, response) => response.end(content)).listen(0, '127.0.0.1', () =>
          resolve(started),
        );
      });
      const lost = scene([], `http://127.0.0.1:${(hotel.address() as AddressInfo).port}`).open();
      await lost.until('close');
      expect(lost.told).toEqual(['close']);
      hotel.close();
    }
  });
});

it.each(['over streams', 'over WebSockets'])(
  'two PeerJS clients find each other %s, and again after a connection was lost',
  async (way) => {
    const Peer = await installWebRtc();
    const before: unknown = Reflect.get(globalThis, 'WebSocket');
    const { host, room } = await hostRoom(server.port);
    const guest = await enter(server.port, room, 'guestguest');
    const { introduction: ofHost } = await host.message('welcome');
    const { introduction: ofGuest } = await guest.message('welcome');
    const opener = () => {
      const sockets = new ServerSockets(origin, (url) => {
        // By its global name, as a tab opens it.
        if (way === 'over WebSockets') return new WebSocket(url);
        const socket = new FakeSocket();
        queueMicrotask(() => socket.dispatchEvent(new Event('close')));
        return socket as unknown as ControlSocket;
      });
      return (url: string) => sockets.open(url);
    };
    const [a, b] = [ofHost, ofGuest].map((introduction) =>
      peerOver(opener(), () => new Peer(introduction.id, peerOptions(origin, introduction))),
    );
    expect(Reflect.get(globalThis, 'WebSocket')).toBe(before);
    try {
      await Promise.all([a, b].map((peer) => new Promise<void>((resolve) => peer.once('open', () => resolve()))));
      b.disconnect();
      const again = new Promise<void>((resolve) => b.once('open', () => resolve()));
      b.reconnect();
      expect(Reflect.get(globalThis, 'WebSocket')).toBe(before);
      await again;
      const heard = new Promise((resolve) =>
        a.on('connection', (connection: DataConnection) => connection.on('data', resolve)),
      );
      const connection = b.connect(ofHost.id, { reliable: true });
      connection.on('open', () => void connection.send(way));
      expect(await heard).toBe(way);
    } finally {
      a.destroy();
      b.destroy();
      for (const client of [host, guest]) client.socket.terminate();
    }
  },
);
