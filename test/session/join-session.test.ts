import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { passOf, secretOf } from '../../signaling/protocol/door/secret.ts';
import type { ClientMessage, ServerMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { JoinSession } from '../../web/session/join-session.ts';
import { Emitter } from '../../web/session/world/emitter.ts';
import type { SeatStore, SessionEnvironment } from '../../web/session/world/environment.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { FakeSocket } from './fake-socket.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const SECRET = secretOf(new Uint8Array(16).fill(5));
const CLAIM = 'ab'.repeat(32);
const INVITED = { room: 'abc234', secret: SECRET };
const OPTIONS = { name: 'phone', watch: false, slowdown: 1 };
const welcome: ServerMessage = {
  type: 'welcome',
  room: 'abc234',
  settings: SETTINGS,
  introduction: { id: 'xyz', token: 'ab'.repeat(16), iceServers: [] },
  claim: CLAIM,
};

/** What a tab keeps over being loaded again. */
class Store implements SeatStore {
  text: string | null = null;

  put(text: string): void {
    this.text = text;
  }

  take(): string | null {
    const { text } = this;
    this.text = null;
    return text;
  }
}

/** A tab that joins; its random bytes are `seed`. */
function tab(seats: SeatStore | null, seed: number, invited: { room: string; secret: string | null } = INVITED) {
  const sockets: FakeSocket[] = [];
  const leaving = new Emitter<void>();
  const refuse = (): never => {
    throw new Error('Nothing of this is needed before the room is known.');
  };
  const environment: SessionEnvironment = {
    kind: 'tab',
    origin: 'http://server',
    openSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    createPeer: refuse,
    startDeviceWorker: refuse,
    startHostWorker: refuse,
    randomBytes: (length) => new Uint8Array(length).fill(seed),
    memoryLimitBytes: 1e9,
    nowMs: () => 0,
    keep: null,
    seats,
    runLog: null,
    onHidden: () => () => undefined,
    onLeaving: leaving.on,
  };
  const session = new JoinSession(environment, invited, OPTIONS);
  const open = (): FakeSocket => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error('no socket');
    socket.dispatchEvent(new Event('open'));
    socket.say({ type: 'hello', version: PROTOCOL_VERSION });
    return socket;
  };
  const joins = (socket: FakeSocket): Extract<ClientMessage, { type: 'join' }> => {
    const [first] = socket.sent.splice(0);
    if (first?.type !== 'join') throw new Error('no join');
    return first;
  };
  return { session, open, joins, goAway: () => leaving.emit() };
}

describe('a device that joins', () => {
  it('shows the pass, never the secret; with the code alone nothing', () => {
    const invited = tab(null, 1);
    const socket = invited.open();
    expect(JSON.stringify(socket.sent)).not.toContain(SECRET);
    expect(invited.joins(socket)).toMatchObject({ room: 'abc234', pass: passOf(SECRET) });
    const stranger = tab(null, 2, { room: 'abc234', secret: null });
    expect(stranger.joins(stranger.open())).not.toHaveProperty('pass');
    for (const { session } of [invited, stranger]) session.leave();
  });

  it('says what it waits for, and ends with the host’s answer', () => {
    const { session, open } = tab(null, 1);
    const socket = open();
    expect(session.view).toMatchObject({ atDoor: null, room: null, ended: null });
    socket.say({ type: 'waiting', sentence: 'The host has to let you in.' });
    expect(session.view).toMatchObject({ atDoor: 'The host has to let you in.', room: null, ended: null });
    socket.say({ type: 'error', sentence: 'The host did not let this device in.', refused: true });
    expect(session.view.ended).toBe('The host did not let this device in.');
  });

  it('shows on every further connection that it had a seat', () => {
    const { session, open, joins } = tab(null, 1);
    const first = open();
    expect(joins(first)).not.toHaveProperty('claim');
    first.say(welcome);
    first.dispatchEvent(new Event('close'));
    vi.advanceTimersByTime(400);
    expect(joins(open())).toMatchObject({ claim: CLAIM });
    session.leave();
  });
});

describe('a tab that is loaded again', () => {
  const reload = (seats: Store, invited?: Parameters<typeof tab>[2]) => {
    const before = tab(seats, 1);
    const socket = before.open();
    const first = before.joins(socket);
    socket.say(welcome);
    before.goAway();
    expect(socket.sent.map(({ type }) => type)).toContain('leave');
    const after = tab(seats, 2, invited);
    return { first, again: after.joins(after.open()), after };
  };

  it('is the device that it was, and says so once', () => {
    const seats = new Store();
    const { first, again, after } = reload(seats);
    expect(again.device).toEqual(first.device);
    expect(again.claim).toBe(CLAIM);
    // A tab that is doubled while this one lives is a device of its own.
    expect(seats.text).toBeNull();
    const double = tab(seats, 3);
    expect(double.joins(double.open()).device.id).not.toBe(first.device.id);
    for (const { session } of [after, double]) session.leave();
    expect(seats.text).toBeNull();
  });

  it('is another device in another session, and where it had no seat or what is kept is no seat', () => {
    const seats = new Store();
    const { first, again } = reload(seats, { room: 'def567', secret: SECRET });
    expect([again.device.id === first.device.id, again.claim]).toEqual([false, undefined]);
    const waits = tab(seats, 4);
    waits.open().say({ type: 'waiting', sentence: 'The host has to let you in.' });
    waits.goAway();
    expect(seats.text).toBeNull();
    for (const text of ['', '{}', 'null', '{"room":"abc234","id":"x","key":"y","claim":"z"}']) {
      seats.put(text);
      const odd = tab(seats, 5);
      expect(odd.joins(odd.open())).not.toHaveProperty('claim');
      odd.session.leave();
    }
  });
});
