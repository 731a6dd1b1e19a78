import type { Stage } from '../../../../signaling/protocol/split.ts';
import * as say from '../../../words/session/rounds.ts';
import { type Due, dueOf, type Order, type RoundState } from '../round.ts';

/** The latest giving out of every stage of a round, in the order of their numbers. */
export type Places = readonly Order[];

export const placesOf = (orders: readonly Order[]): Places => orders;

export function stageOf({ stage }: Pick<Order, 'stage'>): Stage {
  if (stage === undefined) throw new Error(say.anOrderOfASplit);
  return stage;
}

/** The stage below or above it in its pipeline; null at the ends. */
export function neighbourOf(places: Places, order: Order, side: 'below' | 'above'): Order | null {
  const { pipeline, index } = stageOf(order);
  const at = side === 'below' ? index - 1 : index + 1;
  return places.find((place) => stageOf(place).pipeline === pipeline && stageOf(place).index === at) ?? null;
}

const isOwed = (round: RoundState, { number }: Order): boolean =>
  round.owed.some(({ order }) => order.number === number);

/** Whether neither the host nor a neighbour still needs anything of this stage. What it sent last may not have arrived. */
export function settled(round: RoundState, places: Places, order: Order): boolean {
  if (isOwed(round, order)) return false;
  return (['below', 'above'] as const).every((side) => {
    const neighbour = neighbourOf(places, order, side);
    return neighbour === null || !isOwed(round, neighbour);
  });
}

/**
 * The round after a stage was given to `device` in the next epoch. All of it is computed again, and all of it is owed again: one device
 * answers for everything that a stage gives to a round.
 */
export function replaced(
  round: RoundState,
  places: Places,
  order: Order,
  device: string,
): { readonly round: RoundState; readonly places: Places; readonly given: Order } {
  const epoch = round.epoch + 1;
  const given: Order = { ...order, device, epoch };
  const owed = round.owed.find((entry) => entry.order.number === order.number);
  const missing: readonly Due[] = dueOf(order);
  const entry = { order: given, missing, lost: false };
  return {
    given,
    places: places.map((place) => (place.number === order.number ? given : place)),
    round: {
      ...round,
      epoch,
      accepted: round.accepted.filter((one) => one.order.number !== order.number),
      owed:
        owed === undefined
          ? [...round.owed, entry]
          : round.owed.map((other) => (other.order.number === order.number ? entry : other)),
      reassigned: round.reassigned + missing.filter((due) => due !== 'done').length,
    },
  };
}

/** The round's loss from those of its pipelines, by number of their last orders: the same bits whoever reports first. */
export const lossOf = (places: Places, losses: ReadonlyMap<number, number>): number =>
  places
    .toSorted((a, b) => a.samples.start - b.samples.start)
    .reduce((sum, { number }) => sum + (losses.get(number) ?? 0), 0);
