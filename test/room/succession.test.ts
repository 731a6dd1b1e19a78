import { describe, expect, it } from 'vitest';
import {
  type Holding,
  LOOK_AGAIN_MS,
  mayTake,
  newSuccession,
  OFFER_MS,
  type Succession,
  type SuccessionEffect,
  type SuccessionEvent,
  stepSuccession,
} from '../../signaling/room/succession.ts';

const FROM_MS = 8000;
const LOST: SuccessionEvent = { type: 'lost', fromMs: FROM_MS };
const holding = (device: string, round: number, change: Partial<Holding> = {}): SuccessionEvent => ({
  type: 'holding',
  device,
  holding: { term: 1, round, able: true, linked: false, ...change },
});

/** A succession through events at their times, and the effects but alarms. */
function play(...events: readonly (readonly [atMs: number, event: SuccessionEvent])[]) {
  let state = newSuccession(1);
  const did: string[] = [];
  for (const [atMs, event] of events) {
    const step = stepSuccession(state, event, atMs);
    state = step.state;
    for (const effect of step.effects) {
      if (effect.type === 'ask') did.push('ask');
      if (effect.type === 'offer') did.push(`offer ${effect.device} ${effect.term}`);
    }
  }
  return { state, did };
}

const TIME: SuccessionEvent = { type: 'time' };

describe('a room whose host is gone', () => {
  it('asks what devices hold, waits, and offers the role to the newest round, in the next term', () => {
    const { did, state } = play(
      [0, LOST],
      [10, holding('a', 6)],
      [20, holding('b', 7)],
      [FROM_MS - 1, TIME],
      [FROM_MS, TIME],
    );
    expect(did).toEqual(['ask', 'offer b 2']);
    expect(mayTake(state, 'b', 2)).toBe(true);
    expect(mayTake(state, 'a', 2)).toBe(false);
    expect(mayTake(state, 'b', 1)).toBe(false);
  });

  it('goes by the term before the round: rounds of a host that was deposed count for nothing', () => {
    expect(play([0, LOST], [1, holding('a', 90)], [1, holding('b', 7, { term: 2 })], [FROM_MS, TIME]).did).toContain(
      'offer b 2',
    );
  });

  it('takes of equals the same one, in whatever order they came', () => {
    for (const ids of ['ab', 'ba'])
      expect(play([0, LOST], ...[...ids].map((id) => [1, holding(id, 7)] as const), [FROM_MS, TIME]).did).toContain(
        'offer a 2',
      );
  });

  it('offers it to nobody who may not have it, however new, and to nobody where nobody may', () => {
    const events = [
      [0, LOST],
      [1, holding('a', 9, { able: false })],
    ] as const;
    expect(play(...events, [1, holding('b', 5)], [FROM_MS, TIME]).did).toEqual(['ask', 'offer b 2']);
    expect(play(...events, [FROM_MS, TIME], [10 * FROM_MS, TIME]).did).toEqual(['ask']);
  });

  it('offers it as soon as somebody comes who may have it', () => {
    expect(play([0, LOST], [FROM_MS, TIME], [60_000, holding('late', 3)]).did).toEqual(['ask', 'offer late 2']);
  });

  it('offers nothing while most devices still have their link to the host, and asks them again after a while', () => {
    const events = [
      [0, LOST],
      [1, holding('a', 5, { linked: true })],
      [1, holding('b', 5, { linked: true })],
      [1, holding('c', 5)],
      [FROM_MS, TIME],
    ] as const;
    expect(play(...events).did).toEqual(['ask', 'ask']);
    const { state } = play(...events);
    const againMs = FROM_MS + LOOK_AGAIN_MS;
    expect(stepSuccession(state, TIME, againMs).effects).toEqual([
      { type: 'ask' },
      { type: 'wakeAt', atMs: againMs + LOOK_AGAIN_MS },
    ]);
    // However much they say in between, they are asked no more often, and there is one alarm.
    expect(stepSuccession(state, holding('b', 6, { linked: true }), againMs - 1).effects).toEqual([]);
    expect(play(...events, [FROM_MS + 500, holding('a', 6)]).did).toEqual(['ask', 'ask', 'offer a 2']);
  });

  it('goes on to the next device when one declines, goes, or lets the offer pass, each time in a term of its own', () => {
    const begun = [
      [0, LOST],
      ...['a', 'b', 'c', 'd'].map((id) => [1, holding(id, 7)] as const),
      [FROM_MS, TIME],
    ] as const;
    expect(
      play(
        ...begun,
        [FROM_MS + 1, { type: 'declined', device: 'a', term: 2 }],
        [FROM_MS + 2, { type: 'gone', device: 'b' }],
        [FROM_MS + 3 + OFFER_MS, TIME],
        [FROM_MS + 4 + OFFER_MS, { type: 'declined', device: 'd', term: 5 }],
      ).did,
    ).toEqual(['ask', 'offer a 2', 'offer b 3', 'offer c 4', 'offer d 5']);
  });

  it('hears no refusal of an offer that is over, nor of another device’s', () => {
    const { state } = play([0, LOST], [1, holding('a', 7)], [1, holding('b', 7)], [FROM_MS, TIME]);
    for (const event of [
      { type: 'declined', device: 'b', term: 2 },
      { type: 'declined', device: 'a', term: 1 },
    ] as const)
      expect(mayTake(stepSuccession(state, event, FROM_MS).state, 'a', 2)).toBe(true);
  });

  it('that comes back ends all offers; what was offered in the meantime is no term of anybody', () => {
    const { state, did } = play(
      [0, LOST],
      [1, holding('a', 7)],
      [FROM_MS, TIME],
      [FROM_MS + 1, { type: 'seated', term: 1 }],
    );
    expect(mayTake(state, 'a', 2)).toBe(false);
    expect(did).toEqual(['ask', 'offer a 2']);
    const again = stepSuccession(stepSuccession(state, LOST, 20_000).state, holding('a', 9), 20_000);
    expect(again.effects).toContainEqual({ type: 'offer', device: 'a', term: 3 });
  });
});

