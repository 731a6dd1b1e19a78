import { describe, expect, it } from 'vitest';
import { firstEpoch, type OrderTag } from '../../signaling/protocol/round.ts';
import { type Heard, hearAbandoned, hearOrder, isCurrent, NOTHING_HEARD } from '../../web/session/rounds/heard.ts';

const tag = (term: number, round: number, order: number, epoch: number): OrderTag => ({ term, round, order, epoch });
const heard = (...tags: OrderTag[]): Heard => tags.reduce((h, t) => hearOrder(h, t) ?? h, NOTHING_HEARD);

describe('what a device has heard of the orders', () => {
  it.each<[string, OrderTag]>([
    ['an earlier epoch', tag(2, 5, 1, 2)],
    ['an earlier round', tag(2, 4, 7, 9)],
    ['an earlier host, whatever its round', tag(1, 9, 7, 9)],
  ])('lets it drop an order of %s', (_, stale) => {
    expect(hearOrder(heard(tag(2, 5, 1, 3)), stale)).toBeNull();
  });

  it.each<[string, OrderTag]>([
    ['another order of the same round', tag(2, 5, 2, 1)],
    ['a later epoch', tag(2, 5, 1, 4)],
    ['a later round', tag(2, 6, 1, 1)],
    ['a later host, whatever its round', tag(3, 1, 1, 1)],
  ])('lets it take %s', (_, next) => {
    const now = hearOrder(heard(tag(2, 5, 1, 3)), next);
    expect(now !== null && isCurrent(now, next)).toBe(true);
  });

  it('lets it take an earlier round of a later course, and drop what an earlier course had', () => {
    const now = heard(tag(2, 9, 1, 3), tag(2, 9, 2, 7));
    const again = tag(2, 5, 1, firstEpoch(1));
    const then = hearOrder(now, again);
    expect(then !== null && isCurrent(then, again)).toBe(true);
    for (const before of [tag(2, 9, 2, 8), tag(2, 10, 1, 65_000), tag(2, 5, 1, 1)])
      expect(then !== null && hearOrder(then, before)).toBeNull();
    // A round of the same course, an epoch of the same round, and a later host's first.
    for (const next of [tag(2, 6, 1, firstEpoch(1)), tag(2, 5, 1, firstEpoch(1) + 1), tag(3, 1, 1, 1)])
      expect(then !== null && hearOrder(then, next)).not.toBeNull();
  });

  it('makes the epoch before the latest one stale, and no other order', () => {
    const now = heard(tag(1, 1, 1, 1), tag(1, 1, 2, 1), tag(1, 1, 1, 2));
    expect([tag(1, 1, 1, 1), tag(1, 1, 1, 2), tag(1, 1, 2, 1)].map((t) => isCurrent(now, t))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('makes all orders of the round before stale with the first of the next', () => {
    const now = heard(tag(1, 1, 1, 1), tag(1, 2, 2, 1));
    expect(isCurrent(now, tag(1, 1, 1, 1))).toBe(false);
  });

  it('lets what takes an order away come before the order', () => {
    const now = hearAbandoned(NOTHING_HEARD, tag(1, 1, 1, 2));
    expect(hearOrder(now, tag(1, 1, 1, 1))).toBeNull();
    expect(hearOrder(now, tag(1, 1, 1, 2))).toBeNull();
    expect(hearOrder(now, tag(1, 1, 1, 3))).not.toBeNull();
    expect(hearOrder(now, tag(1, 1, 2, 1))).not.toBeNull();
  });

  it('takes no order away for what is said of an earlier epoch, round or host', () => {
    const now = heard(tag(2, 5, 1, 3));
    for (const stale of [tag(2, 5, 1, 2), tag(2, 4, 1, 9), tag(1, 5, 1, 9)])
      expect(isCurrent(hearAbandoned(now, stale), tag(2, 5, 1, 3))).toBe(true);
    expect(isCurrent(hearAbandoned(now, tag(2, 5, 1, 3)), tag(2, 5, 1, 3))).toBe(false);
  });
});
