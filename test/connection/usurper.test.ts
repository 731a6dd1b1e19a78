import { describe, expect, it } from 'vitest';
import { HEIR_WAIT_MS, HOST_GRACE_MS } from '../../signaling/connection/bounds/limits.ts';
import { passHashOf } from '../../signaling/protocol/door/secret.ts';
import type { Revival } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';
import { PASS, refusal, remarks } from './door-scene.ts';
import { device, Play } from './play.ts';

/** Devices that were let in, have the link, and would be host where nobody offered them that. */

const door = { ...OPEN_DOOR, passHash: passHashOf(PASS), door: 'link' as const };

interface Given {
  readonly room: string;
  readonly claim: string;
  readonly revival: Revival;
}

/** What a connection's welcome gave, or null where it got none. */
function given(play: Play, connection: number): Given | null {
  const welcome = play.said(connection).find((message) => message.type === 'welcome');
  if (welcome?.type !== 'welcome' || welcome.revival === undefined) return null;
  return { room: welcome.room, claim: welcome.claim ?? '', revival: welcome.revival };
}

function made<T>(value: T | null): T {
  if (value === null) throw new Error('no seat');
  return value;
}

/** Somebody asks for the role of host, of the room that they name if any; the connection, and what it was given. */
function create(play: Play, id: string, change: { room?: string; term?: number; claim?: string; key?: string } = {}) {
  const connection = play.open();
  const { key = device(id).key, ...said } = change;
  const entry = {
    type: 'create',
    version: PROTOCOL_VERSION,
    device: { ...device(id), key },
    settings: SETTINGS,
  } as const;
  play.send(connection, { ...entry, ...door, ...said });
  const answers = play.said(connection);
  const welcome = answers.find((message) => message.type === 'welcome');
  return { connection, claim: welcome?.type === 'welcome' ? (welcome.claim ?? '') : null, why: refusal(answers).why };
}

/** A device comes back with what it was given, changed as it likes. */
function rejoin(
  play: Play,
  id: string,
  { room, revival }: Pick<Given, 'room' | 'revival'>,
  { key = device(id).key, ...said }: { readonly host?: string; readonly key?: string } = {},
): number {
  const connection = play.open();
  const join = { type: 'join', version: PROTOCOL_VERSION, device: { ...device(id), key }, room } as const;
  const proof = { settings: SETTINGS, phase: 'training' as const, ...revival, ...said };
  play.send(connection, { ...join, watch: false, pass: PASS, revive: proof });
  return connection;
}

/** A session with its host and one device, both gone now; then a server that has forgotten it, and the device that says what it had. */
function forgotten() {
  const play = new Play();
  const host = play.open();
  const entry = { type: 'create', version: PROTOCOL_VERSION, device: device('hosthost'), settings: SETTINGS } as const;
  play.send(host, { ...entry, ...door });
  const { room, claim } = made(given(play, host));
  const { revival } = made(given(play, play.join(room, 'aaaaaaaa', undefined, { pass: PASS })));
  const again = new Play();
  const revive = (id: string, change: { readonly host?: string; readonly key?: string } = {}): number =>
    rejoin(again, id, { room, revival }, change);
  return { again, room, claim, revive, state: () => again.core.rooms.get(room)?.state };
}

describe('where the server has forgotten the session, a device does not become host', () => {
  it('by saying that it was', () => {
    const { again, revive, state } = forgotten();
    expect(refusal(again.said(revive('aaaaaaaa', { host: 'aaaaaaaa' }))).why).toBe('code');
    expect(state()).toBeUndefined();
  });

  it('by coming under the host’s id, which everybody knows', () => {
    const { again, room, claim, revive, state } = forgotten();
    const thief = revive('hosthost', { key: 'e'.repeat(32) });
    expect(refusal(again.said(thief)).sentence).toContain('already uses this device id');
    again.send(thief, { type: 'phase', phase: 'paused' });
    expect(state()).toMatchObject({ host: 'hosthost', phase: 'training', devices: [] });
    revive('aaaaaaaa');
    expect(create(again, 'hosthost', { room, claim }).claim).not.toBeNull();
    expect(state()?.devices.map(({ id }) => id)).toEqual(['aaaaaaaa', 'hosthost']);
  });
});

