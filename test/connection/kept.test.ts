import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../signaling/connection/bounds/limits.ts';
import { FORM, KeptCore } from '../../signaling/connection/kept/kept-core.ts';
import { dataOf, textOf } from '../../signaling/connection/kept/text.ts';
import { newCore } from '../../signaling/connection/step.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { OPEN_DOOR, profile, SETTINGS } from '../protocol/samples.ts';
import { device, MemoryStore, SECRETS } from './play.ts';

const CODE = '234567';
const fresh = () => newCore({ ...DEFAULT_LIMITS, rooms: 1 }, SECRETS, [], { only: CODE });
const text = (connection: number, message: object) => ({
  type: 'text' as const,
  connection,
  text: JSON.stringify(message),
  random: new Uint8Array(16),
});
const create = {
  type: 'create',
  version: PROTOCOL_VERSION,
  device: device('hosthost'),
  settings: SETTINGS,
  ...OPEN_DOOR,
};

describe('data as a text', () => {
  it.each([
    [
      new Map<unknown, unknown>([
        [1, 'a'],
        ['b', new Map([['c', null]])],
      ]),
    ],
    [{ bytes: new Uint8Array([0, 255]), of: [Infinity, -Infinity, -1.5] }],
    [{ $: 'map', of: [[1, 2]] }],
    [{ $: { $: 'bytes', of: 3 }, x: [] }],
    [[[], {}, null, '', true]],
  ])('comes back as it was: %j', (data) => {
    expect(dataOf(textOf(data))).toEqual(data);
    expect(dataOf(textOf([data, data]))).toEqual([data, data]);
  });
});

describe('a core that is kept', () => {
  it('makes its one room under its own code, and no other', () => {
    const kept = new KeptCore({ store: new MemoryStore(), fresh });
    for (const connection of [1, 2, 3]) kept.take({ type: 'opened', connection, address: 'a', introduction: null }, 0);
    kept.take(text(1, create), 1);
    expect([...kept.core.rooms.keys()]).toEqual([CODE]);
    const second = kept.take(text(2, { ...create, device: device('otherhost') }), 2);
    expect(JSON.stringify(second)).toContain('holds as many sessions as it can');
    const elsewhere = kept.take(text(3, { ...create, device: device('thirdhost'), room: '765432' }), 3);
    expect(JSON.stringify(elsewhere)).toContain('was not given to this host');
    expect([...kept.core.rooms.keys()]).toEqual([CODE]);
  });

  it('asks the planner again whose answer it will not hear, and lets go of connections that are gone', () => {
    const store = new MemoryStore();
    const before = new KeptCore({ store, fresh });
    const host = before.newConnection();
    const tab = before.newConnection();
    before.take({ type: 'opened', connection: host, address: 'a', introduction: null }, 0);
    before.take(text(host, create), 1);
    before.take({ type: 'opened', connection: tab, address: 'b', introduction: null }, 2);
    before.take(
      text(tab, { type: 'join', version: PROTOCOL_VERSION, device: device('tabtabtab'), room: CODE, watch: false }),
      3,
    );
    const asked = before.take(text(host, { type: 'profile', profile: profile() }), 4);
    expect(asked.filter(({ type }) => type === 'plan')).toHaveLength(1);
    before.write();
    const after = new KeptCore({ store, fresh });
    expect(after.core.rooms.get(CODE)?.planning).toBe(true);
    expect(after.newConnection()).toBe(3);
    const effects = after.take({ type: 'restored', connections: [host] }, 5);
    expect(effects.filter(({ type }) => type === 'plan')).toHaveLength(1);
    expect(effects.filter(({ type }) => type === 'wakeAt')).toHaveLength(1);
    const devices = after.core.rooms.get(CODE)?.state.devices ?? [];
    expect(devices.map(({ id, online }) => [id, online])).toEqual([
      ['hosthost', true],
      ['tabtabtab', false],
    ]);
  });

  it('is forgotten where it was kept in another form', () => {
    const store = new MemoryStore();
    store.replace(textOf({ form: FORM + 1, lastConnection: 3, state: {} }));
    const kept = new KeptCore({ store, fresh });
    expect([kept.core.rooms.size, store.snapshot, kept.newConnection()]).toEqual([0, null, 1]);
  });

  it('goes by what others know of an address where that is less: wrong codes, and rooms elsewhere', () => {
    const kept = new KeptCore({ store: new MemoryStore(), fresh });
    const standing = (left: number, roomsElsewhere = 0) => ({
      roomsElsewhere,
      guesses: { left, atMs: 0 },
      looks: { left: 100, atMs: 0 },
    });
    const open = (connection: number, address: string, left: number, { rooms = 0, atMs = 0 } = {}) => {
      kept.take({ type: 'standing', address, standing: standing(left, rooms) }, atMs);
      kept.take({ type: 'opened', connection, address, introduction: null }, atMs);
    };
    const join = { type: 'join', version: PROTOCOL_VERSION, device: device('tabtabtab'), room: '222222', watch: false };
    // In debt by 500 at half a guess a second: after 1,000 seconds nothing is owed, after two more one may be made.
    for (const [connection, atMs, answer] of [
      [1, 0, 'Too many codes'],
      [2, 1_000_000, 'Too many codes'],
      [3, 1_002_000, 'There is no session'],
    ] as const) {
      open(connection, 'guesser', -500, { atMs });
      expect(JSON.stringify(kept.take(text(connection, join), atMs))).toContain(answer);
    }
    open(4, 'maker', 30, { rooms: DEFAULT_LIMITS.roomsOfAddress, atMs: 1_002_000 });
    expect(JSON.stringify(kept.take(text(4, create), 1_002_000))).toContain('one address');
  });
});
