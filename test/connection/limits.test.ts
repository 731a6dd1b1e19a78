import { describe, expect, it } from 'vitest';
import { addressKey, refusesConnection } from '../../signaling/connection/addresses.ts';
import type { ClientMessage, ServerMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';
import { device, Play, SECRETS } from './play.ts';

const errors = (said: readonly ServerMessage[]): string[] =>
  said.flatMap((m) => (m.type === 'error' ? [m.sentence] : []));
const welcome = (said: readonly ServerMessage[]) => said.find((m) => m.type === 'welcome');
const joins = (room: string, id: string, key?: string): ClientMessage => ({
  type: 'join',
  version: PROTOCOL_VERSION,
  device: { ...device(id), ...(key !== undefined && { key }) },
  room,
  watch: false,
});
const creates = (id: string, more: Partial<Extract<ClientMessage, { type: 'create' }>> = {}): ClientMessage => ({
  type: 'create',
  version: PROTOCOL_VERSION,
  device: device(id),
  settings: SETTINGS,
  ...OPEN_DOOR,
  ...more,
});

describe('an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('%s counts as %s', (address, key) => expect(addressKey(address)).toBe(key));

  it('has so many connections and no more, whatever others have', () => {
    const play = new Play({ connectionsOfAddress: 3 });
    const mine = [1, 2, 3].map(() => play.open('a'));
    expect(refusesConnection(play.core, 'a', play.nowMs)).toMatch(/Too many connections/);
    expect(refusesConnection(play.core, 'b', play.nowMs)).toBeNull();
    play.drop(mine[0]);
    expect(refusesConnection(play.core, 'a', play.nowMs)).toBeNull();
  });

  it('opens so many connections a second: closing them makes no room', () => {
    const play = new Play({ openingsOfAddress: { perSecond: 2, burst: 5 } });
    for (let i = 0; i < 5; i++) play.drop(play.open('a'));
    expect(refusesConnection(play.core, 'a', play.nowMs)).toMatch(/try again in a moment/);
    play.nowMs += 600;
    expect(refusesConnection(play.core, 'a', play.nowMs)).toBeNull();
  });

  it('says so much a second, over however many connections', () => {
    const play = new Play({ messagesOfAddress: { perSecond: 10, burst: 30 } });
    let pongs = 0;
    for (let i = 0; i < 40; i++) {
      const connection = play.open('a');
      play.send(connection, { type: 'ping' });
      pongs += play.said(connection).filter((m) => m.type === 'pong').length;
    }
    expect(pongs).toBe(30);
    const other = play.open('b');
    play.send(other, { type: 'ping' });
    expect(play.said(other).map((m) => m.type)).toEqual(['hello', 'pong']);
  });

  it('has so many rooms, and may have another one when one of them ended', () => {
    const play = new Play({ roomsOfAddress: 2 });
    const [first] = ['hosthost1', 'hosthost2'].map((id) => play.host(id, 'a'));
    const third = play.open('a');
    play.send(third, creates('hosthost3'));
    expect(errors(play.said(third))).toEqual([expect.stringContaining('from yours')]);
    expect(play.host('hosthost4', 'b').room).toMatch(/^.{6}$/);
    play.send(first.connection, { type: 'leave' });
    play.send(third, creates('hosthost3'));
    expect(welcome(play.said(third))).toBeDefined();
  });

  it('guesses so many codes, then not even a right one is looked at for a while; others may', () => {
    const play = new Play({ wrongGuessesOfAddress: { perSecond: 0.5, burst: 4 } });
    const { room } = play.host('hosthost', 'b');
    const tries = (code: string): string => {
      const connection = play.open('a');
      play.send(connection, joins(code, 'guessguess'));
      return errors(play.said(connection)).join();
    };
    for (const code of ['aaaaaa', 'bbbbbb', 'cccccc', 'dddddd']) expect(tries(code)).toContain('no session');
    expect(tries('eeeeee')).toMatch(/Too many codes/);
    expect(tries(room)).toMatch(/Too many codes/);
    const other = play.join(room, 'otherother', 'c');
    expect(welcome(play.said(other))).toBeDefined();
    play.nowMs += 2100;
    expect(tries(room)).toBe('');
  });
});

