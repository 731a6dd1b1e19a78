import type { SampleRange } from '../../signaling/protocol/round.ts';
import { byLength } from './batches.ts';

/** Swaps that even out what was dealt. */
const MOST_SWAPS = 32;
/** Of more samples than this, each is too small a part of its range for a swap to matter. */
const MOST_SWAPPED = 256;

/**
 * Which sample stands at each place of a round. `ranges` are the places that teams of devices take, as a plan has them; a plan counts
 * samples, so each range is to have as many tokens a sample as the others, and its samples stand there from the shortest to the longest.
 * The longest sample left goes to the range that lacks most tokens; then samples of the range with the most tokens a sample and of that
 * with the fewest are swapped while that helps. A function of lengths and ranges alone. Ranges that do not cover the places once get the
 * samples by length.
 */
export function dealByLength(lengths: ArrayLike<number>, ranges: readonly SampleRange[]): number[] {
  const order = byLength(lengths);
  const hands = handsOf(ranges, lengths.length);
  if (hands === null) return order;
  const mean = order.reduce((sum, row) => sum + lengths[row]!, 0) / Math.max(1, order.length);
  const dealt = hands.map(({ count }) => ({ count, rows: [] as number[], lacking: count * mean }));
  for (const row of order.toReversed()) {
    const open = dealt.filter(({ count, rows }) => rows.length < count);
    const hand = open.reduce((a, b) => (b.lacking > a.lacking ? b : a));
    hand.rows.push(row);
    hand.lacking -= lengths[row]!;
  }
  if (hands.length > 1 && order.length <= MOST_SWAPPED)
    for (let swaps = 0; swaps < MOST_SWAPS && swapOnce(lengths, dealt); swaps++);
  return dealt.flatMap(({ rows }) => rows.sort((a, b) => lengths[a]! - lengths[b]! || a - b));
}

interface Hand {
  readonly count: number;
  readonly rows: number[];
  /** Tokens to its share of them; below 0 where it has more. */
  lacking: number;
}

/** Swaps the two samples that bring the fullest and the emptiest hand nearest to their shares; false where none does. */
function swapOnce(lengths: ArrayLike<number>, hands: readonly Hand[]): boolean {
  const off = ({ lacking, count }: Hand): number => lacking / count;
  const full = hands.reduce((a, b) => (off(b) < off(a) ? b : a));
  const empty = hands.reduce((a, b) => (off(b) > off(a) ? b : a));
  const worst = (moved: number): number =>
    Math.max(Math.abs((full.lacking + moved) / full.count), Math.abs((empty.lacking - moved) / empty.count));
  let best = { worst: worst(0), i: -1, j: -1 };
  for (const [i, a] of full.rows.entries())
    for (const [j, b] of empty.rows.entries()) {
      const after = worst(lengths[a]! - lengths[b]!);
      if (after < best.worst - 1e-9) best = { worst: after, i, j };
    }
  if (best.i < 0) return false;
  const [a, b] = [full.rows[best.i]!, empty.rows[best.j]!];
  const moved = lengths[a]! - lengths[b]!;
  full.rows[best.i] = b;
  empty.rows[best.j] = a;
  full.lacking += moved;
  empty.lacking -= moved;
  return true;
}

/** Each range once, from the first place on; null where they leave places out or share some. */
function handsOf(ranges: readonly SampleRange[], samples: number): readonly SampleRange[] | null {
  const hands = [...new Map(ranges.map((range) => [`${range.start}+${range.count}`, range])).values()]
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.start - b.start);
  let at = 0;
  for (const { start, count } of hands) {
    if (start !== at) return null;
    at += count;
  }
  return at === samples ? hands : null;
}
