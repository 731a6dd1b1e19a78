import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ClientMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { createRoom, roomView } from '../../signaling/room/room.ts';
import { RoomClient } from '../../web/session/links/room-client.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { FakeSocket } from './fake-socket.ts';

/** When a page's connection to the server is tried again, asked, and given up. */
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function scene(origin = 'http://server') {
  const sockets: FakeSocket[] = [];
  const urls: string[] = [];
  const openSocket = (url: string) => {
    urls.push(url);
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket as unknown as WebSocket;
  };
  const room = new RoomClient({ origin, openSocket }, () => [{ type: 'hidden', hidden: false }]);
  const states: string[] = [];
  room.onState((state) => states.push(state));
  const last = (): FakeSocket => sockets.at(-1)!;
  const open = (): FakeSocket => {
    last().dispatchEvent(new Event('open'));
    last().say({ type: 'hello', version: PROTOCOL_VERSION });
    return last();
  };
  return { room, sockets, urls, states, last, open };
}

it.each([
  ['http://server:8787', 'ws://server:8787/room'],
  ['https://server/http', 'wss://server/http/room'],
])('the room of %s is at %s', (origin, url) => {
  const { room, urls } = scene(origin);
  expect(urls).toEqual([url]);
  room.close();
});

it('a connection that is lost is tried again after 0.3 s, then twice as long each time up to 5 s, from 0.3 s once it was open', () => {
  const { room, sockets, states, last, open } = scene();
  const triedAfter = (ms: number) => {
    const before = sockets.length;
    last().dispatchEvent(new Event('error'));
    // Told once more of the same.
    last().dispatchEvent(new Event('close'));
    vi.advanceTimersByTime(ms - 1);
    expect(sockets).toHaveLength(before);
    vi.advanceTimersByTime(1);
    expect(sockets).toHaveLength(before + 1);
  };
  for (const ms of [300, 600, 1200, 2400, 4800, 5000, 5000]) triedAfter(ms);
  expect(states).toEqual(Array(7).fill('reconnecting'));
  open();
  triedAfter(300);
  expect(states.slice(7)).toEqual(['connected', 'reconnecting']);
  last().dispatchEvent(new Event('close'));
  room.close();
  room.close();
  vi.advanceTimersByTime(60_000);
  expect([sockets.length, states.at(-1), vi.getTimerCount()]).toEqual([9, 'closed', 0]);
});

it('the server is asked every three seconds, and given up after twelve without a word', () => {
  const { room, sockets, open } = scene();
  const socket = open();
  expect(socket.types()).toEqual(['hidden']);
  vi.advanceTimersByTime(12_000);
  expect([socket.types(), socket.readyState]).toEqual([['ping', 'ping', 'ping', 'ping'], 1]);
  socket.say({ type: 'pong' });
  vi.advanceTimersByTime(12_000);
  expect([socket.types().length, socket.readyState]).toEqual([4, 1]);
  vi.advanceTimersByTime(999);
  expect(socket.readyState).toBe(1);
  vi.advanceTimersByTime(1);
  expect(socket.readyState).toBe(3);
  vi.advanceTimersByTime(300);
  expect(sockets).toHaveLength(2);
  // What the old one says now is of no room.
  const heard: string[] = [];
  room.onMessage(({ type }) => heard.push(type));
  socket.say({ type: 'waiting', sentence: 'The host has to let you in.' });
  expect(heard).toEqual([]);
  room.close();
});

it('who says something and hears something does not ask whether the server is there', () => {
  const { room, open } = scene();
  const socket = open();
  const seconds = (each: () => void): string[] => {
    for (let second = 0; second < 10; second++) {
      vi.advanceTimersByTime(1000);
      each();
    }
    return socket.types().filter((type) => type === 'ping');
  };
  const hear = (): void => socket.say({ type: 'pong' });
  const speak = (): void => room.send({ type: 'hidden', hidden: true });
  seconds(() => undefined);
  expect(seconds(() => [hear(), speak()])).toEqual([]);
  // Nothing said, or nothing heard.
  expect(seconds(hear)).toHaveLength(3);
  expect(seconds(speak)).toHaveLength(3);
  room.close();
});

