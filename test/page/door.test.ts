import { describe, expect, it } from 'vitest';
import { DOORS, type Door, type Look } from '../../signaling/protocol/door.ts';
import {
  CODE_WORDS,
  DOOR_WORDS,
  isDoor,
  spacedDigits,
  waitingTitle,
  waitingWords,
} from '../../web/page/door/door-words.ts';
import { readingAsDevice, readingAsHost } from '../../web/page/door/reading-words.ts';
import { lookFacts, wayIn, wayInSentence } from '../../web/page/join/look-words.ts';
import { deletedText } from '../../web/page/kept/kept-session-words.ts';
import { headline, roleSentence } from '../../web/page/session/headline.ts';
import { view } from './gallery/scenarios.ts';

const look = (change: Partial<Look> = {}): Look => ({
  door: 'link',
  pass: 'right',
  title: 'Sentiment',
  ownTable: false,
  model: 'roberta-mini',
  hostName: 'Ada',
  hostAway: false,
  devices: 3,
  cap: 64,
  downloadBytes: 9_137_000,
  ...change,
});

describe('the way in', () => {
  // As the server's doors have it: who comes in at once, who waits, who is turned away.
  it.each<[Door, Look['pass'], ReturnType<typeof wayIn>]>([
    ['link', 'right', 'in'],
    ['link', 'none', 'wait'],
    ['link', 'wrong', 'wait'],
    ['ask', 'right', 'wait'],
    ['ask', 'none', 'wait'],
    ['ask', 'wrong', 'wait'],
    ['open', 'right', 'in'],
    ['open', 'none', 'in'],
    ['open', 'wrong', 'in'],
    ['locked', 'right', 'closed'],
    ['locked', 'none', 'closed'],
    ['locked', 'wrong', 'closed'],
  ])('through the door "%s" with the pass %s: %s', (door, pass, way) => {
    expect(wayIn(look({ door, pass }))).toBe(way);
    const sentence = wayInSentence(look({ door, pass }));
    expect(/Ada (lets each device in|has to let you in)/.test(sentence)).toBe(way === 'wait');
    expect(sentence.startsWith('Nobody new may come in')).toBe(way === 'closed');
    expect(wayIn(look({ door, pass, devices: 5, cap: 5 }))).toBe('closed');
  });

  it('says what would open it', () => {
    expect(wayInSentence(look({ pass: 'none' }))).toBe(
      'You have the code alone, so Ada has to let you in. The whole link lets a device in at once.',
    );
    expect(wayInSentence(look({ pass: 'wrong' }))).toContain('This link is not this session’s');
    expect(wayInSentence(look({ devices: 2, cap: 2 }))).toBe(
      'This session is full: Ada lets in 2 devices at most. Look again when one has left.',
    );
  });
});

describe('what is seen from outside', () => {
  const facts = (change: Partial<Look>) =>
    Object.fromEntries(lookFacts(look(change)).map(({ what, value }) => [what, value]));

  it('is host, model, devices and what is fetched', () => {
    expect(facts({})).toEqual({
      Host: 'Ada',
      Model: 'roberta-mini',
      Devices: '3 are in, the host’s among them; 61 more may come',
      Download: '9.1 MB at most, once; 2.4 MB more where no graphics processor can be used',
    });
  });

  it('says what is not so', () => {
    const { downloadBytes: _, ...unknown } = look({ hostAway: true, devices: 1, cap: 1, ownTable: true });
    expect(Object.fromEntries(lookFacts(unknown).map(({ what, value }) => [what, value]))).toEqual({
      Host: 'Ada, away just now; it may come back',
      Model: 'roberta-mini',
      Data: 'a table of the host’s own',
      Devices: '1 is in, the host’s among them; no more may come',
      Download: 'the model; its size is not known here',
    });
    expect(facts({ downloadBytes: 0 })).toMatchObject({ Download: 'none' });
  });
});

