import { describe, expect, it } from 'vitest';
import { HEIR_WAIT_MS } from '../../signaling/connection/bounds/limits.ts';
import { passHashOf } from '../../signaling/protocol/door/secret.ts';
import type { Revival } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';
import { PASS } from './door-scene.ts';
import { device, Play } from './play.ts';

const creates = (id: string, room: string, change: { term?: number; claim?: string } = {}) =>
  ({
    type: 'create',
    version: PROTOCOL_VERSION,
    device: device(id),
    settings: SETTINGS,
    room,
    ...OPEN_DOOR,
    ...change,
  }) as const;

/** A room of a host and two devices; `held` says what a device holds. */
function scene() {
  const play = new Play();
  const host = play.open();
  play.send(host, { ...creates('hosthost', 'abc234'), room: undefined });
  const welcome = play.said(host).find((message) => message.type === 'welcome');
  if (welcome === undefined) throw new Error('no room');
  const { room, claim = '' } = welcome;
  const [a, b] = ['aaaaaaaa', 'bbbbbbbb'].map((id) => play.join(room, id));
  play.pass(300);
  const types = (connection: number) => play.said(connection).map((message) => message.type);
  const hold = (connection: number, round: number, term = 1) =>
    play.send(connection, { type: 'holding', term, round, able: true, linked: false });
  for (const connection of [host, a, b]) play.said(connection);
  const offerOf = (connection: number): number | null => {
    const offer = play.said(connection).find((message) => message.type === 'offer');
    return offer?.type === 'offer' ? offer.term : null;
  };
  /** Takes the offer on another connection, as a device does. */
  const take = (id: string, term: number): number => {
    const connection = play.open();
    play.send(connection, creates(id, room, { term }));
    return connection;
  };
  const state = () => play.core.rooms.get(room)?.state;
  return { play, room, claim, host, a, b, hold, types, offerOf, take, state };
}

/** The same after the host’s connection broke and `b`, which is further, was offered its role. */
function offered() {
  const it = scene();
  it.play.drop(it.host);
  it.hold(it.a, 6);
  it.hold(it.b, 7);
  it.play.pass(HEIR_WAIT_MS + 10);
  return { ...it, term: it.offerOf(it.b) };
}

describe('a host that is gone', () => {
  it('leaves its role to a device: asked at once, offered within 10 s, taken on a connection of its own', () => {
    const { play, host, a, b, hold, types, take, state, offerOf } = scene();
    play.drop(host);
    expect(types(a)).toContain('hostless');
    expect(types(b)).toContain('hostless');
    hold(a, 6);
    hold(b, 7);
    play.pass(10_000);
    expect(offerOf(a)).toBeNull();
    expect(offerOf(b)).toBe(2);
    const taken = take('bbbbbbbb', 2);
    play.pass(300);
    expect(state()?.host).toBe('bbbbbbbb');
    expect(types(taken)[1]).toBe('welcome');
    // Its connection as a device has made way.
    expect(play.closed).toContain(b);
    const news = play.said(a).findLast((message) => message.type === 'news');
    expect(news).toMatchObject({ change: { host: 'bbbbbbbb' } });
    // Everybody has to link to it now; its own device is with it.
    expect(
      state()
        ?.devices.filter(({ linked }) => linked)
        .map(({ id }) => id),
    ).toEqual(['bbbbbbbb']);
    play.send(taken, { type: 'phase', phase: 'training' });
    expect(state()?.phase).toBe('training');
    play.send(a, { type: 'phase', phase: 'paused' });
    expect(state()?.phase).toBe('training');
  });

  it('gives way in the same room to the new one’s claim: it comes back after its connection broke, and the old one does not', () => {
    const { play, room, claim, a, take, term, state, types } = offered();
    const taken = take('bbbbbbbb', term ?? 0);
    const claimed = play.said(taken).find((message) => message.type === 'welcome');
    play.drop(taken);
    const again = play.open();
    play.send(
      again,
      creates('bbbbbbbb', room, { term: 2, claim: claimed?.type === 'welcome' ? (claimed.claim ?? '') : '' }),
    );
    expect(types(again)).toContain('welcome');
    const old = play.open();
    play.send(old, creates('hosthost', room, { term: 1, claim }));
    expect(play.said(old)).toContainEqual(expect.objectContaining({ type: 'error', refused: true, why: 'deposed' }));
    expect(state()?.host).toBe('bbbbbbbb');
    // As a device it is welcome.
    const back = play.join(room, 'hosthost');
    expect(types(back)).toContain('welcome');
    play.pass(300);
    expect(state()?.devices.find(({ id }) => id === 'hosthost')).toMatchObject({ online: true, linked: false });
    play.said(a);
    // Nor does the room end when the old host's time to come back would have been over.
    for (let minute = 0; minute < 11; minute += 0.25) {
      play.pass(15_000);
      play.send(again, { type: 'ping' });
    }
    expect(play.core.rooms.has(room)).toBe(true);
  });

  it('that is back before its role was taken is host as before, and the offer is over', () => {
    const { play, room, claim, take, term, state, types } = offered();
    const back = play.open();
    play.send(back, creates('hosthost', room, { claim }));
    expect(types(back)).toContain('welcome');
    const late = take('bbbbbbbb', term ?? 0);
    expect(types(late)).not.toContain('welcome');
    expect(state()?.host).toBe('hosthost');
  });

  it('is followed by nobody who was not asked: another device, another term, another key, or without an offer', () => {
    const { play, room, take, term, state, a, offerOf } = offered();
    expect(offerOf(a)).toBeNull();
    take('aaaaaaaa', term ?? 0);
    take('bbbbbbbb', (term ?? 0) + 1);
    const connection = play.open();
    const stolen = creates('bbbbbbbb', room, { term: term ?? 0 });
    play.send(connection, { ...stolen, device: { ...stolen.device, key: 'k'.repeat(32) } });
    expect(state()?.host).toBe('hosthost');
    const quiet = scene();
    quiet.take('aaaaaaaa', 2);
    expect(quiet.state()?.host).toBe('hosthost');
  });

  it('is waited for as before where no device may have its role, and then the room ends', () => {
    const { play, host, a, room } = scene();
    play.drop(host);
    play.send(a, { type: 'holding', term: 1, round: 7, able: false, linked: false });
    play.pass(9 * 60_000);
    expect(play.core.rooms.has(room)).toBe(true);
    play.pass(2 * 60_000);
    expect(play.core.rooms.has(room)).toBe(false);
  });

  it('is asked for again when the device that was offered the role goes, too', () => {
    const { play, b, a, offerOf } = offered();
    play.drop(b);
    expect(offerOf(a)).toBe(3);
  });

  it('of a later term takes the room from one of an earlier term, which is told so', () => {
    const { play, room, claim, host, state } = scene();
    // The server forgot everything, and the first host came back before the one that had taken over.
    const { claim: other = '' } =
      play.said(play.join(room, 'cccccccc')).find((message) => message.type === 'welcome') ?? {};
    expect(other).not.toBe(claim);
    const later = play.open();
    play.send(later, creates('cccccccc', room, { term: 5, claim: hostClaim(play, room, 'cccccccc') }));
    expect(state()?.host).toBe('cccccccc');
    expect(play.said(host)).toContainEqual(expect.objectContaining({ type: 'error', why: 'deposed' }));
    expect(play.closed).toContain(host);
  });
});

