import { describe, expect, it } from 'vitest';
import {
  invitationOfFragment,
  readInvitation,
  readRoomCode,
  roomLink,
  roomOfFragment,
} from '../../web/session/links/link-address.ts';
import { cpuMs } from '../cpu-ms.ts';

describe('roomLink', () => {
  it('puts the code into the fragment', () => {
    expect(roomLink('http://localhost:8787', 'abc234')).toBe('http://localhost:8787/#room=abc234');
    expect(roomLink('https://example.org/', 'abc234')).toBe('https://example.org/#room=abc234');
  });
});

describe('readRoomCode', () => {
  it.each([
    ['abc234'],
    [' abc234\n'],
    ['ABC234'],
    ['abc 234'],
    ['AB-C2 34'],
    ['http://localhost:8787/#room=abc234'],
    ['https://example.org/some/page#room=ABC234'],
    ['192.168.1.20:8787/#room=abc234'],
    ['#room=abc234'],
    ['http://localhost:8787/#room=abc%20234'],
    ['http://localhost:8787/#theme=dark&room=abc234'],
  ])('reads %j as abc234', (text) => {
    expect(readRoomCode(text)).toEqual({ ok: true, room: 'abc234' });
  });

  it.each([
    ['', 'Type the six characters'],
    ['   ', 'Type the six characters'],
    ['abc23', 'this one has 5'],
    ['abc2345', 'this one has 7'],
    ['abc23o', 'so "o" must be another character'],
    ['abcl34', 'so "l" must be another character'],
    ['abc2_4', '"_" cannot stand in a code'],
    ['#room=abc23 see you', 'this one has 5'],
    ['abc23ü', '"ü" cannot stand in a code'],
    ['http://localhost:8787/', 'no room code in it'],
    ['http://localhost:8787/#room=', 'is missing'],
    ['http://localhost:8787/#room=%E0%A4%A', '"%" cannot stand in a code'],
  ])('says what is wrong with %j', (text, part) => {
    const read = readRoomCode(text);
    expect(read.ok).toBe(false);
    expect(!read.ok && read.sentence).toContain(part);
  });

  it('reads back every link it makes', () => {
    for (const room of ['222222', 'zzzzzz', 'jkmnpq', '9a8b7c'])
      expect(readRoomCode(roomLink('http://10.0.0.2:8787', room))).toEqual({ ok: true, room });
  });
});

describe('roomOfFragment', () => {
  it('is null without a room', () => {
    expect(roomOfFragment('')).toBeNull();
    expect(roomOfFragment('#about')).toBeNull();
  });

  it('reads a room, right or wrong', () => {
    expect(roomOfFragment('#room=abc234')).toEqual({ ok: true, room: 'abc234' });
    expect(roomOfFragment('#room=abc23')?.ok).toBe(false);
  });
});

const SECRET = '0123456789abcdefghjkmnpqrw';
const LINK = `https://example.org/#room=abc234&secret=${SECRET}`;
const INVITED = { ok: true, room: 'abc234', secret: SECRET };

