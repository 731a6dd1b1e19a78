import type { Block } from '../../../signaling/protocol/exchange/data-messages.ts';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';

/**
 * One round as the host keeps it: which device owes which gradients, as data. The invariant behind an exact merge: every pair of
 * sample and block is owed by exactly one order at a time, and is accepted exactly once. A device that leaves or is late loses
 * only the pairs that have not arrived; they go to others as new orders.
 */
export interface Order {
  readonly id: number;
  readonly device: string;
  /** Positions within the round's samples. */
  readonly start: number;
  readonly count: number;
  /** Layer indices from the embeddings, ascending. */
  readonly layers: readonly number[];
  readonly head: boolean;
  readonly microBatch: number;
  /** Its layers go forward again on the way back, for want of memory; absent where they need not. */
  readonly recompute?: boolean | undefined;
  /** Share of the device's link rate for its uploads. */
  readonly share: number;
}

/** A block's gradient, or the report at the end of an order; where the order has the head, that carries the loss of its samples. */
export type Due = Block | 'done';

export interface Owed {
  readonly order: Order;
  readonly missing: readonly Due[];
}

export interface RoundState {
  readonly round: number;
  readonly samples: number;
  readonly planVersion: number;
  readonly nextOrder: number;
  /** Orders with blocks still to come. */
  readonly owed: readonly Owed[];
  /** What came, with the order that it is counted for. */
  readonly accepted: readonly { readonly order: Order; readonly due: Due }[];
  readonly reassigned: number;
}

/** Head first, then from the last layer down: the order in which a backward pass makes them. */
export const dueOf = (order: Pick<Order, 'layers' | 'head'>): readonly Due[] => [
  ...(order.head ? ['head' as const] : []),
  ...[...order.layers].reverse(),
  'done',
];

/** Layers that the backward pass of an order goes through; 0 for the head alone. */
export const depthOf = (order: Pick<Order, 'layers'>, layerCount: number): number =>
  order.layers.length === 0 ? 0 : layerCount - Math.min(...order.layers);

export function startRound(round: number, samples: number, plan: RoomPlan, firstOrder: number): RoundState {
  const orders = plan.assignments
    .filter((a) => a.samples.count > 0 && (a.head || a.layers.length > 0))
    .map(
      (a, i): Order => ({
        id: firstOrder + i,
        device: a.device,
        start: a.samples.start,
        count: a.samples.count,
        layers: a.layers,
        head: a.head,
        microBatch: a.microBatch,
        recompute: a.recompute,
        share: a.share,
      }),
    );
  return {
    round,
    samples,
    planVersion: plan.version,
    nextOrder: firstOrder + orders.length,
    owed: orders.map((order) => ({ order, missing: dueOf(order) })),
    accepted: [],
    reassigned: 0,
  };
}

/**
 * The state after a gradient or a report came in, and the order it counts for; null when it counts for nothing: an order of another round or device,
 * or a pair that somebody else has been asked for since.
 */
export function receive(
  state: RoundState,
  device: string,
  orderId: number,
  due: Due,
): { readonly state: RoundState; readonly order: Order } | null {
  const owed = state.owed.find((o) => o.order.id === orderId && o.order.device === device);
  if (owed === undefined || !owed.missing.includes(due)) return null;
  const rest = { ...owed, missing: owed.missing.filter((d) => d !== due) };
  return {
    order: owed.order,
    state: {
      ...state,
      owed: state.owed.map((o) => (o === owed ? rest : o)).filter((o) => o.missing.length > 0),
      accepted: [...state.accepted, { order: owed.order, due }],
    },
  };
}

/** A device that may take over work: what an order would cost it, in seconds; `null` where it cannot hold it. */
export interface Candidate {
  readonly device: string;
  readonly cost: (
    samples: number,
    depth: number,
  ) => { readonly seconds: number; readonly microBatch: number; readonly recompute?: boolean } | null;
}

/**
 * Takes what the `gone` devices still owe and gives it to `candidates`, each order whole to the one that would be done first, counting
 * what it already owes. Returns the new orders. What nobody can take stays owed, to be tried again when somebody comes.
 */
export function reassign(
  state: RoundState,
  gone: ReadonlySet<string>,
  candidates: readonly Candidate[],
  layerCount: number,
): { readonly state: RoundState; readonly orders: readonly Order[] } {
  const able = [...candidates].sort((a, b) => (a.device < b.device ? -1 : 1));
  const busySeconds = new Map(able.map((c) => [c.device, 0]));
  for (const { order } of state.owed) {
    if (gone.has(order.device)) continue;
    const cost = able.find((c) => c.device === order.device)?.cost(order.count, depthOf(order, layerCount));
    if (cost) busySeconds.set(order.device, (busySeconds.get(order.device) ?? 0) + cost.seconds);
  }
  let { nextOrder, reassigned } = state;
  const orders: Order[] = [];
  const owed: Owed[] = [];
  for (const entry of state.owed) {
    if (!gone.has(entry.order.device)) {
      owed.push(entry);
      continue;
    }
    const layers = entry.missing.filter((d) => typeof d === 'number').sort((a, b) => a - b);
    const head = entry.order.head && (entry.missing.includes('head') || entry.missing.includes('done'));
    // All that is missing is a report that nobody needs.
    if (layers.length === 0 && !head) continue;
    const best = able
      .flatMap((c) => {
        const cost = c.cost(entry.order.count, depthOf({ layers }, layerCount));
        return cost === null
          ? []
          : [{ ...cost, device: c.device, finish: (busySeconds.get(c.device) ?? 0) + cost.seconds }];
      })
      .sort((a, b) => a.finish - b.finish)[0];
    if (best === undefined) {
      owed.push(entry);
      continue;
    }
    busySeconds.set(best.device, best.finish);
    const { device, microBatch, recompute } = best;
    const order: Order = { ...entry.order, id: nextOrder++, device, layers, head, microBatch, recompute, share: 1 };
    const missing: readonly Due[] = entry.missing.includes('done') ? entry.missing : [...entry.missing, 'done'];
    reassigned += entry.missing.filter((d) => d !== 'done').length;
    orders.push(order);
    owed.push({ order, missing });
  }
  return { state: { ...state, owed, nextOrder, reassigned }, orders };
}

/** Every pair is in: the host may merge. */
export const isComplete = (state: RoundState): boolean => state.owed.length === 0;

/** How far each device is, for people to watch. */
export function progress(
  state: RoundState,
): readonly { readonly device: string; readonly received: number; readonly expected: number }[] {
  const counts = new Map<string, { received: number; expected: number }>();
  const entry = (device: string): { received: number; expected: number } => {
    const known = counts.get(device) ?? { received: 0, expected: 0 };
    counts.set(device, known);
    return known;
  };
  for (const { order, due } of state.accepted) {
    if (due === 'done') continue;
    entry(order.device).received++;
    entry(order.device).expected++;
  }
  for (const { order, missing } of state.owed)
    entry(order.device).expected += missing.filter((d) => d !== 'done').length;
  return [...counts].map(([device, c]) => ({ device, ...c }));
}
