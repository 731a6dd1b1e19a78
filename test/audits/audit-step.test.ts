import { describe, expect, it } from 'vitest';
import {
  type AuditEffect,
  type Auditor,
  type AuditState,
  beginAudits,
  type Given,
} from '../../web/session/rounds/audits/audit-state.ts';
import { type AuditEvent, stepAudits, undoneTo } from '../../web/session/rounds/audits/audit-step.ts';
import { standingOf } from '../../web/session/rounds/audits/standing.ts';

type Own<T> = T extends unknown ? Omit<T, 'host' | 'able' | 'atMs' | 'patienceMs' | 'least'> : never;

/** A room of `host`, a, b, c, … whose audits are told as data. Everybody can compute everything unless it is said. */
class Told {
  state: AuditState;
  round = 0;
  atMs = 0;
  able: string[];
  cannot: readonly string[] = [];
  readonly effects: AuditEffect[] = [];

  constructor(devices: readonly string[], share = 0.08) {
    this.able = [...devices];
    this.state = beginAudits(share, 'f32');
  }

  take(event: Own<AuditEvent>): string[] {
    const able = this.able.map(
      (device, i): Auditor => ({ device, busySeconds: i, seconds: () => (this.cannot.includes(device) ? null : 1) }),
    );
    const around = { host: 'host', able, atMs: this.atMs, patienceMs: 1000, least: () => 0 };
    const { state, effects } = stepAudits(this.state, { ...event, ...around });
    this.state = state;
    this.effects.push(...effects);
    return effects.map(short);
  }

  /** A round to which these devices gave one block each, of this length. */
  ends(given: Record<string, number>, draw = 0.999): string[] {
    this.round++;
    const parts = Object.entries(given).map(([device, length], i) => one(device, length, i + 1));
    return this.take({ type: 'round', round: this.round, given: parts, draw: () => draw });
  }

  answers(audit: number, device: string, length: number): string[] {
    const order = this.state.open.find(({ number }) => number === audit)?.given.order ?? 1;
    return this.take({ type: 'answer', audit, device, made: one(device, length, order).made });
  }

  unaudited(device: string): number[] {
    return standingOf(this.state.standings, device).unaudited.map(({ round }) => round);
  }
}

const one = (device: string, length: number, order: number): Given => ({
  device,
  order,
  samples: { start: 4 * order, count: 4 },
  made: { parts: new Map([[order, Float32Array.of(length, 0)]]), lossSum: null },
});

function short(effect: AuditEffect): string {
  switch (effect.type) {
    case 'ask':
      return `ask ${effect.device} about ${effect.audit.given.device} (${effect.audit.number})`;
    case 'closed':
      return `${effect.audit.number} ${effect.outcome}`;
    case 'liar':
      return `${effect.device} lied${effect.asAuditor ? ' of another' : ''}, say ${effect.by.join(' and ')}; back to ${effect.undoTo}`;
  }
}