/** A session that `aaaaaaaa` led in term 2 and the first host leads again, in term 3, with what each was given as host, and a device in term 2. */
function led() {
  const play = new Play();
  const first = create(play, 'hosthost');
  const room = play.core.connections.get(first.connection)?.place?.room ?? '';
  const inherit = (gone: number, heir: string, term: number) => {
    const seat = play.join(room, heir, undefined, { pass: PASS });
    play.drop(gone);
    play.send(seat, { type: 'holding', term: term - 1, round: term, able: true, linked: false });
    play.pass(HEIR_WAIT_MS + 10);
    return create(play, heir, { room, term });
  };
  const second = inherit(first.connection, 'aaaaaaaa', 2);
  const told = made(given(play, play.join(room, 'bbbbbbbb', undefined, { pass: PASS })));
  const third = inherit(second.connection, 'hosthost', 3);
  if (second.claim === null || third.claim === null) throw new Error('They did not take what they were offered.');
  const claims = { first: first.claim ?? '', second: second.claim, third: third.claim };
  return { play, room, claims, told, host: third.connection, state: () => play.core.rooms.get(room)?.state };
}

describe('somebody who was host once', () => {
  it('is not host again by saying a term that nobody gave out, and stays out where it was taken out', () => {
    const { play, room, claims, host, state } = led();
    for (const term of [3, 4, 99_999, 2 ** 31])
      expect(create(play, 'aaaaaaaa', { room, term, claim: claims.second })).toMatchObject({
        claim: null,
        why: 'deposed',
      });
    play.send(host, { type: 'remove', device: 'aaaaaaaa' });
    expect(create(play, 'aaaaaaaa', { room, term: 9, claim: claims.second }).claim).toBeNull();
    // Nor by a claim that says another term than the one that it was given in.
    const forged = `00000009${claims.second.slice(8)}`;
    expect(create(play, 'aaaaaaaa', { room, term: 9, claim: forged }).claim).toBeNull();
    expect(state()?.host).toBe('hosthost');
    expect(play.core.rooms.get(room)?.succession).toMatchObject({ term: 3, seated: 3 });
  });

  it('has to go where the server forgot the session and it was first: the last host comes back, whatever term the first one said', () => {
    const { room, claims } = led();
    const again = new Play();
    const early = create(again, 'aaaaaaaa', { room, term: 99_999, claim: claims.second });
    expect(early.claim).not.toBeNull();
    expect(create(again, 'hosthost', { room, term: 3, claim: claims.third }).claim).not.toBeNull();
    expect(again.core.rooms.get(room)?.state.host).toBe('hosthost');
    expect(again.said(early.connection)).toContainEqual(expect.objectContaining({ why: 'deposed' }));
    // What it was given in the meantime is no more than it had.
    expect(create(again, 'aaaaaaaa', { room, term: 99_999, claim: early.claim ?? '' }).why).toBe('deposed');
  });

  it('leaves no room behind: one whose devices are gone, and the host that they proved, is over after a while', () => {
    const { room, claims, told } = led();
    const again = new Play();
    const host = create(again, 'hosthost', { room, claim: claims.first });
    const device = rejoin(again, 'bbbbbbbb', told);
    expect(again.said(host.connection)).toContainEqual(expect.objectContaining({ why: 'deposed' }));
    expect(again.core.rooms.get(room)?.state.host).toBe('aaaaaaaa');
    again.drop(device);
    again.pass(HOST_GRACE_MS + 60_000);
    expect(again.core.rooms.size).toBe(0);
  });
});

describe('devices that say as much as they can', () => {
  it('do not keep the host from being heard', () => {
    const play = new Play();
    const { connection: host, room } = play.host();
    let flooder = play.join(room, 'aaaaaaaa', '198.51.100.7');
    for (let again = 0; again < 12; again++) {
      flooder = play.join(room, 'aaaaaaaa', '198.51.100.7');
      for (let i = 0; i < 190; i++) play.send(flooder, { type: 'hidden', hidden: i % 2 === 0 });
    }
    expect(remarks(play.said(flooder)).at(-1)).toContain('More is said in this session');
    play.said(host);
    play.send(host, { type: 'remove', device: 'aaaaaaaa' });
    expect(remarks(play.said(host))).toEqual([]);
    expect(play.core.rooms.get(room)?.state.devices.map(({ id }) => id)).toEqual(['hosthost']);
  });
});
