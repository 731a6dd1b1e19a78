import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fullAllowance, refilled, spend } from '../../signaling/connection/bounds/allowance.ts';
import { addDeadline, earliestMs, noDeadlines, takeDue } from '../../signaling/connection/bounds/deadlines.ts';
import {
  claimOf,
  fingerprint,
  introductionOf,
  isSame,
  seatClaimOf,
  withCredentials,
} from '../../signaling/connection/door/secrets.ts';

describe('an allowance', () => {
  const rate = { perSecond: 4, burst: 10 };

  it('is full at first, and fills again by so much a second, never above what it holds', () => {
    const full = fullAllowance(rate, 5000);
    expect(full).toEqual({ left: 10, atMs: 5000 });
    const spent = spend(full, rate, 5000, 7);
    expect(spent).toEqual({ left: 3, atMs: 5000 });
    expect(refilled(spent!, rate, 5500)).toEqual({ left: 5, atMs: 5500 });
    expect(refilled(spent!, rate, 60_000)).toEqual({ left: 10, atMs: 60_000 });
  });

  it('is spent to the last, and not beyond', () => {
    expect(spend({ left: 1, atMs: 0 }, rate, 0)).toEqual({ left: 0, atMs: 0 });
    expect(spend({ left: 0.999, atMs: 0 }, rate, 0)).toBeNull();
    expect(spend({ left: 0, atMs: 0 }, rate, 250)).toEqual({ left: 0, atMs: 250 });
    expect(spend({ left: 0, atMs: 0 }, rate, 249)).toBeNull();
    expect(spend({ left: 0, atMs: 0 }, rate, 2500, 10)).toEqual({ left: 0, atMs: 2500 });
    expect(spend({ left: 0, atMs: 0 }, rate, 1e9, 11)).toBeNull();
  });

  it('neither fills nor empties while a clock is set back', () => {
    expect(refilled({ left: 3, atMs: 5000 }, rate, 1000)).toEqual({ left: 3, atMs: 1000 });
  });
});

describe('deadlines', () => {
  it('come in the order of their times, of equal ones the one that was added first, and none before it is due', () => {
    const deadlines = noDeadlines<number>();
    expect([earliestMs(deadlines), takeDue(deadlines, 1e9)]).toEqual([null, null]);
    // Times of few values, so that many are equal; a sort that keeps the order of equals says what is right.
    const times = Array.from({ length: 200 }, (_, i) => (i * 7919) % 23);
    for (const [i, atMs] of times.entries()) addDeadline(deadlines, atMs, i);
    const order = times.map((_, i) => i).toSorted((a, b) => times[a]! - times[b]! || a - b);
    const taken: number[] = [];
    for (let nowMs = 0; nowMs < 23; nowMs++) {
      expect(earliestMs(deadlines)).toBe(nowMs);
      expect(takeDue(deadlines, nowMs - 1)).toBeNull();
      for (let due = takeDue(deadlines, nowMs); due !== null; due = takeDue(deadlines, nowMs)) taken.push(due);
    }
    expect(taken).toEqual(order);
    expect(deadlines.heap).toEqual([]);
  });

  it('stay in order while some are added and others taken', () => {
    const deadlines = noDeadlines<number>();
    const kept: number[] = [];
    for (let i = 0; i < 300; i++) {
      const atMs = (i * 104_729) % 997;
      addDeadline(deadlines, atMs, atMs);
      kept.push(atMs);
      if (i % 3 !== 2) continue;
      kept.sort((a, b) => a - b);
      expect(takeDue(deadlines, 1e6)).toBe(kept.shift());
    }
  });
});

describe('what the server recognises again', () => {
  const secret = new Uint8Array(32).fill(9);
  /** As Node’s own crypto computes it. */
  const keyed = (...parts: string[]) => createHmac('sha256', secret).update(parts.join('\n')).digest('hex');
  const device = { id: 'tabtabtab', key: 'print' };

  it('is the HMAC of what it is for, room, host and device, each in its place', () => {
    expect(fingerprint('key')).toBe(createHash('sha256').update('key').digest('hex'));
    expect(claimOf(secret, 'abc234', 'host', 258)).toBe(`00000102${keyed('claim', 'abc234', 'host', '258').slice(8)}`);
    expect(seatClaimOf(secret, 'abc234', 'host', device)).toBe(keyed('seat', 'abc234', 'host', 'tabtabtab', 'print'));
    expect(introductionOf(secret, 'abc234', device)).toEqual({
      id: keyed('introduction id', 'abc234', 'tabtabtab', 'print').slice(0, 20),
      token: keyed('introduction token', 'abc234', 'tabtabtab', 'print').slice(0, 32),
    });
  });

  it.each([
    ['', '', true],
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['abc', 'bbc', false],
    ['abc', '', false],
    ['', 'abc', false],
    ['abc', 'ab', false],
    ['ab', 'abc', false],
    ['abab', 'ab', false],
    ['a', 'aaaa', false],
  ])('%j is %j: %s', (a, b, want) => expect(isSame(a, b)).toBe(want));

  it('are no credentials for a server that helps without, or where no secret is shared; seconds end whole', () => {
    const servers = ['stun:a', 'turn:b', 'turns:c', 'xturn:d'].map((urls) => ({ urls }));
    expect(withCredentials(servers, null, 'tabtabtab', 0)).toEqual(servers);
    const given = withCredentials(servers, 'shared', 'tabtabtab', 1999);
    const username = '3601:tabtabtab';
    const credential = createHmac('sha1', 'shared').update(username).digest('base64');
    expect(given).toEqual([
      servers[0],
      { urls: 'turn:b', username, credential },
      { urls: 'turns:c', username, credential },
      servers[3],
    ]);
  });
});
