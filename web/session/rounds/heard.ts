import { courseOf, type OrderTag } from '../../../signaling/protocol/round.ts';

/**
 * The giving out of orders as one device has heard of it over one link: who is host, the latest course and round, and of each of its
 * orders the latest epoch. Messages may overtake each other: what takes an order away can come before the order.
 */
export interface Heard {
  readonly term: number;
  readonly course: number;
  readonly round: number;
  /** By order; the least epoch that is not over. */
  readonly epochs: ReadonlyMap<number, number>;
}

export const NOTHING_HEARD: Heard = { term: 0, course: 0, round: 0, epochs: new Map() };

/** What is known after an order with this tag came, or null when it belongs to an earlier epoch, round or term. */
export function hearOrder(heard: Heard, tag: OrderTag): Heard | null {
  const now = inRound(heard, tag);
  if (now === null || tag.epoch < (now.epochs.get(tag.order) ?? 0)) return null;
  return { ...now, epochs: new Map(now.epochs).set(tag.order, tag.epoch) };
}

/** The same after it was taken away. */
export function hearAbandoned(heard: Heard, tag: OrderTag): Heard {
  const now = inRound(heard, tag);
  if (now === null || tag.epoch < (now.epochs.get(tag.order) ?? 0)) return heard;
  return { ...now, epochs: new Map(now.epochs).set(tag.order, tag.epoch + 1) };
}

/** Whether an order is still this device's to do. */
export const isCurrent = (heard: Heard, tag: OrderTag): boolean =>
  heard.term === tag.term && heard.round === tag.round && heard.epochs.get(tag.order) === tag.epoch;

function inRound(heard: Heard, tag: OrderTag): Heard | null {
  const { term, round } = tag;
  const course = courseOf(tag);
  const isLater = term - heard.term || course - heard.course || round - heard.round;
  if (isLater < 0) return null;
  return isLater === 0 ? heard : { term, course, round, epochs: new Map() };
}
