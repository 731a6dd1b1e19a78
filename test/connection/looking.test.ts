import { describe, expect, it } from 'vitest';
import { ENTER_MS } from '../../signaling/connection/bounds/limits.ts';
import { claimOf, fingerprint } from '../../signaling/connection/door/secrets.ts';
import { passHashOf, passOf, secretOf } from '../../signaling/protocol/door/secret.ts';
import type { ClientMessage, ServerMessage } from '../../signaling/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../signaling/protocol/version.ts';
import { OPEN_DOOR, SETTINGS } from '../protocol/samples.ts';
import { device, Play, SECRETS } from './play.ts';

type Create = Extract<ClientMessage, { type: 'create' }>;

const PASS = passOf(secretOf(new Uint8Array(16).fill(5)));
const WRONG = passOf(secretOf(new Uint8Array(16).fill(6)));
const passHash = passHashOf(PASS);

const looks = (room: string, pass?: string): ClientMessage => ({
  type: 'look',
  version: PROTOCOL_VERSION,
  room,
  ...(pass !== undefined && { pass }),
});
/** What came of a look, but for the greeting. */
function look(play: Play, room: string, pass?: string, address = 'away'): ServerMessage | undefined {
  const connection = play.open(address);
  play.send(connection, looks(room, pass));
  const [, answer, ...more] = play.said(connection);
  expect(more).toEqual([]);
  play.drop(connection);
  return answer;
}

describe('a look from outside', () => {
  it('says what a person has to know to decide, and whether the pass is right', () => {
    const play = new Play();
    const { room } = play.host('hosthost', 'home', { passHash, door: 'link', cap: 12, downloadBytes: 9_123_456 });
    play.join(room, 'tabtabtab', 'home', { pass: PASS });
    const expected = {
      door: 'link',
      pass: 'none',
      title: 'Sentiment',
      ownTable: false,
      model: 'roberta-mini',
      hostName: 'hosthost',
      hostAway: false,
      devices: 2,
      cap: 12,
      downloadBytes: 9_123_456,
    };
    expect(look(play, room)).toEqual({ type: 'outside', look: expected });
    expect(look(play, room, PASS)).toEqual({ type: 'outside', look: { ...expected, pass: 'right' } });
    expect(look(play, room, WRONG)).toEqual({ type: 'outside', look: { ...expected, pass: 'wrong' } });
  });

  it('tells of a table of one’s own its title, and nothing that is in it or of those who take part', () => {
    const play = new Play();
    const settings = {
      ...SETTINGS,
      task: {
        ...SETTINGS.task,
        id: 'own',
        title: 'letters.csv',
        classNames: ['secretly fond', 'secretly not'],
        trainExamples: 12_345_678,
      },
    };
    const { room, connection } = play.host('hosthost', 'home', { passHash, door: 'ask', settings });
    play.send(connection, { type: 'status', status: { kind: 'failed', sentence: 'a private trouble' } });
    const text = JSON.stringify(look(play, room));
    expect(JSON.parse(text).look).toMatchObject({ title: 'letters.csv', ownTable: true });
    for (const secret of ['secretly', '12345678', 'private', 'keykey', passHash, 'claim', 'token', 'home'])
      expect(text).not.toContain(secret);
  });

  it('changes nothing, seats nobody, and does not hold the connection open', () => {
    const play = new Play();
    const { room, connection } = play.host('hosthost', 'home', { passHash, door: 'open' });
    const before = play.core.rooms.get(room)?.state;
    const stranger = play.open('away');
    for (let i = 0; i < 3; i++) play.send(stranger, looks(room));
    play.pass(1000);
    expect(play.said(connection)).toEqual([]);
    expect(play.core.rooms.get(room)?.state).toEqual(before);
    play.pass(ENTER_MS);
    expect(play.closed).toContain(stranger);
  });

  it('through a locked door is for those with the pass', () => {
    const play = new Play();
    const { room } = play.host('hosthost', 'home', { passHash, door: 'locked' });
    for (const pass of [undefined, WRONG])
      expect(look(play, room, pass)).toMatchObject({ type: 'error', sentence: expect.stringContaining('locked') });
    expect(look(play, room, PASS)).toMatchObject({ type: 'outside', look: { door: 'locked' } });
  });

  it('tells a host that is away from one that is there', () => {
    const play = new Play();
    const { room, connection } = play.host('hosthost', 'home', { passHash, door: 'link' });
    play.drop(connection);
    expect(look(play, room)).toMatchObject({ look: { hostAway: true } });
  });

  it('for a code that nobody has says so; too many of them are not answered any more, right or wrong', () => {
    const play = new Play();
    const { room } = play.host('hosthost', 'home', { passHash, door: 'link' });
    const wrong = room === 'zzzzzz' ? 'yyyyyy' : 'zzzzzz';
    expect(look(play, wrong)).toMatchObject({ type: 'error', why: 'code', sentence: expect.stringContaining(wrong) });
    for (let i = 0; i < 40; i++) look(play, wrong);
    expect(look(play, room)).toMatchObject({ type: 'error', sentence: expect.stringContaining('Too many codes') });
    expect(look(play, wrong)).toMatchObject({ type: 'error', sentence: expect.stringContaining('Too many codes') });
    // From elsewhere nothing changed, and whoever has the link need not wait.
    expect(look(play, room, undefined, 'elsewhere')).toMatchObject({ type: 'outside' });
    expect(look(play, room, PASS)).toMatchObject({ look: { pass: 'right' } });
  });
});