describe('readInvitation', () => {
  it('reads back what roomLink makes', () => {
    expect(roomLink('https://example.org/', 'abc234', SECRET)).toBe(LINK);
    expect(readInvitation(LINK)).toEqual(INVITED);
    expect(readInvitation(roomLink('https://example.org', 'abc234'))).toEqual({ ...INVITED, secret: null });
    expect(readInvitation(' ABC-234. ')).toEqual({ ...INVITED, secret: null });
  });

  it('reads a link that is broken anywhere after its mark, by any kind of break', () => {
    for (const broken of ['\n', '\r\n', ' ', '\r\n> ', '\n    ', '=\r\n', '%0A', '%20', '\u200b', '\u00ad'])
      for (let at = LINK.indexOf('#') + 1; at < LINK.length; at++)
        expect(readInvitation(LINK.slice(0, at) + broken + LINK.slice(at)), `${at} ${broken}`).toEqual(INVITED);
  });

  it.each<[string, string]>([
    ['a full stop', `${LINK}.`],
    ['a bracket', `(${LINK})`],
    ['quotation marks', `„${LINK}“`],
    ['angle brackets', `<${LINK}>`],
    ['stars', `**${LINK}**`],
    ['an exclamation', `${LINK}!!`],
    ['an ellipsis', `${LINK}…`],
    ['a slash', `${LINK}/`],
    ['another field', `${LINK}&utm_source=mail`],
    ['words', `Come in, 50% are here: ${LINK} See you`],
    ['lines of words', `Come in:\n${LINK}\nSee you\nthere`],
    ['a Markdown link', `[the session](${LINK})`],
    ["a chat's link", `<${LINK}|the session>`],
    ['capitals', LINK.toUpperCase()],
    ['wide letters', LINK.replace('abc234', 'ａｂｃ２３４')],
    ['escapes', LINK.replace('#', '%23').replace('&', '%26').replaceAll('=', '%3D')],
    ['escapes of its whole', encodeURIComponent(LINK)],
    ['escapes twice', encodeURIComponent(encodeURIComponent(LINK))],
    ['a wrapping', `https://safe.example/?url=${encodeURIComponent(LINK)}&data=05%7C02%7C&sdata=%E0%A4%A`],
    ['a wrapping, escaped again', `https://l.example/?u=${encodeURIComponent(encodeURIComponent(LINK))}&h=AT0`],
    ['an escaped code', LINK.replace('abc234', '%61bc%32%334')],
    ["HTML's escapes", LINK.replace('&', '&amp;')],
    ["mail's escapes", LINK.replaceAll('=', '=3D')],
    ["mail's escapes and breaks", LINK.replaceAll('=', '=3D').replace('ghjk', 'gh=\r\njk')],
    ['the secret first', `https://example.org/#secret=${SECRET}&room=abc234`],
    ['another server', `192.168.1.20:8787/#room=abc234&secret=${SECRET}`],
    ['its fragment alone', `room=abc234&secret=${SECRET}`],
  ])('reads a link with %s', (_, text) => {
    expect(readInvitation(text)).toEqual(INVITED);
  });

  it.each([
    [LINK.slice(0, -1), 'has 26 characters; this one has 25'],
    [`${LINK}w`, 'this one has 27'],
    [LINK.slice(0, -26), 'The secret after &secret= is missing'],
    [LINK.slice(0, -29), 'The secret after &secret= is missing'],
    [LINK.replace('9a', '9u'), '"u" cannot stand in the secret'],
    [LINK.replace('9a', '9_'), '"_" cannot stand in the secret'],
    [LINK.replace(/w$/, 'x'), 'changed on the way'],
    [LINK.replace('abc234', 'abc23'), 'A code has six'],
    [LINK.replace('abc234', ''), 'is missing'],
    [`https://example.org/#secret=${SECRET}`, 'no room code in it'],
    [encodeURIComponent(LINK.slice(0, -1)), 'this one has 25'],
    ['.', 'Type the six characters'],
    [`${LINK.slice(0, -6)} ${'x '.repeat(20_000)}`, 'this one has 20'],
  ])('says what is wrong with %j', (text, part) => {
    const read = readInvitation(text);
    expect(!read.ok && read.sentence).toContain(part);
  });

  it('takes no time, whatever it is given', () => {
    const startMs = cpuMs();
    for (const unit of ['#room=', '%25', '%', '=3D', '> ', '&secret=', ' \n', '#room=abc234&secret=\n', '.'])
      readInvitation(unit.repeat(200_000));
    expect(cpuMs() - startMs).toBeLessThan(2000);
  });
});

describe('invitationOfFragment', () => {
  it('reads code and secret, right or wrong, and is null without a room', () => {
    expect(invitationOfFragment(`#room=abc234&secret=${SECRET}`)).toEqual(INVITED);
    expect(invitationOfFragment(`#room%3Dabc234%26secret%3D${SECRET}`)).toEqual(INVITED);
    expect(invitationOfFragment(`#room=abc234&secret=${SECRET}1`)?.ok).toBe(false);
    expect(invitationOfFragment('#about')).toBeNull();
  });
});
