import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServerMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { createRoom, roomView } from '../../signaling/room/room.ts';
import { RoomClient, type RoomMessage } from '../../web/session/links/room-client.ts';
import { Emitter } from '../../web/session/world/emitter.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { FakeSocket } from './fake-socket.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const device = { id: 'hosthost', key: 'k'.repeat(32), name: 'host', kind: 'tab' as const };
const view = roomView(createRoom('abc234', device, SETTINGS));
const { phase, host, plan, planNote, devices } = view;
const whole = { phase, host, policy: SETTINGS.policy, plan, planNote, devices };
const introduction = { id: 'xyz', token: 'ab'.repeat(16), iceServers: [] };
const welcome: ServerMessage = {
  type: 'welcome',
  room: 'abc234',
  settings: SETTINGS,
  introduction,
  claim: 'ab'.repeat(32),
};
const hello: ServerMessage = { type: 'hello', version: PROTOCOL_VERSION };

function client({ tells = false } = {}) {
  const sockets: FakeSocket[] = [];
  const heard: RoomMessage[] = [];
  const introduced: unknown[] = [];
  const moved = new Emitter<void>();
  const room = new RoomClient(
    {
      origin: 'http://server',
      onMoved: moved.on,
      openSocket: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket as unknown as WebSocket;
      },
    },
    () => [
      { type: 'join', version: PROTOCOL_VERSION, device, room: 'abc234', watch: false },
      ...(tells ? [{ type: 'hidden', hidden: false } as const] : []),
    ],
  );
  room.onMessage((message) => heard.push(message));
  room.onIntroduction((given) => introduced.push(given));
  const open = (): FakeSocket => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error('no socket');
    socket.dispatchEvent(new Event('open'));
    return socket;
  };
  return { room, sockets, heard, introduced, open, moved };
}

describe('the control connection of a device that slept, or has another network', () => {
  it('is tried at once where it is down, whatever the pause', () => {
    const { sockets, moved, room, open } = client();
    for (let failures = 0; failures < 6; failures++) {
      sockets.at(-1)!.dispatchEvent(new Event('close'));
      vi.advanceTimersByTime(5000);
    }
    sockets.at(-1)!.dispatchEvent(new Event('close'));
    const before = sockets.length;
    vi.advanceTimersByTime(100);
    expect(sockets).toHaveLength(before);
    moved.emit();
    expect(sockets).toHaveLength(before + 1);
    open();
    vi.advanceTimersByTime(6000);
    // The pause that was under way is over with it.
    expect(sockets).toHaveLength(before + 1);
    room.close();
  });

  it('is given up after three seconds without an answer, and kept with one', () => {
    const silent = client();
    silent.open().say(hello);
    silent.sockets[0]!.types();
    silent.moved.emit();
    expect(silent.sockets[0]!.types()).toEqual(['ping']);
    vi.advanceTimersByTime(5000);
    expect(silent.sockets.length).toBeGreaterThan(1);
    const answered = client();
    const socket = answered.open();
    socket.say(hello);
    answered.moved.emit();
    vi.advanceTimersByTime(1000);
    socket.say({ type: 'pong' });
    vi.advanceTimersByTime(8000);
    expect(answered.sockets).toHaveLength(1);
    for (const { room } of [silent, answered]) room.close();
  });
});

