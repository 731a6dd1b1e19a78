import { describe, expect, it } from 'vitest';
import { changeSince, newChronicle, note, wholeRoom } from '../../signaling/connection/chronicle.ts';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import { MAX_CONTROL_CHARACTERS, MAX_DEVICE_VIEW_BYTES, MAX_DEVICES_IN_ROOM } from '../../signaling/protocol/limits.ts';
import { parseServerMessage } from '../../signaling/protocol/messages.ts';
import { MAX_GONE, type RoomView } from '../../signaling/protocol/room-view.ts';
import { utf8Bytes } from '../../signaling/protocol/text/plain-text.ts';
import { apply, createRoom, next, type RoomEvent, type RoomState, roomView } from '../../signaling/room/room.ts';
import { changedRoom } from '../../web/session/links/told-room.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';
import { device } from './play.ts';

/** Small and repeatable; a test that fails says with which seed. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const ids = Array.from({ length: 12 }, (_, i) => `device${String(i).padStart(4, '0')}`);

/** Anything that can happen to a room; planning included, as the server does it. */
function anyEvent(state: RoomState, pick: (below: number) => number): RoomEvent {
  const request = next(state);
  if (request !== null && pick(3) === 0) return { type: 'planned', request, answer: planRoom(request.problem) };
  const id = ids[pick(ids.length)];
  switch (pick(10)) {
    case 0:
    case 1:
      return { type: 'joined', device: { ...device(id), name: `Phone ${pick(4)}` }, watch: pick(5) === 0 };
    case 2:
      return { type: 'left', device: id };
    case 3:
      return { type: 'online', device: id, online: pick(2) === 0 };
    case 4:
      return { type: 'status', device: id, status: { kind: 'loading', done: pick(100), total: 100 } };
    case 5:
      return { type: 'profile', device: id, profile: profile(1 + pick(5)) };
    case 6:
      return { type: 'linked', device: id, linked: pick(3) > 0 };
    case 7:
      return { type: 'phase', phase: (['gathering', 'training', 'paused'] as const)[pick(3)] };
    case 8:
      return { type: 'extent', extent: { rounds: 1 + pick(3), evaluateEvery: pick(2) } };
    default:
      return pick(2) === 0
        ? { type: 'address', device: id, peerId: `peer${pick(1000)}` }
        : { type: 'policy', policy: (['auto', 'crunch', 'single'] as const)[pick(3)] };
  }
}

/** As it travels. */
const sent = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('what changed in a room', () => {
  it.each([1, 2, 3, 4, 5, 6])('leads everybody to the same view, however much of it they missed (seed %i)', (seed) => {
    const pick = random(seed);
    let state = createRoom('abc234', device('hosthost'), SETTINGS);
    const chronicle = newChronicle(state);
    const told = { room: state.id, settings: SETTINGS };
    // Each reader looks now and then: the first always, the last hardly ever.
    const readers = [1, 2, 5, 20, 80].map((every) => ({
      every,
      edition: null as number | null,
      view: null as RoomView | null,
    }));
    let changes = 0;
    for (let i = 0; i < 600; i++) {
      const event = anyEvent(state, pick);
      const before = state;
      state = apply(before, event);
      const news = note(chronicle, event, before, state);
      if (JSON.stringify(roomView(before)) !== JSON.stringify(roomView(state))) expect(news).toBe(true);
      for (const reader of readers) {
        if (pick(reader.every) !== 0 || reader.edition === chronicle.edition) continue;
        const change = reader.edition === null ? null : changeSince(chronicle, state, reader.edition);
        const since = change === null ? null : reader.edition;
        const message = parseServerMessage(
          JSON.stringify({ type: 'news', edition: chronicle.edition, since, change: change ?? wholeRoom(state) }),
        );
        if (!message.ok || message.value.type !== 'news')
          throw new Error(message.ok ? message.value.type : message.sentence);
        reader.view = changedRoom(told, since === null ? null : reader.view, message.value.change);
        reader.edition = chronicle.edition;
        expect(reader.view).toEqual(sent(roomView(state)));
        if (change !== null) changes += 1;
      }
    }
    expect(changes).toBeGreaterThan(300);
    expect(state.planVersions).toBeGreaterThan(5);
  });

  it('of one device is that device’s field alone', () => {
    const state = apply(createRoom('abc234', device('hosthost'), SETTINGS), {
      type: 'joined',
      device: device('tabtabtab'),
      watch: false,
    });
    const chronicle = newChronicle(state);
    const event: RoomEvent = { type: 'hidden', device: 'tabtabtab', hidden: true };
    const after = apply(state, event);
    expect(note(chronicle, event, state, after)).toBe(true);
    expect(changeSince(chronicle, after, 1)).toEqual({ devices: [{ id: 'tabtabtab', hidden: true }] });
    expect(changeSince(chronicle, after, 2)).toEqual({});
    // The same again is no news.
    expect(note(chronicle, event, after, apply(after, event))).toBe(false);
  });

  it('is told whole to somebody who missed more departures than are kept in mind, and to somebody from another time', () => {
    let state = createRoom('abc234', device('hosthost'), SETTINGS);
    const chronicle = newChronicle(state);
    for (let i = 0; i < 2 * MAX_GONE; i++) {
      const event: RoomEvent =
        i % 2 === 0
          ? { type: 'joined', device: device(`guest${1000 + i}`), watch: false }
          : { type: 'left', device: `guest${1000 + i - 1}` };
      const before = state;
      state = apply(before, event);
      note(chronicle, event, before, state);
    }
    expect(changeSince(chronicle, state, 1)?.gone).toHaveLength(MAX_GONE);
    const [before, leaves]: [RoomState, RoomEvent] = [
      apply(state, { type: 'joined', device: device('lastlast'), watch: false }),
      { type: 'left', device: 'lastlast' },
    ];
    note(chronicle, leaves, before, apply(before, leaves));
    expect(changeSince(chronicle, state, 1)).toBeNull();
    expect(changeSince(chronicle, state, chronicle.edition + 1)).toBeNull();
  });

  it('does not fit onto a view that is not the one it began with', () => {
    const told = { room: 'abc234', settings: SETTINGS };
    expect(changedRoom(told, null, { devices: [{ id: 'tabtabtab', hidden: true }] })).toBeNull();
    const view = changedRoom(told, null, sent(wholeRoom(createRoom('abc234', device('hosthost'), SETTINGS))));
    expect(view?.devices).toHaveLength(1);
    expect(changedRoom(told, view, { devices: [{ id: 'tabtabtab', hidden: true }] })).toBeNull();
  });
});