describe('a room', () => {
  it('is guessed at so often, from however many addresses; those whom it knows come back meanwhile', () => {
    const play = new Play({ wrongGuessesOfRoom: { perSecond: 1, burst: 3 } });
    const { room } = play.host();
    play.join(room, 'tabtabtab', 'home');
    for (let i = 0; i < 3; i++) {
      const thief = play.open(`address ${i}`);
      play.send(thief, joins(room, 'tabtabtab', 'wrongwrongwrong0'));
      expect(errors(play.said(thief))).toEqual([expect.stringContaining('Another tab already uses')]);
    }
    const stranger = play.join(room, 'newnewnew', 'elsewhere');
    expect(errors(play.said(stranger))).toEqual([expect.stringMatching(/Too many codes, keys or links/)]);
    const back = play.join(room, 'tabtabtab', 'home');
    expect(welcome(play.said(back))).toBeDefined();
  });

  it('takes so many messages of all in it together; to say that one is there is always possible', () => {
    const play = new Play({ messagesOfRoom: { perSecond: 5, burst: 10 } });
    const { room } = play.host();
    const tabs = Array.from({ length: 8 }, (_, i) => play.join(room, `tabtabtab${i}`));
    for (const tab of tabs) {
      for (let i = 0; i < 2; i++) play.send(tab, { type: 'hidden', hidden: i === 0 });
      play.send(tab, { type: 'ping' });
    }
    const said = tabs.map((tab) => play.said(tab));
    expect(said.flatMap(errors)).toHaveLength(6);
    expect(said.every((messages) => messages.some((m) => m.type === 'pong'))).toBe(true);
    expect(play.closed).toEqual([]);
  });

  it('takes so many devices at once', () => {
    const play = new Play({ seatsOfRoom: { perSecond: 1, burst: 3 } });
    const { room } = play.host();
    const said = Array.from({ length: 5 }, (_, i) => play.said(play.join(room, `tabtabtab${i}`)));
    expect(said.map((messages) => welcome(messages) !== undefined)).toEqual([true, true, true, false, false]);
    expect(said.flatMap(errors)[0]).toMatch(/at once/);
  });

  it('has settings of a bounded length, as they are sent', () => {
    const play = new Play();
    const connection = play.open();
    const classNames = Array.from({ length: 1000 }, (_, i) => `${'界'.repeat(50)}${i}`);
    play.send(connection, creates('hosthost', { settings: { ...SETTINGS, task: { ...SETTINGS.task, classNames } } }));
    expect(errors(play.said(connection))).toEqual([expect.stringMatching(/too long/)]);
    expect(play.core.rooms.size).toBe(0);
  });
});

describe('a code that the server has forgotten', () => {
  const forgotten = (): { play: Play; room: string; claim: string } => {
    const before = new Play();
    const connection = before.open();
    before.send(connection, creates('hosthost'));
    const told = welcome(before.said(connection));
    if (told?.claim === undefined) throw new Error('no claim');
    return { play: new Play(), room: told.room, claim: told.claim };
  };

  it('is its host’s again, who can prove it', () => {
    const { play, room, claim } = forgotten();
    const connection = play.open();
    play.send(connection, creates('hosthost', { room, claim }));
    expect(welcome(play.said(connection))).toMatchObject({ room, claim });
  });

  it.each([
    ['who says nothing', (_: string) => ({})],
    ['with a claim of another room', () => ({ claim: 'a'.repeat(64) })],
    ['who read the host’s claim, and has not its key', (claim: string) => ({ claim, device: device('hosthost2') })],
    [
      'who read the claim and the id',
      (claim: string) => ({ claim, device: { ...device('hosthost'), key: 'x'.repeat(32) } }),
    ],
  ])('is no stranger’s %s', (_, more) => {
    const { play, room, claim } = forgotten();
    const connection = play.open();
    play.send(connection, creates('hosthost', { room, ...more(claim) }));
    expect(play.said(connection).at(-1)).toMatchObject({ type: 'error', refused: true, why: 'claim' });
    expect(play.core.rooms.size).toBe(0);
  });

  it('is not given out by a server with another secret', () => {
    const { room, claim } = forgotten();
    const play = new Play({}, { server: SECRETS.server.map((byte) => byte + 1) });
    const connection = play.open();
    play.send(connection, creates('hosthost', { room, claim }));
    expect(play.said(connection).at(-1)).toMatchObject({ why: 'claim' });
  });
});

describe('what the server keeps', () => {
  it('holds no key, and its log no code, no name and no key', () => {
    const play = new Play();
    const { connection, room } = play.host();
    play.join(room, 'tabtabtab');
    const state = JSON.stringify([...play.core.rooms.values()].map((one) => one.state));
    expect(state).not.toContain(device('hosthost').key);
    expect(state).not.toContain(device('tabtabtab').key);
    play.send(connection, { type: 'leave' });
    expect(play.logged).toHaveLength(2);
    expect(play.logged.join()).not.toMatch(new RegExp(`${room}|hosthost|tabtabtab`));
  });
});