describe('the control connection of a page', () => {
  it.each<[string, ServerMessage, RegExp]>([
    ['older', { type: 'hello', version: PROTOCOL_VERSION - 1 }, /^The server is older than this page/],
    ['newer', { type: 'hello', version: PROTOCOL_VERSION + 1 }, /^The server is newer than this page. Reload/],
    // What 0.1.0 says to an entry with a field that it does not know.
    [
      'the first',
      { type: 'error', sentence: 'The message is not valid at "version".', refused: true },
      /^The server is older/,
    ],
  ])('says that the server is %s, and to reload', (_, first, sentence) => {
    const { open, heard } = client();
    open().say(first);
    expect(heard).toEqual([{ type: 'error', refused: true, sentence: expect.stringMatching(sentence) }]);
  });

  it('puts the room together from news, and says what it has seen, not too often', () => {
    const { open, heard, introduced, room } = client();
    const socket = open();
    for (const message of [hello, welcome]) socket.say(message);
    socket.say({ type: 'news', edition: 4, since: null, change: whole });
    expect(heard).toEqual([{ type: 'room', room: view }]);
    expect(introduced).toEqual([{ ...introduction, room: 'abc234' }]);
    expect(room.claim).toBe('ab'.repeat(32));
    expect(socket.types()).toEqual(['join', 'seen']);
    for (let edition = 5; edition < 10; edition++)
      socket.say({
        type: 'news',
        edition,
        since: edition - 1,
        change: { devices: [{ id: 'hosthost', hidden: edition % 2 === 0 }] },
      });
    expect(heard).toHaveLength(6);
    expect(heard.at(-1)).toMatchObject({ room: { devices: [{ hidden: false }] } });
    vi.advanceTimersByTime(2499);
    expect(socket.sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(socket.sent.splice(0)).toEqual([{ type: 'seen', edition: 9 }]);
    // Asked whether it is there, it says what it has seen first: timers may be asleep.
    socket.say({ type: 'news', edition: 10, since: 9, change: {} });
    socket.say({ type: 'ping' });
    expect(socket.sent.splice(0)).toEqual([{ type: 'seen', edition: 10 }, { type: 'pong' }]);
    room.close();
  });

  it('keeps what did not change the same object', () => {
    const { open, heard } = client();
    const socket = open();
    for (const message of [hello, welcome]) socket.say(message);
    socket.say({ type: 'news', edition: 1, since: null, change: whole });
    socket.say({ type: 'news', edition: 2, since: 1, change: { phase: 'training' } });
    const [before, after] = heard.flatMap((m) => (m.type === 'room' ? [m.room] : []));
    expect(after.phase).toBe('training');
    expect(after.settings).toBe(before.settings);
    expect(after.devices[0]).toBe(before.devices[0]);
  });

  it.each<[string, (socket: FakeSocket) => void]>([
    ['cannot be read', (s) => s.say('{"type":"news"}')],
    ['does not follow', (s) => s.say({ type: 'news', edition: 9, since: 7, change: { phase: 'paused' } })],
    [
      'tells of nobody',
      (s) => s.say({ type: 'news', edition: 2, since: 1, change: { devices: [{ id: 'nobodynobody', hidden: true }] } }),
    ],
  ])('asks for the whole room when news %s, once in a while', (_, happen) => {
    const { open, heard } = client();
    const socket = open();
    for (const message of [hello, welcome]) socket.say(message);
    socket.say({ type: 'news', edition: 1, since: null, change: whole });
    socket.types();
    happen(socket);
    happen(socket);
    expect(socket.types()).toEqual(['resync']);
    expect(heard).toHaveLength(1);
    socket.say({ type: 'news', edition: 9, since: null, change: { ...whole, phase: 'paused' } });
    expect(heard.at(-1)).toMatchObject({ type: 'room', room: { phase: 'paused' } });
  });

  it('comes back without its code when the server does not take that for its own', () => {
    const { open, heard, room, sockets } = client();
    const socket = open();
    socket.say(hello);
    expect(room.unclaimed).toBe(false);
    socket.say({ type: 'error', refused: true, sentence: 'Not yours.', why: 'claim' });
    // What was said after it came too late.
    socket.say({ type: 'error', refused: true, sentence: 'Join a session first.' });
    expect(room.unclaimed).toBe(true);
    expect(heard).toEqual([{ type: 'error', refused: false, sentence: expect.stringMatching(/new link/) }]);
    vi.advanceTimersByTime(400);
    expect(sockets).toHaveLength(2);
    const again = open();
    for (const message of [hello, welcome]) again.say(message);
    expect(room.unclaimed).toBe(false);
    room.close();
  });

  it('waits for a session that a restarted server does not know yet', () => {
    const { open, heard, sockets, room } = client();
    const socket = open();
    for (const message of [hello, welcome]) socket.say(message);
    for (const edition of [1, 2]) socket.say({ type: 'news', edition, since: null, change: whole });
    heard.length = 0;
    socket.dispatchEvent(new Event('close'));
    vi.advanceTimersByTime(400);
    const again = open();
    vi.advanceTimersByTime(400);
    // Nothing of what was seen before.
    expect(again.types()).toEqual(['join']);
    again.say(hello);
    again.say({ type: 'error', refused: true, sentence: 'There is no session.' });
    vi.advanceTimersByTime(1000);
    expect([heard, sockets.length]).toEqual([[], 3]);
    room.close();
  });

  it('passes on ICE servers with newer credentials', () => {
    const { open, introduced } = client();
    const socket = open();
    for (const message of [hello, welcome]) socket.say(message);
    socket.say({ type: 'ice', iceServers: [{ urls: 'turn:192.0.2.1' }] });
    expect(introduced.at(-1)).toEqual({ ...introduction, room: 'abc234', iceServers: [{ urls: 'turn:192.0.2.1' }] });
  });

  it('says again what it said of itself while it waited, once it is in', () => {
    const { open, heard } = client({ tells: true });
    const socket = open();
    socket.say(hello);
    socket.say({ type: 'waiting', sentence: 'The host has to let you in.' });
    expect(heard).toEqual([{ type: 'waiting', sentence: 'The host has to let you in.' }]);
    expect(socket.types()).toEqual(['join', 'hidden']);
    socket.say(welcome);
    expect(socket.types()).toEqual(['hidden']);
  });

  it('comes again when it is refused after a restart, but not when its host does not want it', () => {
    const { open, heard, sockets } = client();
    const first = open();
    for (const message of [hello, welcome]) first.say(message);
    first.say({ type: 'error', sentence: 'There is no session with this code.', refused: true, why: 'code' });
    vi.advanceTimersByTime(400);
    expect([sockets.length, heard.length]).toEqual([2, 0]);
    const second = open();
    second.say(hello);
    const removed = {
      type: 'error',
      sentence: 'The host took this device out.',
      refused: true,
      why: 'removed',
    } as const;
    second.say(removed);
    expect(heard).toEqual([removed]);
    second.dispatchEvent(new Event('close'));
  });

  it('hands on what the host alone is told of its door', () => {
    const { open, heard } = client();
    const socket = open();
    const entrance = { door: 'ask' as const, cap: 12, waiting: [] };
    for (const message of [hello, welcome]) socket.say(message);
    socket.say({ type: 'news', edition: 4, since: null, change: whole, entrance });
    expect(heard).toEqual([
      { type: 'room', room: view },
      { type: 'entrance', entrance },
    ]);
    // A change of the door alone is no change of the room.
    socket.say({ type: 'news', edition: 5, since: 4, change: {}, entrance: { ...entrance, door: 'open' } });
    expect(heard.slice(2)).toEqual([{ type: 'entrance', entrance: { ...entrance, door: 'open' } }]);
  });
});
