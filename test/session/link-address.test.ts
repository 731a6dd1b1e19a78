import { describe, expect, it } from 'vitest';
import { readRoomCode, roomLink, roomOfFragment } from '../../web/session/links/link-address.ts';

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