describe('an audit', () => {
  it('is of a newcomer’s first three rounds, of nobody’s fourth by itself, and never of the host', () => {
    const told = new Told(['host', 'a']);
    for (let audit = 1; audit <= 3; audit++) {
      expect(told.ends({ host: 1, a: 1 })).toEqual([`ask host about a (${audit})`]);
      told.answers(audit, 'host', 1);
    }
    expect(told.ends({ host: 1, a: 1 })).toEqual([]);
    // Since the last one, so many rounds may pass at most.
    for (let i = 2; i < 24; i++) expect(told.ends({ host: 1, a: 1 })).toEqual([]);
    expect(told.ends({ host: 1, a: 1 })).toEqual(['ask host about a (4)']);
  });

  it('is by chance from then on', () => {
    const told = new Told(['host', 'a']);
    for (let audit = 1; audit <= 3; audit++) {
      told.ends({ a: 1 });
      told.answers(audit, 'host', 1);
    }
    expect(told.ends({ a: 1 }, 1 / 24 - 1e-9)).toEqual(['ask host about a (4)']);
    told.answers(4, 'host', 1);
    expect(told.ends({ a: 1 }, 1 / 24)).toEqual([]);
    expect(told.ends({ a: 1 }, 1 / 23 - 1e-9)).toEqual(['ask host about a (5)']);
  });

  it('is of nobody where audits are off', () => {
    const told = new Told(['host', 'a', 'b'], 0);
    expect(told.ends({ a: 1, b: 2 })).toEqual([]);
  });

  it('that finds the same is over, and the round counts as found right', () => {
    const told = new Told(['host', 'a']);
    told.ends({ a: 1 });
    expect(told.unaudited('a')).toEqual([1]);
    expect(told.answers(1, 'host', 1.0005)).toEqual(['1 right']);
    expect(told.unaudited('a')).toEqual([]);
  });

  it('that finds something else has a third compute it: the host first', () => {
    const told = new Told(['b', 'host', 'a', 'c']);
    expect(told.ends({ a: 1 }, 0)).toEqual(['ask b about a (1)']);
    expect(told.answers(1, 'b', 2)).toEqual(['ask host about a (1)']);
    expect(told.answers(1, 'host', 2)).toEqual(['1 liar', 'a lied, say b and host; back to 0']);
    expect(standingOf(told.state.standings, 'a').unaudited).toEqual([]);
  });

  it('may be the lie itself', () => {
    const told = new Told(['b', 'host', 'a']);
    told.ends({ a: 1, b: 1 }, 0);
    told.ends({ b: 1 }, 0.99);
    expect(told.answers(1, 'b', 2)).toEqual(['ask host about a (1)']);
    const then = told.answers(1, 'host', 1);
    expect(then[0]).toBe('1 right');
    // Its own parts are as doubtful as its word.
    expect(then[1]).toBe('b lied of another, say a and host; back to 0');
    expect(told.unaudited('a')).toEqual([]);
  });

  it('goes on asking while no two say the same', () => {
    const told = new Told(['b', 'host', 'a', 'c', 'd']);
    told.ends({ a: 1 }, 0);
    expect(told.answers(1, 'b', 2)).toEqual(['ask host about a (1)']);
    expect(told.answers(1, 'host', 3)).toEqual(['ask c about a (1)']);
    // The host is believed to mean well, and b did not.
    expect(told.answers(1, 'c', 3)).toEqual([
      '1 liar',
      'a lied, say host and c; back to 0',
      'b lied of another, say host and c; back to null',
    ]);
  });

  it('is decided by the host’s own device where nobody else is left', () => {
    const told = new Told(['host', 'a']);
    told.ends({ host: 1, a: 1 });
    expect(told.answers(1, 'host', 2)).toEqual(['1 liar', 'a lied, say host; back to 0']);
  });

  it('removes nobody where two contradict each other, and neither is the host', () => {
    const told = new Told(['a', 'b', 'host']);
    told.cannot = ['host'];
    expect(told.ends({ a: 1 }, 0)).toEqual(['ask b about a (1)']);
    expect(told.answers(1, 'b', 2)).toEqual(['1 unaudited']);
    expect(told.unaudited('a')).toEqual([1]);
  });

  it('is of all that a device gave to a round', () => {
    const told = new Told(['host', 'a']);
    const given = [one('a', 1, 1), one('a', 1, 2)];
    expect(told.take({ type: 'round', round: 1, given, draw: () => 0 })).toHaveLength(2);
    told.take({ type: 'answer', audit: 1, device: 'host', made: given[0]!.made });
    expect(told.unaudited('a')).toEqual([1]);
    told.take({ type: 'answer', audit: 2, device: 'host', made: given[1]!.made });
    expect(told.unaudited('a')).toEqual([]);
  });

  it('takes no answer of somebody who was not asked, and none twice', () => {
    const told = new Told(['b', 'host', 'a', 'c']);
    told.ends({ a: 1 }, 0);
    expect(told.answers(1, 'c', 2)).toEqual([]);
    expect(told.answers(2, 'b', 2)).toEqual([]);
    told.answers(1, 'b', 2);
    expect(told.answers(1, 'b', 2)).toEqual([]);
  });
});