describe('guessing', () => {
  it('of passes is over soon, also from many addresses; the invited come in all the while', () => {
    const play = new Play();
    const { room } = play.host('hosthost', 'home', { passHash, door: 'link' });
    const answers = Array.from({ length: 100 }, (_, i) => {
      const tab = play.join(room, `guesser${i}00`, `address ${i % 4}`, { pass: WRONG });
      const answer = play.said(tab).find((m) => m.type === 'error');
      return answer?.why ?? answer?.sentence.slice(0, 8);
    });
    expect(answers.slice(0, 60)).toEqual(Array(60).fill('pass'));
    expect(answers.slice(60)).toEqual(Array(40).fill('Too many'));
    // Whoever has the code alone has to wait that out …
    const stranger = play.said(play.join(room, 'stranger0', 'elsewhere'));
    expect(stranger.some((m) => m.type === 'error' && m.sentence.startsWith('Too many'))).toBe(true);
    // … and the invited do not, from wherever they come.
    for (const [i, address] of ['elsewhere', 'address 0'].entries())
      expect(play.said(play.join(room, `invited${i}0`, address, { pass: PASS })).map((m) => m.type)).toContain(
        'welcome',
      );
  });

  it('of passes is no quicker from outside', () => {
    const play = new Play();
    const { room } = play.host('hosthost', 'home', { passHash, door: 'link' });
    const answers = Array.from({ length: 40 }, () => look(play, room, WRONG)?.type);
    expect(answers).toEqual([...Array(30).fill('outside'), ...Array(10).fill('error')]);
  });

  it('of codes is no quicker for who says to be their host', () => {
    const play = new Play();
    const { room } = play.host('hosthost', 'home', { passHash, door: 'open' });
    const wrong = room === 'zzzzzz' ? 'yyyyyy' : 'zzzzzz';
    const asks = (code: string, id = 'thief0000', more: Partial<Create> = {}): string | undefined => {
      const connection = play.open('away');
      const entry = { type: 'create', version: PROTOCOL_VERSION, device: device(id), settings: SETTINGS } as const;
      play.send(connection, { ...entry, ...OPEN_DOOR, room: code, ...more });
      const said = play.said(connection);
      play.drop(connection);
      const error = said.find((m) => m.type === 'error');
      return error?.sentence ?? said.find((m) => m.type === 'welcome')?.type;
    };
    expect(asks(room)).toContain('another host');
    expect(asks(wrong)).toContain('not given to this host');
    for (let i = 0; i < 40; i++) asks(i % 2 === 0 ? room : wrong);
    expect(asks(room)).toContain('Too many codes');
    expect(asks(wrong)).toContain('Too many codes');
    // Its host comes back from there all the same, by its key or by what the server gave it.
    const claim = claimOf(SECRETS.server, wrong, fingerprint(device('hosthost').key), 1);
    expect(asks(wrong, 'hosthost', { claim })).toBe('welcome');
    expect(asks(room, 'hosthost')).toBe('welcome');
  });

  it('is what those do, too, whom the host sent away and who ask again and again', () => {
    const play = new Play();
    const { room, connection } = play.host('hosthost', 'home', { passHash, door: 'ask' });
    let asked = 0;
    for (let i = 0; i < 100; i++) {
      const tab = play.join(room, 'tabtabtab', 'away');
      if (play.said(tab).some((m) => m.type === 'waiting')) asked += 1;
      play.send(connection, { type: 'refuse', device: 'tabtabtab' });
    }
    expect(asked).toBe(30);
  });

  it('is bounded for looks and knocks that are right, by address and by room', () => {
    const play = new Play({ looksOfAddress: { perSecond: 1, burst: 5 }, looksOfRoom: { perSecond: 1, burst: 8 } });
    const { room } = play.host('hosthost', 'home', { passHash, door: 'link' });
    const kinds = (count: number, address: string) =>
      Array.from({ length: count }, () => look(play, room, undefined, address)?.type);
    expect(kinds(7, 'one')).toEqual([...Array(5).fill('outside'), 'error', 'error']);
    expect(kinds(4, 'two')).toEqual([...Array(3).fill('outside'), 'error']);
    const knock = play.said(play.join(room, 'stranger0', 'three'));
    expect(knock.some((m) => m.type === 'error')).toBe(true);
    play.pass(1000);
    expect(kinds(2, 'two')).toEqual(['outside', 'error']);
    // Entering by the pass is no look.
    expect(play.said(play.join(room, 'invited00', 'one', { pass: PASS })).map((m) => m.type)).toContain('welcome');
  });

  it('leaves no trace of codes, passes and names in the log', () => {
    const play = new Play();
    const { room, connection } = play.host('hosthost', 'home', { passHash, door: 'ask' });
    look(play, room, WRONG);
    play.join(room, 'tabtabtab', 'away', { pass: PASS });
    play.send(connection, { type: 'remove', device: 'tabtabtab' });
    play.send(connection, { type: 'leave' });
    expect(play.logged.length).toBeGreaterThan(0);
    for (const line of play.logged)
      for (const secret of [room, PASS, WRONG, passHash, 'tabtabtab', 'hosthost']) expect(line).not.toContain(secret);
  });
});
