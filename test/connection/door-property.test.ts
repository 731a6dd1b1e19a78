import { describe, expect, it } from 'vitest';
import { MAX_WAITING_OF_ADDRESS } from '../../signaling/connection/door/entrance.ts';
import { passHashOf, passOf, secretOf } from '../../signaling/protocol/door/secret.ts';
import { DOORS, type Door, MAX_WAITING } from '../../signaling/protocol/door.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { SETTINGS } from '../protocol/samples.ts';
import { device, Play } from './play.ts';

const PASS = passOf(secretOf(new Uint8Array(16).fill(5)));
const WRONG = passOf(secretOf(new Uint8Array(16).fill(6)));
const IDS = Array.from({ length: 7 }, (_, i) => `device0${i}`);
const ADDRESSES = ['one', 'two', 'three'];
const ample = { perSecond: 1e6, burst: 1e6 };
/** Limits are the matter of other tests. */
const LIMITS = { wrongGuessesOfAddress: ample, wrongGuessesOfRoom: ample, looksOfAddress: ample, looksOfRoom: ample };

/** mulberry32 */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Plays random inputs, and keeps an account of its own of who may be let in: by an open door, by the pass at a door for it, by the host,
 * or by having been in with the same key.
 */
function wander(seed: number, steps: number): { seated: number; waited: number; removed: number } {
  const random = chance(seed);
  const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)];
  const play = new Play({ ...LIMITS });
  let door: Door = one(DOORS);
  const passHash = passHashOf(PASS);
  const made = play.host('hosthost', 'home', { passHash, door });
  const { room } = made;
  let host = made.connection;
  const claims = new Map<string, string>();
  const hadSeat = new Set<string>();
  const removed = new Set<string>();
  const removedFrom = new Set<string>();
  const from = new Map<string, string>();
  /** Whoever waits, by id, and whether they showed the pass. */
  const knocked = new Map<string, { readonly withPass: boolean; readonly address: string }>();
  const connections = new Map<number, string>();
  const counts = { seated: 0, waited: 0, removed: 0 };

  for (let i = 0; i < steps; i++) {
    const id = one(IDS);
    const may = new Set<string>();
    const dice = random();
    if (dice < 0.4) {
      const address = one(ADDRESSES);
      const pass = one([undefined, PASS, WRONG, PASS]);
      const claim = random() < 0.5 ? claims.get(one([id, one(IDS)])) : undefined;
      const right = pass === PASS;
      if (!removed.has(id)) {
        if (hadSeat.has(id)) may.add(id);
        else if (!removedFrom.has(address) && pass !== WRONG && (door === 'open' || (door === 'link' && right)))
          may.add(id);
      }
      const connection = play.open(address);
      connections.set(connection, id);
      const entry = { type: 'join', version: PROTOCOL_VERSION, device: device(id), room, watch: false } as const;
      play.send(connection, { ...entry, ...(pass && { pass }), ...(claim && { claim }) });
      from.set(id, address);
      const waits = [...(play.core.rooms.get(room)?.entrance.waiting.values() ?? [])];
      if (waits.some((waiter) => waiter.connection === connection)) {
        knocked.set(id, { withPass: right, address });
        counts.waited += 1;
      }
    } else if (dice < 0.5 && play.core.connections.has(host)) {
      door = one(DOORS);
      for (const [waiter, { withPass, address }] of knocked)
        if (!removedFrom.has(address) && !removed.has(waiter) && (door === 'open' || (door === 'link' && withPass)))
          may.add(waiter);
      play.send(host, { type: 'door', door, cap: 2 + Math.floor(random() * 8) });
    } else if (dice < 0.62) {
      if (play.core.connections.has(host) && knocked.has(id) && !removed.has(id)) may.add(id);
      play.send(host, { type: 'admit', device: id });
    } else if (dice < 0.66) play.send(host, { type: 'refuse', device: id });
    else if (dice < 0.69 && play.core.connections.has(host)) {
      const address = from.get(id);
      const isThere = knocked.has(id) || play.core.rooms.get(room)?.state.devices.some((d) => d.id === id);
      if (address !== undefined && isThere) removedFrom.add(address);
      play.send(host, { type: 'remove', device: id });
      removed.add(id);
      counts.removed += 1;
    } else if (dice < 0.75) {
      // Somebody says what only a host, or nobody, may say.
      const connection = one([...connections.keys(), 0]);
      play.send(
        connection,
        one([{ type: 'admit', device: id }, { type: 'door', door: 'open', cap: 64 }, { type: 'pong' }]),
      );
    } else if (dice < 0.85) play.send(one([...connections.keys(), 0]), { type: 'leave' });
    else if (dice < 0.93) play.drop(one([...connections.keys(), 0]));
    else if (dice < 0.96) {
      play.drop(host);
      host = play.open('home');
      const before = { room, passHash, door, cap: 64 };
      for (const [waiter, { withPass, address }] of knocked)
        if (!removedFrom.has(address) && (door === 'open' || (door === 'link' && withPass))) may.add(waiter);
      play.send(host, {
        type: 'create',
        version: PROTOCOL_VERSION,
        device: device('hosthost'),
        settings: SETTINGS,
        ...before,
      });
    } else {
      for (const connection of play.core.connections.keys()) play.send(connection, { type: 'pong' });
      play.pass(1000 + random() * 20_000);
    }
    // Whoever was welcomed in this step had to be one who may.
    for (const [connection, of] of connections)
      for (const message of play.said(connection))
        if (message.type === 'welcome') {
          expect(may, `seed ${seed}, step ${i}, door ${door}`).toContain(of);
          hadSeat.add(of);
          claims.set(of, message.claim ?? '');
          knocked.delete(of);
          counts.seated += 1;
        }
    const state = play.core.rooms.get(room);
    if (state === undefined) break;
    const { waiting } = state.entrance;
    for (const waiter of knocked.keys()) if (!waiting.has(waiter)) knocked.delete(waiter);
    expect(waiting.size).toBeLessThanOrEqual(MAX_WAITING);
    for (const address of ADDRESSES) {
      const strangers = [...waiting.values()].filter((w) => w.address === address && !w.withPass);
      expect(strangers.length).toBeLessThanOrEqual(MAX_WAITING_OF_ADDRESS);
    }
    for (const { id: inside } of state.state.devices) {
      expect(removed.has(inside), `seed ${seed}, step ${i}`).toBe(false);
      expect(inside === 'hosthost' || hadSeat.has(inside)).toBe(true);
      expect(waiting.has(inside), `seed ${seed}, step ${i}: ${inside} waits and is in`).toBe(false);
    }
    // Who waits does so on a connection that is there, and that knows it.
    for (const [waiter, { connection }] of waiting)
      expect(play.core.connections.get(connection)?.waitsFor).toEqual({ room, device: waiter });
    for (const { id: at, place, waitsFor } of play.core.connections.values()) {
      expect(place === null || waitsFor === null).toBe(true);
      if (waitsFor !== null) expect(waiting.get(waitsFor.device)?.connection).toBe(at);
    }
  }
  return counts;
}

describe('whatever is said at a door, in whatever order', () => {
  it('nobody is let in who did not show the pass at a door for it, came by an open one, was let in or had been in', () => {
    const sums = { seated: 0, waited: 0, removed: 0 };
    for (let seed = 1; seed <= 60; seed++) {
      const { seated, waited, removed } = wander(seed, 100);
      sums.seated += seated;
      sums.waited += waited;
      sums.removed += removed;
    }
    // The walk went through all of it.
    expect(sums.seated).toBeGreaterThan(250);
    expect(sums.waited).toBeGreaterThan(250);
    expect(sums.removed).toBeGreaterThan(50);
  });
});