/** What the server gives to the host of a room with this key, as another session of the same code would be given it. */
function hostClaim(play: Play, room: string, id: string): string {
  const found = new Play({}, { server: play.core.secrets.server });
  const connection = found.open();
  const { room: _, ...entry } = creates(id, room, { term: 5 });
  found.send(connection, entry);
  const welcome = found.said(connection).find((message) => message.type === 'welcome');
  if (welcome?.type !== 'welcome' || welcome.room !== room) throw new Error('The codes are drawn in another order.');
  return welcome.claim ?? '';
}

describe('a server that forgot the session whose host is gone', () => {
  const revive = (told: { settings: typeof SETTINGS; revival?: Revival | undefined }) => {
    if (told.revival === undefined) throw new Error('The server gives what proves the session.');
    return { settings: told.settings, phase: 'training' as const, ...told.revival };
  };

  /** Two devices with the link, what they were given, the host's claim, and a server with the same secret that knows nothing. */
  function restarted(term = 1) {
    const play = new Play();
    const host = play.open();
    const { room: _, ...entry } = creates('hosthost', '');
    play.send(host, { ...entry, term, passHash: passHashOf(PASS), door: 'link' });
    const made = play.said(host).find((message) => message.type === 'welcome');
    if (made?.type !== 'welcome') throw new Error('no room');
    const told = ['aaaaaaaa', 'bbbbbbbb'].map((id) => {
      const welcome = play.said(play.join(made.room, id, undefined, { pass: PASS })).find((m) => m.type === 'welcome');
      if (welcome?.type !== 'welcome') throw new Error('no seat');
      return welcome;
    });
    const again = new Play();
    const back = (id: string, proof: object, pass = PASS): number => {
      const connection = again.open();
      const join = {
        type: 'join',
        version: PROTOCOL_VERSION,
        device: device(id),
        room: made.room,
        watch: false,
      } as const;
      again.send(connection, { ...join, pass, ...proof });
      return connection;
    };
    const hold = (connection: number, round: number) =>
      again.send(connection, { type: 'holding', term: 1, round, able: true, linked: false });
    const offerOf = (connection: number) => {
      const offer = again.said(connection).find((message) => message.type === 'offer');
      return offer?.type === 'offer' ? offer.term : null;
    };
    return { again, made, told, back, hold, offerOf };
  }

  it('has it back from its devices, waits ten seconds, and offers the role to the newest round', () => {
    const { again, made, told, back, hold, offerOf } = restarted();
    const a = back('aaaaaaaa', { revive: revive(told[0]) });
    expect(again.said(a).map(({ type }) => type)).toContain('hostless');
    expect(again.core.rooms.get(made.room)?.state).toMatchObject({ phase: 'training', host: 'hosthost' });
    hold(a, 6);
    const b = back('bbbbbbbb', {});
    hold(b, 7);
    again.pass(9900);
    expect([offerOf(a), offerOf(b)]).toEqual([null, null]);
    again.pass(200);
    expect([offerOf(a), offerOf(b)]).toEqual([null, 2]);
  });

  it('has it back with the end that its host had chosen since, and with nothing else changed', () => {
    const { again, made, told, back } = restarted();
    const { settings, ...proof } = revive(told[0]);
    const { training } = settings;
    const claimed = { ...settings, training: { ...training, learningRate: 1 } };
    back('aaaaaaaa', { revive: { ...proof, settings: claimed } });
    expect(again.core.rooms.get(made.room)).toBeUndefined();
    const shorter = { ...settings, training: { ...training, rounds: 7, evaluateEvery: 2 } };
    back('bbbbbbbb', { revive: { ...proof, settings: shorter } });
    expect(again.core.rooms.get(made.room)?.state.settings.training).toEqual(shorter.training);
  });

  it('gives it back to the host that comes in the meantime', () => {
    const { again, made, told, back } = restarted();
    back('aaaaaaaa', { revive: revive(told[0]) });
    const host = again.open();
    const claimed = creates('hosthost', made.room, { claim: made.claim ?? '' });
    again.send(host, { ...claimed, passHash: passHashOf(PASS), door: 'link' });
    expect(again.said(host).map(({ type }) => type)).toContain('welcome');
    expect(again.core.rooms.get(made.room)?.succession).toEqual({ term: 1, seated: 1, lost: null });
  });

  it('takes an offer that nobody took for no host: the one that was back before stays host', () => {
    const play = new Play();
    const host = play.open();
    const { room: _, ...entry } = creates('hosthost', '');
    play.send(host, { ...entry, passHash: passHashOf(PASS), door: 'link' });
    const made = play.said(host).find((message) => message.type === 'welcome');
    if (made?.type !== 'welcome') throw new Error('no room');
    const a = play.join(made.room, 'aaaaaaaa', undefined, { pass: PASS });
    play.drop(host);
    play.send(a, { type: 'holding', term: 1, round: 6, able: true, linked: false });
    play.pass(HEIR_WAIT_MS + 10);
    expect(play.said(a)).toContainEqual({ type: 'offer', term: 2 });
    const claimed = creates('hosthost', made.room, { term: 1, claim: made.claim ?? '' });
    play.send(play.open(), { ...claimed, passHash: passHashOf(PASS), door: 'link' });
    const told = play.said(a).findLast((message) => message.type === 'term');
    if (told?.type !== 'term' || told.revival === undefined) throw new Error('Devices are told the term.');
    const joined = play.said(play.join(made.room, 'bbbbbbbb', undefined, { pass: PASS }));
    expect(joined).toContainEqual(expect.objectContaining({ type: 'welcome', revival: told.revival }));
    expect(told.revival.term).toBe(1);
    const again = new Play();
    const back = again.open();
    again.send(back, { ...claimed, passHash: passHashOf(PASS), door: 'link' });
    const join = { type: 'join', version: PROTOCOL_VERSION, device: device('aaaaaaaa'), room: made.room } as const;
    const revive = { settings: SETTINGS, phase: 'training' as const, ...told.revival };
    again.send(again.open(), { ...join, watch: false, pass: PASS, revive });
    expect(again.closed).toEqual([]);
    expect(again.core.rooms.get(made.room)?.state.devices.map(({ id, online }) => [id, online])).toEqual([
      ['hosthost', true],
      ['aaaaaaaa', true],
    ]);
  });

  it('learns the highest term: a host of an earlier one has to go', () => {
    const { again, made, told, back } = restarted(3);
    const host = again.open();
    again.send(host, {
      ...creates('hosthost', made.room, { term: 2, claim: made.claim ?? '' }),
      passHash: passHashOf(PASS),
    });
    expect(again.said(host).map(({ type }) => type)).toContain('welcome');
    back('aaaaaaaa', { revive: revive(told[0]) });
    expect(again.said(host)).toContainEqual(expect.objectContaining({ type: 'error', why: 'deposed' }));
    expect(again.core.rooms.get(made.room)?.succession.term).toBe(3);
  });

  it('believes no other settings, term, room or pass than those that it gave', () => {
    const { again, told, back } = restarted();
    const proof = revive(told[0]);
    for (const changed of [
      { ...proof, term: 2 },
      { ...proof, host: 'aaaaaaaa' },
      { ...proof, token: 'ab'.repeat(32) },
      { ...proof, settings: { ...proof.settings, training: { ...proof.settings.training, seed: 99 } } },
    ])
      expect(again.said(back('aaaaaaaa', { revive: changed })).at(-1)).toMatchObject({ type: 'error', why: 'code' });
    expect(again.said(back('aaaaaaaa', { revive: proof }, 'f'.repeat(PASS.length))).at(-1)).toMatchObject({
      why: 'code',
    });
    expect(again.core.rooms.size).toBe(0);
    // The policy may have changed since: it is the host's to set.
    back('aaaaaaaa', { revive: { ...proof, settings: { ...proof.settings, policy: 'lola' } } });
    expect(again.core.rooms.size).toBe(1);
  });
});
