import { expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../signaling/connection/bounds/limits.ts';
import type { Effect, Input } from '../../signaling/connection/core.ts';
import { newCore, stepCore } from '../../signaling/connection/step.ts';
import { MAX_CONTROL_CHARACTERS, MAX_DEVICES_IN_ROOM } from '../../signaling/protocol/limits.ts';
import { parseServerMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { cpuMs } from '../cpu-ms.ts';
import { CLIENT_MESSAGES } from '../protocol/message-samples.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';
import { device, SECRETS } from './play.ts';

/** Messages to be tried; a release is tried with a million (`TABLOOM_MUTATIONS=1000000`). */
const COUNT = Number(process.env.TABLOOM_MUTATIONS ?? 5000);
const SEED = Number(process.env.TABLOOM_SEED ?? 1);
/** Of computing; no input may take longer. */
const MAX_STEP_MS = 1000;

/** What introductions are made of. */
const INTRODUCTIONS = [
  { type: 'HEARTBEAT' },
  {
    type: 'OFFER',
    dst: 'abcdefgh',
    payload: {
      sdp: { type: 'offer', sdp: 'v=0' },
      type: 'data',
      connectionId: 'dc_1',
      label: 'dc_1',
      reliable: true,
      serialization: 'binary',
    },
  },
  { type: 'LEAVE', dst: 'abcdefgh' },
];
const ODD: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  ' ',
  'abcdefgh',
  'hosthost',
  'waits0000',
  '\u0000\u001b[2J\u202e\ud800',
  'x'.repeat(3000),
  [],
  {},
  [[[[[[]]]]]],
  { __proto__: null, constructor: 1 },
  Array(2000).fill(0),
];

class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** mulberry32, in [0, 1) */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)];
  }
}

/** A copy with one value somewhere in it changed, dropped, doubled or moved. */
function mutated(value: unknown, chance: Chance): unknown {
  if (typeof value !== 'object' || value === null || chance.next() < 0.15)
    return typeof value === 'number' && chance.next() < 0.5
      ? value * chance.one([-1, 0, 2, 1e9, 1e-9])
      : chance.one(ODD);
  if (Array.isArray(value)) {
    if (value.length === 0 || chance.next() < 0.3) return [...value, ...value, chance.one(ODD)];
    const at = chance.below(value.length);
    return value.flatMap((item, i) => (i !== at ? [item] : chance.next() < 0.3 ? [] : [mutated(item, chance)]));
  }
  const entries = Object.entries(value);
  const at = chance.below(entries.length);
  const dice = chance.next();
  return Object.fromEntries(
    entries.flatMap(([key, item], i): [string, unknown][] => {
      // What says which message it is stays more often, so that mutations reach further than that.
      if (i !== at || (key === 'type' && dice < 0.9)) return [[key, item]];
      if (dice < 0.15) return [];
      if (dice < 0.25)
        return [
          [key, item],
          [chance.one(['__proto__', 'toString', 'extra', 'version']), item],
        ];
      return [[key, mutated(item, chance)]];
    }),
  );
}

function mutatedText(text: string, chance: Chance): string {
  const dice = chance.next();
  const at = chance.below(text.length);
  if (dice < 0.75) return text;
  if (dice < 0.85) return text.slice(0, at);
  if (dice < 0.95) return text.slice(0, at) + String.fromCharCode(chance.below(0xffff)) + text.slice(at + 1);
  if (dice < 0.99) return text + text;
  return '['.repeat(chance.below(100_000));
}

