import { describe, expect, it } from 'vitest';
import {
  DEFAULT_LIMITS,
  ENTER_MS,
  HOST_GRACE_MS,
  OFFLINE_GRACE_MS,
  PING_MS,
  SWEEP_MS,
} from '../../signaling/connection/bounds/limits.ts';
import type { Effect, Input } from '../../signaling/connection/core.ts';
import { newCore, stepCore } from '../../signaling/connection/step.ts';
import type { ClientMessage, ServerMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { OPEN_DOOR, profile, SETTINGS } from '../protocol/samples.ts';
import { device, Play, SECRETS } from './play.ts';

const create = {
  type: 'create',
  version: PROTOCOL_VERSION,
  device: device('hosthost'),
  settings: SETTINGS,
  ...OPEN_DOOR,
} as const;
const refusals = (said: readonly ServerMessage[]): string[] =>
  said.flatMap((m) => (m.type === 'error' && m.refused ? [m.sentence] : []));
const remarks = (said: readonly ServerMessage[]): string[] =>
  said.flatMap((m) => (m.type === 'error' && !m.refused ? [m.sentence] : []));

describe('the handshake', () => {
  it('greets every connection with its version, before all else', () => {
    const play = new Play();
    expect(play.said(play.open())).toEqual([{ type: 'hello', version: PROTOCOL_VERSION }]);
  });

  // A page of 0.1.0 sends no version and knows the three fields of an error alone.
  it.each([
    ['0.1.0, hosting', { type: 'create', device: device('hosthost'), settings: SETTINGS }, /older than the server/],
    [
      '0.1.0, joining',
      { type: 'join', device: device('tabtabtab'), room: 'abc234', watch: false },
      /older than the server/,
    ],
    ['an older release', { ...create, version: PROTOCOL_VERSION - 1 }, /older than the server/],
    ['a newer release', { ...create, version: PROTOCOL_VERSION + 1, news: 1 }, /newer than the server/],
    ['a version that is no number', { ...create, version: '2' }, /older than the server/],
  ])('tells a page of another release to reload: %s', (_, message, sentence) => {
    const play = new Play();
    const connection = play.open();
    play.said(connection);
    play.text(connection, JSON.stringify(message));
    const [answer, ...more] = play.said(connection);
    expect(answer).toEqual({ type: 'error', sentence: expect.stringMatching(sentence), refused: true });
    expect(answer).toMatchObject({ sentence: expect.stringContaining('Reload it') });
    expect(more).toEqual([]);
    expect(play.core.rooms.size).toBe(0);
  });

  it('lets a page of this release in', () => {
    const play = new Play();
    const { connection, room } = play.host();
    expect(room).toMatch(/^[2-9a-hjkmnp-z]{6}$/);
    const tab = play.join(room, 'tabtabtab');
    play.pass(100);
    expect(play.said(tab).map((m) => m.type)).toEqual(['hello', 'welcome', 'history', 'news']);
    expect(play.said(connection).map((m) => m.type)).toContain('news');
  });
});

describe('what a connection may say', () => {
  it.each([
    ['nothing before it has entered', 'hidden', { type: 'hidden', hidden: true }, /Join a session first/],
    [
      'no session that is not there',
      'join',
      { type: 'join', version: PROTOCOL_VERSION, device: device('aaaaaaaa'), room: 'zzzzzz', watch: false },
      /zzzzzz/,
    ],
  ] as const)('%s', (_, __, message, sentence) => {
    const play = new Play();
    const connection = play.open();
    play.send(connection, message);
    expect(refusals(play.said(connection))).toEqual([expect.stringMatching(sentence)]);
  });

  it.each<ClientMessage>([
    { type: 'linked', device: 'tabtabtab', linked: true },
    { type: 'relayed', pairs: [['aaaaaaaa', 'bbbbbbbb']] },
    { type: 'phase', phase: 'training' },
    { type: 'policy', policy: 'lola' },
    { type: 'history', rounds: [], scores: [] },
    { type: 'activity', activity: { round: 1, devices: [] } },
  ])('only the host says $type', (message) => {
    const play = new Play();
    const { connection, room } = play.host();
    const tab = play.join(room, 'tabtabtab');
    play.send(tab, message);
    expect(remarks(play.said(tab))).toEqual(['Only the host may do this.']);
    play.send(connection, message);
    expect(remarks(play.said(connection))).toEqual([]);
  });

  it('one session a connection, one connection a device', () => {
    const play = new Play();
    const { room } = play.host();
    const tab = play.join(room, 'tabtabtab');
    play.send(tab, create);
    expect(remarks(play.said(tab))).toEqual(['This connection has joined a session already.']);
    const again = play.join(room, 'tabtabtab');
    expect(play.closed).toEqual([tab]);
    // The end of the old one is not the end of the device.
    play.drop(tab);
    play.pass(OFFLINE_GRACE_MS + 100);
    play.pass(100);
    expect(play.core.rooms.get(room)?.seats.get('tabtabtab')?.connection).toBe(again);
  });

  it('nobody sits down on another device, nor on the host', () => {
    const play = new Play();
    const { room } = play.host();
    play.join(room, 'tabtabtab');
    for (const id of ['tabtabtab', 'hosthost']) {
      const thief = play.open();
      const stolen = { ...device(id), key: 'wrongwrongwrong0' };
      play.send(thief, { type: 'join', version: PROTOCOL_VERSION, device: stolen, room, watch: false });
      expect(refusals(play.said(thief))).toEqual([expect.stringContaining('Another tab already uses')]);
      play.send(thief, { ...create, device: stolen, room });
      expect(refusals(play.said(thief))).toEqual(['This session belongs to another host.']);
    }
  });

  it('no more than its allowance, and nothing after it was hung up', () => {
    const play = new Play({ messagesOfConnection: { perSecond: 10, burst: 20 } });
    const connection = play.open();
    play.said(connection);
    for (let i = 0; i < 25; i++) play.send(connection, { type: 'ping' });
    const said = play.said(connection);
    expect(said.filter((m) => m.type === 'pong')).toHaveLength(20);
    expect(refusals(said)).toEqual(['This connection, or this address, sent too many messages.']);
    expect(play.closed).toEqual([connection]);
    const other = play.open();
    for (let second = 0; second < 5; second++) {
      for (let i = 0; i < 10; i++) play.send(other, { type: 'ping' });
      play.pass(1000);
    }
    expect(play.closed).toEqual([connection]);
  });
});

describe('time', () => {
  it('closes a connection that does not enter', () => {
    const play = new Play();
    const idle = play.open();
    play.pass(ENTER_MS - 1);
    play.send(idle, { type: 'ping' });
    expect(play.closed).toEqual([]);
    play.pass(1);
    expect(play.closed).toEqual([idle]);
    expect(play.core.connections.size).toBe(0);
  });

  it('asks a silent device whether it is there, and takes it for gone after two questions without an answer', () => {
    const play = new Play();
    const { connection, room } = play.host();
    const [alive, dead] = [play.join(room, 'alivealive'), play.join(room, 'deaddead')];
    play.pass(500);
    for (const id of [connection, alive, dead]) play.said(id);
    play.ignorant.add(dead);
    const at: Record<string, number> = {};
    const startMs = play.nowMs;
    for (let t = 0; t < 60; t++) {
      play.pass(1000);
      for (const who of [connection, alive])
        if (play.said(who).some((m) => m.type === 'ping')) play.send(who, { type: 'pong' });
      for (const id of play.closed) at[id] ??= (play.nowMs - startMs) / 1000;
    }
    expect(at).toEqual({ [dead]: (3 * PING_MS) / 1000 });
    expect(play.core.rooms.get(room)?.state.devices.map((d) => [d.id, d.online])).toEqual([
      ['hosthost', true],
      ['alivealive', true],
      ['deaddead', false],
    ]);
  });

  it('lets a device that lost everything go after a while, and keeps one that trains on', () => {
    const play = new Play();
    const { connection, room } = play.host();
    const [linked, lost, back] = ['linkedlinked', 'lostlost', 'backback'].map((id) => play.join(room, id));
    play.send(connection, { type: 'linked', device: 'linkedlinked', linked: true });
    for (const id of [linked, lost, back]) play.drop(id);
    play.pass(OFFLINE_GRACE_MS / 2);
    play.join(room, 'backback');
    play.send(connection, { type: 'ping' });
    play.pass(OFFLINE_GRACE_MS / 2);
    const names = () => play.core.rooms.get(room)?.state.devices.map((d) => d.id);
    expect(names()).toEqual(['hosthost', 'linkedlinked', 'backback']);
    play.send(connection, { type: 'linked', device: 'linkedlinked', linked: false });
    play.pass(OFFLINE_GRACE_MS);
    expect(names()).not.toContain('linkedlinked');
  });

  it('begins anew for a device that came back and went again, host or not', () => {
    const play = new Play();
    const { connection, room } = play.host();
    const first = play.join(room, 'tabtabtab');
    play.drop(first);
    play.pass(OFFLINE_GRACE_MS - 5000);
    play.drop(play.join(room, 'tabtabtab'));
    play.pass(OFFLINE_GRACE_MS - 1);
    const ids = () => play.core.rooms.get(room)?.state.devices.map(({ id }) => id);
    play.send(connection, { type: 'ping' });
    expect(ids()).toEqual(['hosthost', 'tabtabtab']);
    play.pass(1);
    expect(ids()).toEqual(['hosthost']);
    play.drop(connection);
    play.pass(HOST_GRACE_MS - 5000);
    const again = play.open();
    play.send(again, { ...create, room });
    play.drop(again);
    play.pass(HOST_GRACE_MS - 1);
    expect(ids()).toEqual(['hosthost']);
    play.pass(1);
    expect(ids()).toBeUndefined();
  });

  it('keeps a room for its host for a while, and not for ever', () => {
    const play = new Play();
    const { connection, room } = play.host();
    play.drop(connection);
    play.pass(HOST_GRACE_MS - 1);
    expect(play.core.rooms.has(room)).toBe(true);
    play.pass(1);
    expect(play.core.rooms.has(room)).toBe(false);
    // Nothing of it is left, and nothing wakes the core any more.
    play.pass(SWEEP_MS * 3);
    expect(play.core.addresses.size).toBe(0);
    expect(play.core.introductions.size).toBe(0);
    expect(play.core.deadlines.heap).toEqual([]);
  });
});

describe('the planner', () => {
  it('has one question of a room at a time, and the newest state in the next one', () => {
    const play = new Play();
    play.plans = false;
    const { connection, room } = play.host();
    const asked: Effect[] = [];
    const say = (message: ClientMessage): void => {
      const random = new Uint8Array(16);
      asked.push(
        ...stepCore(play.core, { type: 'text', connection, text: JSON.stringify(message), random }, play.nowMs),
      );
    };
    const questions = () => asked.flatMap((e) => (e.type === 'plan' ? [e.request] : []));
    say({ type: 'profile', profile: profile() });
    say({ type: 'profile', profile: profile(2) });
    say({ type: 'policy', policy: 'single' });
    expect(questions()).toHaveLength(1);
    const [request] = questions();
    const answer = { feasible: false, reason: 'None yet.' } as const;
    asked.push(...stepCore(play.core, { type: 'planned', room, request, answer }, play.nowMs));
    expect(questions()).toHaveLength(2);
    expect(questions()[1].problem).toMatchObject({
      policy: 'single',
      devices: [{ id: 'hosthost', profile: profile(2) }],
    });
  });
});

describe('a step', () => {
  it('is the same again for the same inputs, also from a state that was stored between every two of them', () => {
    const inputs: [number, Input][] = [];
    const text = (connection: number, message: unknown): Input => ({
      type: 'text',
      connection,
      text: JSON.stringify(message),
      random: Uint8Array.from({ length: 16 }, (_, i) => i),
    });
    const room = '23456789'.slice(0, 6);
    inputs.push(
      [0, { type: 'opened', connection: 1, address: 'a', introduction: null }],
      [1, text(1, { ...create, door: 'ask' })],
    );
    for (let i = 2; i < 8; i++) {
      inputs.push([10 * i, { type: 'opened', connection: i, address: 'a', introduction: null }]);
      inputs.push([
        10 * i + 1,
        text(i, { type: 'join', version: PROTOCOL_VERSION, device: device(`tabtabt${i}`), room, watch: false }),
      ]);
      // Some are let in, some wait, one is sent away, one stays out.
      const decision = i < 5 ? 'admit' : i === 5 ? 'refuse' : i === 6 ? 'remove' : null;
      if (decision !== null) inputs.push([10 * i + 2, text(1, { type: decision, device: `tabtabt${i}` })]);
      inputs.push([10 * i + 3, text(i, { type: 'hidden', hidden: i % 2 === 0 })]);
    }
    inputs.push([90, { type: 'opened', connection: 8, address: 'b', introduction: null }]);
    inputs.push([91, text(8, { type: 'look', version: PROTOCOL_VERSION, room })]);
    for (let t = 100; t < 60_000; t += 1700)
      inputs.push([t, { type: 'time' }], [t, text(1 + (t % 7), { type: 'pong' })]);
    const run = (store: boolean): (readonly Effect[])[] => {
      let core = newCore(DEFAULT_LIMITS, SECRETS, []);
      return inputs.map(([atMs, input]) => {
        if (store) core = structuredClone(core);
        return stepCore(core, input, atMs);
      });
    };
    const once = run(false);
    expect(once.flat().length).toBeGreaterThan(40);
    for (const type of ['welcome', 'waiting', 'outside', 'removed'])
      expect(once.flat().some((effect) => effect.type === 'send' && effect.text.includes(`"${type}"`))).toBe(true);
    expect(run(false)).toEqual(once);
    expect(run(true)).toEqual(once);
  });
});