describe('a full room', () => {
  it('whose devices say as much as they may fits into one message, plan and all', () => {
    const long = { ...profile(), backend: '界'.repeat(120), overheadSeconds: 1 / 3 };
    let state = createRoom('abc234', device('hosthost'), {
      ...SETTINGS,
      shape: { ...SETTINGS.shape, layers: 64 },
      training: { ...SETTINGS.training, samplesPerRound: 4096 },
      policy: 'data-parallel',
    });
    for (let i = 1; i < MAX_DEVICES_IN_ROOM; i++) {
      const id = `device${String(i).padStart(26, '0')}`;
      const events: RoomEvent[] = [
        { type: 'joined', device: { ...device(id), name: `${'界'.repeat(36)}${i}` }, watch: false },
        { type: 'linked', device: id, linked: true },
        { type: 'profile', device: id, profile: long },
      ];
      for (const event of events) state = apply(state, event);
    }
    const request = next(state);
    if (request === null) throw new Error('nothing to plan');
    // No plan is longer: everybody has every layer, and no number is round.
    const assignments = state.devices.map(({ id }) => ({
      device: id,
      layers: Array.from({ length: 64 }, (_, layer) => layer),
      head: false,
      samples: { start: 1000, count: 1000 },
      microBatch: 1000,
      memoryBytes: 1e12 / 7,
      recompute: false,
      share: 1 / 3,
      uploadBits: 1e12 / 7,
      computeSeconds: 1e-5 / 3,
      uploadSeconds: 1e-5 / 3,
    }));
    const answer = planRoom(request.problem);
    if (!answer.feasible) throw new Error(answer.reason);
    const plan = { ...answer.plan, explanation: '界'.repeat(400), assignments };
    state = apply(state, { type: 'planned', request, answer: { feasible: true, plan } });
    expect(state.plan?.assignments).toHaveLength(MAX_DEVICES_IN_ROOM);
    // The longest state a device can be in.
    const filler = '界'.repeat(400);
    for (const { id } of state.devices) {
      const transfer = {
        bytes: 1e15 / 3,
        totalBytes: 1e15 / 3,
        bytesPerSecond: 1 / 3,
        secondsLeft: 1 / 3,
        remark: filler,
      };
      state = apply(state, {
        type: 'status',
        device: id,
        status: { kind: 'loading', done: 1 / 3, total: 1 / 3, transfer },
      });
    }
    const view = roomView(state);
    for (const one of view.devices) expect(utf8Bytes(JSON.stringify(one))).toBeLessThan(MAX_DEVICE_VIEW_BYTES);
    const text = JSON.stringify({ type: 'news', edition: 1, since: null, change: wholeRoom(state) });
    const rest = utf8Bytes(text) - view.devices.reduce((sum, one) => sum + utf8Bytes(JSON.stringify(one)), 0);
    expect(rest + MAX_DEVICES_IN_ROOM * MAX_DEVICE_VIEW_BYTES).toBeLessThan(MAX_CONTROL_CHARACTERS);
    expect(parseServerMessage(text).ok).toBe(true);
  });
});