it(`holds, answers in words and stays small, whatever ${COUNT} messages make of what is said`, () => {
  const chance = new Chance(SEED);
  // What nobody may say too often is tried in other tests; here all of it shall be looked at.
  const ample = { perSecond: 1e9, burst: 1e9 };
  const limits = {
    ...DEFAULT_LIMITS,
    messagesOfConnection: ample,
    introductionsOfConnection: ample,
    messagesOfAddress: ample,
    messagesOfRoom: ample,
    openingsOfAddress: ample,
    wrongGuessesOfAddress: ample,
    wrongGuessesOfRoom: ample,
    looksOfAddress: ample,
    looksOfRoom: ample,
    seatsOfRoom: ample,
  };
  const core = newCore(limits, SECRETS, []);
  const lines = new Set<number>();
  let nowMs = 1_000_000;
  let last = 0;
  let slowestMs = 0;
  let answers = 0;
  let opened = 0;
  const take = (input: Input): readonly Effect[] => {
    const startMs = cpuMs();
    const effects = stepCore(core, input, nowMs);
    slowestMs = Math.max(slowestMs, cpuMs() - startMs);
    for (const effect of effects) {
      if (effect.type === 'plan') {
        const { room, request } = effect;
        take({ type: 'planned', room, request, answer: { feasible: false, reason: 'Nothing is planned here.' } });
      }
      if (effect.type !== 'send') continue;
      answers += 1;
      if (effect.to.some((to) => lines.has(to))) continue;
      // Whatever others put into it, everybody can read what they are told.
      const parsed = parseServerMessage(effect.text);
      if (!parsed.ok) throw new Error(`${parsed.sentence} ${effect.text.slice(0, 300)}`);
      expect(effect.text.length).toBeLessThan(MAX_CONTROL_CHARACTERS);
    }
    return effects;
  };
  const say = (connection: number, message: unknown): void => {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    take({ type: 'text', connection, text, random: Uint8Array.from({ length: 16 }, () => chance.below(256)) });
  };
  const open = (introduction: { id: string; token: string } | null = null): number => {
    last += 1;
    opened += 1;
    if (introduction !== null) lines.add(last);
    take({ type: 'opened', connection: last, address: `address ${chance.below(50)}`, introduction });
    return last;
  };
  const entry = { version: PROTOCOL_VERSION, ...OPEN_DOOR };
  const join = (room: string, id: string) => ({
    type: 'join',
    version: PROTOCOL_VERSION,
    device: device(id),
    room,
    watch: false,
  });

  /** A room with a host, a device, one that waits, a stranger and a connection for introductions. */
  const scene = () => {
    const host = open();
    say(host, { ...entry, type: 'create', device: device('hosthost'), settings: SETTINGS, door: 'open' });
    const room = core.connections.get(host)?.place?.room ?? '';
    const tab = open();
    say(tab, join(room, 'abcdefgh'));
    say(host, { type: 'door', door: 'ask', cap: 64 });
    const waits = open();
    say(waits, join(room, 'waits0000'));
    const id = [...core.introductions].find(([, place]) => place.room === room && place.device === 'abcdefgh')?.[0];
    return { room, connections: [host, tab, waits, open(), open({ id: id ?? 'nobody', token: '0'.repeat(32) })] };
  };
  let here = scene();
  for (let i = 0; i < COUNT; i++) {
    // Now and then all is made anew: what was said before may have ended it.
    if (i % 200 === 0) {
      for (const connection of here.connections) take({ type: 'closed', connection });
      if (core.rooms.size > 20) for (const room of [...core.rooms.values()].slice(0, -5)) endOf(room.state.id);
      here = scene();
    }
    const at = chance.below(here.connections.length);
    const isLine = at === here.connections.length - 1;
    const sample = JSON.parse(
      JSON.stringify(chance.one<unknown>(isLine ? INTRODUCTIONS : CLIENT_MESSAGES)).replaceAll('abc234', here.room),
    ) as unknown;
    const message = chance.next() < 0.2 ? sample : mutated(sample, chance);
    say(here.connections[at], mutatedText(JSON.stringify(message) ?? 'undefined', chance));
    if (!core.connections.has(here.connections[at])) here.connections[at] = open();
    nowMs += chance.below(20);
    if (i % 50 === 0) take({ type: 'time' });
  }

  /** As if its host had left. */
  function endOf(room: string): void {
    const host = open();
    say(host, { ...entry, type: 'create', device: device('hosthost'), settings: SETTINGS, room });
    say(host, { type: 'leave' });
  }

  expect(answers).toBeGreaterThan(COUNT / 4);
  expect(slowestMs).toBeLessThan(MAX_STEP_MS);
  expect(core.rooms.size).toBeLessThan(200);
  expect(core.connections.size).toBeLessThan(opened);
  for (const { state, entrance } of core.rooms.values()) {
    expect(state.devices.length).toBeLessThanOrEqual(MAX_DEVICES_IN_ROOM);
    expect(entrance.waiting.size).toBeLessThanOrEqual(16);
  }
  // Still plain data, and the next to come is served as ever.
  expect(() => structuredClone(core)).not.toThrow();
  const fresh = scene();
  expect(core.rooms.get(fresh.room)?.state.devices).toHaveLength(2);
});