/** A small generator of whole numbers (mulberry32), so that a run can be had again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

describe('every order of events', () => {
  it('gives each term to one device at most, offers in rising terms, and offers nothing while there is a host', () => {
    let taken = 0;
    for (let seed = 1; seed <= 3000; seed++) {
      const below = numbers(seed);
      let state: Succession = newSuccession(1);
      let nowMs = 0;
      let offers: Extract<SuccessionEffect, { type: 'offer' }>[] = [];
      const hosts = new Map<number, string>([[1, 'host']]);
      let lastOffered = 1;
      for (let i = 0; i < 40; i++) {
        nowMs += below(4) === 0 ? below(40_000) : below(100);
        const device = 'abc'[below(3)];
        const term = 1 + below(lastOffered + 1);
        const kinds: SuccessionEvent[] = [
          { type: 'lost', fromMs: nowMs + FROM_MS },
          holding(device, below(5), { term, able: below(4) > 0, linked: below(3) === 0 }),
          { type: 'gone', device },
          { type: 'declined', device, term },
          { type: 'time' },
        ];
        let event = kinds[below(kinds.length + 1)];
        if (event === undefined) {
          // Somebody wants to be host: by an offer that it was made at some time.
          const old = offers[below(Math.max(1, offers.length))];
          if (old === undefined || !mayTake(state, old.device, old.term)) continue;
          expect(hosts.has(old.term)).toBe(false);
          expect(old.term).toBeGreaterThan(Math.max(...hosts.keys()));
          hosts.set(old.term, old.device);
          taken += 1;
          event = { type: 'seated', term: old.term };
        }
        const step = stepSuccession(state, event, nowMs);
        const made = step.effects.filter((effect) => effect.type === 'offer');
        if (step.state.lost === null) expect(made).toEqual([]);
        for (const offer of made) {
          expect(offer.term).toBe(lastOffered + 1);
          lastOffered = offer.term;
          expect(step.state.lost?.holdings[offer.device]?.able).toBe(true);
        }
        offers = [...offers, ...made];
        expect(step.state.term).toBeGreaterThanOrEqual(state.term);
        state = step.state;
      }
    }
    expect(taken).toBeGreaterThan(1000);
  });
});