describe('whoever does not answer', () => {
  it.each<[string, Own<AuditEvent>, number]>([
    ['fails', { type: 'failed', audit: 1, device: 'b' }, 0],
    ['is gone', { type: 'gone', device: 'b' }, 0],
    ['is late', { type: 'time' }, 1000],
  ])('because it %s is replaced by another', (_, event, afterMs) => {
    const told = new Told(['b', 'host', 'a', 'c']);
    told.ends({ a: 1 }, 0);
    told.atMs = afterMs;
    expect(told.take(event)).toEqual(['ask host about a (1)']);
    expect(told.answers(1, 'b', 2)).toEqual([]);
    expect(told.answers(1, 'host', 1)).toEqual(['1 right']);
  });

  it('leaves the part unaudited where nobody else can', () => {
    const told = new Told(['host', 'a']);
    told.ends({ a: 1 });
    expect(told.take({ type: 'failed', audit: 1, device: 'host' })).toEqual(['1 unaudited']);
    told.cannot = ['host'];
    expect(told.ends({ a: 1 })).toEqual(['2 unaudited']);
    // It is still a newcomer.
    told.cannot = [];
    expect(told.ends({ a: 1 })).toEqual(['ask host about a (3)']);
  });
});

describe('after a liar was found', () => {
  it('training goes back to before the first round that nobody found right, 64 rounds at most', () => {
    const told = new Told(['host', 'a']);
    for (let audit = 1; audit <= 3; audit++) {
      told.ends({ a: 1 });
      told.answers(audit, 'host', 1);
    }
    told.ends({ a: 1 });
    told.ends({ a: 1 });
    told.ends({ a: 2 }, 0);
    expect(told.answers(4, 'host', 1)).toEqual(['4 liar', 'a lied, say host; back to 3']);
    const long = new Told(['host', 'a'], 0.02);
    for (let audit = 1; audit <= 3; audit++) {
      long.ends({ a: 1 });
      long.answers(audit, 'host', 1);
    }
    for (let i = 4; i <= 80; i++) long.ends({ a: 1 });
    long.ends({ a: 2 }, 0);
    expect(long.answers(4, 'host', 1)).toEqual(['4 liar', 'a lied, say host; back to 17']);
  });

  it('what it found right of others counts for nothing, and what it was asked others are asked', () => {
    const told = new Told(['b', 'host', 'a', 'c']);
    told.ends({ a: 1 }, 0);
    told.answers(1, 'b', 1);
    expect(told.unaudited('a')).toEqual([]);
    expect(told.ends({ a: 1 }, 0)).toEqual(['ask b about a (2)']);
    told.take({ type: 'round', round: 3, given: [one('b', 2, 1)], draw: () => 0 });
    told.answers(3, 'host', 1);
    const then = told.answers(3, 'a', 1);
    expect(then).toContain('b lied, say host and a; back to 2');
    expect(then).toContain('ask host about a (2)');
    expect(told.unaudited('a')).toEqual([1, 2]);
  });

  it('rounds that are undone are unaudited no more, and an audit of one that is done again is of the new one', () => {
    const told = new Told(['host', 'a']);
    told.ends({ a: 1 });
    told.ends({ a: 1 });
    told.state = undoneTo(told.state, 1);
    expect(told.unaudited('a')).toEqual([1]);
    told.round = 1;
    told.ends({ a: 1 });
    expect(told.unaudited('a')).toEqual([1, 2]);
    told.answers(2, 'host', 1);
    expect(told.unaudited('a')).toEqual([1, 2]);
    told.answers(3, 'host', 1);
    expect(told.unaudited('a')).toEqual([1]);
  });
});