describe('the host’s door', () => {
  it('is told in words for every choice', () => {
    for (const door of DOORS) {
      expect(isDoor(door)).toBe(true);
      // What a code does is said alike beside the code and where it is chosen.
      expect([door, /at once/.test(CODE_WORDS[door])]).toEqual([door, door === 'open']);
      expect([door, /^Link or code let a device in at once/.test(DOOR_WORDS[door].hint)]).toEqual([
        door,
        door === 'open',
      ]);
    }
    expect(isDoor('ajar')).toBe(false);
  });

  it('says of each device that waits what the host should know', () => {
    const waiting = {
      id: 'abcdefgh',
      name: 'Fox',
      kind: 'tab',
      watch: false,
      withPass: true,
      likeRemoved: false,
    } as const;
    expect([waitingTitle(1), waitingTitle(3)]).toEqual(['1 device waits at your door', '3 devices wait at your door']);
    expect(waitingWords(waiting)).toBe('has your link');
    expect(waitingWords({ ...waiting, withPass: false, watch: true })).toBe(
      'has the code alone, not your link, and wants to watch only',
    );
    expect(waitingWords({ ...waiting, likeRemoved: true })).toBe(
      'has your link. A device that you removed came from the same address',
    );
  });
});

it('a device that was removed is not told that the session is over', () => {
  const ended = 'The host took this device out of the session.';
  expect(headline(view({ role: 'device', ended }))).toEqual({ title: 'This device was removed', detail: ended });
});

it('digits are shown as people read them out', () => {
  expect([spacedDigits('402917'), spacedDigits('000000')]).toEqual(['402 917', '000 000']);
});

describe('what others can read', () => {
  const all = [readingAsHost(false), readingAsHost(true), readingAsDevice(false), readingAsDevice(true)];

  it('says of every reader what it reads, to hosts and to devices', () => {
    for (const sentences of all) {
      const text = sentences.join(' ');
      // Devices: rows and labels, as token ids that are text. Everyone: names and profiles. The server: no rows.
      expect(text).toMatch(/token ids.*text/);
      expect(text).toContain('labels included');
      expect(text).toMatch(/Everyone in the session sees .*name.*measured/);
      expect(text).toContain('Rows, weights and gradients do not pass through it.');
    }
  });

  it('tells a host that one device may get every row, and with a table of its own that it lets each in', () => {
    expect(readingAsHost(false)[0]).toContain('one device may get every row.');
    expect(readingAsHost(true)[0]).toContain('one device may get every row of your table.');
    expect(readingAsHost(true).at(-1)).toContain('you let each device in by hand');
    expect(readingAsHost(false).join(' ')).not.toContain('by hand');
  });
});

describe('a device that waits', () => {
  const waits = view({
    role: 'device',
    status: { kind: 'joining' },
    atDoor: 'The host has to let you in. It sees that you wait.',
  });

  it('is told for whom, and that nothing happens before', () => {
    expect(headline(waits, 'Ada')).toEqual({
      title: 'Waiting for Ada to let you in',
      detail: 'The host has to let you in. It sees that you wait.',
    });
    expect(headline(waits).title).toBe('Waiting for the host to let you in');
    expect(roleSentence(waits)).toContain('Nothing is downloaded or measured before you are in.');
  });

  it('is told when the server is gone, and when it was not let in', () => {
    expect(headline({ ...waits, server: 'reconnecting' }, 'Ada').title).toBe('Looking for the server');
    const ended = { ...waits, ended: 'The host did not let this device in.' };
    expect(headline(ended, 'Ada')).toEqual({
      title: 'This device is not in the session',
      detail: 'The host did not let this device in.',
    });
    expect(roleSentence(ended)).toBe('');
  });
});

it('what was deleted is said with its bytes', () => {
  expect(deletedText({ sessions: 2, models: 1, bytes: 501e6 })).toBe(
    'Deleted: 2 sessions, 1 model and what this page remembered; 501 MB in all.',
  );
  expect(deletedText({ sessions: 0, models: 0, bytes: 0 })).toBe('Deleted: what this page remembered; 0 B in all.');
});