it('the whole room is asked for every six seconds at most', () => {
  const { room, open } = scene();
  const socket = open();
  const nonsense = () => {
    socket.say('{');
    return socket.types().filter((type) => type === 'resync').length;
  };
  expect([nonsense(), nonsense()]).toEqual([1, 0]);
  vi.advanceTimersByTime(5999);
  expect(nonsense()).toBe(0);
  vi.advanceTimersByTime(1);
  expect(nonsense()).toBe(1);
  room.close();
});

it('what was seen is said every two and a half seconds, or after eight pieces of news, and the last of it in the end', () => {
  const { room, open } = scene();
  const socket = open();
  socket.say({
    ...{ type: 'welcome', room: 'abc234', settings: SETTINGS, claim: 'ab'.repeat(32) },
    introduction: { id: 'xyz', token: 'ab'.repeat(16), iceServers: [] },
  });
  const device = { id: 'hosthost', key: 'k'.repeat(32), name: 'host', kind: 'tab' as const };
  const { phase, host, plan, planNote, devices } = roomView(createRoom('abc234', device, SETTINGS));
  const change = { phase, host, policy: SETTINGS.policy, plan, planNote, devices };
  const told: [number, number][] = [];
  for (let edition = 1; edition <= 10; edition++) {
    socket.say({ type: 'news', edition, since: null, change });
    for (const message of socket.sent.splice(0)) if (message.type === 'seen') told.push([edition, message.edition]);
    vi.advanceTimersByTime(100);
    for (const message of socket.sent.splice(0)) if (message.type === 'seen') told.push([edition, message.edition]);
  }
  vi.advanceTimersByTime(2299);
  expect(socket.sent).toEqual([]);
  vi.advanceTimersByTime(1);
  for (const message of socket.sent.splice(0)) if (message.type === 'seen') told.push([11, message.edition]);
  // The first at once, the ninth since eight are not said, the tenth two and a half seconds after.
  expect(told).toEqual([
    [1, 1],
    [9, 9],
    [11, 10],
  ]);
  room.close();
});

it('what the server would refuse is not sent, nor what is said while nobody hears it', () => {
  const { room, last, open } = scene();
  last().readyState = 0;
  room.send({ type: 'hidden', hidden: true });
  expect(last().sent).toEqual([]);
  last().readyState = 1;
  const socket = open();
  socket.types();
  const wrong: ClientMessage = { type: 'linked', device: '', linked: true };
  expect(() => room.send(wrong)).toThrow(/linked message/);
  expect(socket.sent).toEqual([]);
  room.close();
});

it('names its room in its address as soon as it has one, for proxies before several processes', () => {
  const urls: string[] = [];
  const sockets: FakeSocket[] = [];
  const openSocket = (url: string) => {
    urls.push(url);
    sockets.push(new FakeSocket());
    return sockets[sockets.length - 1] as unknown as WebSocket;
  };
  let code: string | undefined;
  const room = new RoomClient(
    { origin: 'http://server/below', openSocket },
    () => [],
    () => code,
  );
  code = 'abc234';
  sockets[0].dispatchEvent(new Event('close'));
  vi.advanceTimersByTime(300);
  // Not this host's any more: a new room may be anywhere.
  sockets[1].dispatchEvent(new Event('open'));
  sockets[1].say({ type: 'hello', version: PROTOCOL_VERSION });
  sockets[1].say({ type: 'error', sentence: 'no', refused: true, why: 'claim' });
  vi.advanceTimersByTime(600);
  expect(urls).toEqual(['ws://server/below/room', 'ws://server/below/room?room=abc234', 'ws://server/below/room']);
  room.close();
});
