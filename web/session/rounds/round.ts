import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import { type Block, firstEpoch, type OrderTag, type Work } from '../../../signaling/protocol/round.ts';
import type { Stage } from '../../../signaling/protocol/split.ts';

/**
 * One round as the host keeps it: which device owes which gradients, as data. The invariant behind an exact merge: every pair of
 * sample and block is owed by exactly one order at a time, and is accepted exactly once. A device that leaves or is late loses
 * only the pairs that have not arrived; the order goes on with those elsewhere, in a later epoch.
 */
export interface Order extends Work {
  readonly number: number;
  readonly epoch: number;
  readonly device: string;
  /** Share of the device's link rate for its uploads. */
  readonly share: number;
  /** Where the model is split: the order's place in a pipeline. Such an order goes to another device whole or not at all. */
  readonly stage?: Stage | undefined;
}

/** A part: a block's gradient, or the report at the end of an order; where the order has the head, that carries the loss of its samples. */
export type Due = Block | 'done';

export interface Owed {
  readonly order: Order;
  readonly missing: readonly Due[];
  /** Its device's link went down with it: it has to be given out again, also when the device comes back. */
  readonly lost: boolean;
}

export interface RoundState {
  readonly term: number;
  readonly round: number;
  readonly samples: number;
  readonly planVersion: number;
  /** Of the latest giving out; the course's first one is the plan's. */
  readonly epoch: number;
  /** Orders with parts still to come. */
  readonly owed: readonly Owed[];
  /** What came, with the order that it is counted for. */
  readonly accepted: readonly { readonly order: Order; readonly due: Due }[];
  readonly reassigned: number;
}

/** Head first, then from the last layer down: the order in which a backward pass makes them. */
export const dueOf = (work: Pick<Work, 'layers' | 'head'>): readonly Due[] => [
  ...(work.head ? ['head' as const] : []),
  ...[...work.layers].reverse(),
  'done',
];

/** Layers that the backward pass of an order goes through; 0 for the head alone. */
export const depthOf = (work: Pick<Work, 'layers'>, layerCount: number): number =>
  work.layers.length === 0 ? 0 : layerCount - Math.min(...work.layers);

export const tagOf = ({ term, round }: Pick<RoundState, 'term' | 'round'>, order: Order): OrderTag => ({
  term,
  round,
  order: order.number,
  epoch: order.epoch,
});

export interface RoundStart {
  readonly term: number;
  readonly round: number;
  readonly samples: number;
  readonly plan: Pick<RoomPlan, 'version' | 'assignments'>;
  /** How often rounds were undone; 0 unless it is said. */
  readonly course?: number;
  /** The last epoch of the same round, where it was begun before and came to nothing. */
  readonly after?: number | undefined;
}

export function startRound({ term, round, samples, plan, course = 0, after = 0 }: RoundStart): RoundState {
  const epoch = Math.max(firstEpoch(course), after + 1);
  const orders = plan.assignments
    // A stage that trains nothing passes hidden states on all the same.
    .filter((a) => a.samples.count > 0 && (a.head || a.layers.length > 0 || a.stage !== undefined))
    .map(
      ({ device, layers, head, samples: range, microBatch, recompute, share, stage }, i): Order => ({
        number: i + 1,
        epoch,
        device,
        layers,
        head,
        samples: range,
        microBatch,
        recompute,
        share,
        ...(stage && { stage }),
      }),
    );
  return {
    term,
    round,
    samples,
    planVersion: plan.version,
    epoch,
    owed: orders.map((order) => ({ order, missing: dueOf(order), lost: false })),
    accepted: [],
    reassigned: 0,
  };
}

/** What `device` still owes under exactly this tag; undefined when it owes nothing, or it belongs to an earlier epoch, round or term. */
export function owedUnder(state: RoundState, device: string, tag: OrderTag): Owed | undefined {
  if (tag.term !== state.term || tag.round !== state.round) return undefined;
  return state.owed.find(
    ({ order }) => order.number === tag.order && order.epoch === tag.epoch && order.device === device,
  );
}

/** The state after a part came in, and the order it counts for; null when it counts for nothing. */
export function receive(
  state: RoundState,
  device: string,
  tag: OrderTag,
  due: Due,
): { readonly state: RoundState; readonly order: Order } | null {
  const owed = owedUnder(state, device, tag);
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

export interface Reassigned {
  readonly state: RoundState;
  /** Orders that changed hands, or were given to the same device once more, in their new epoch. */
  readonly given: readonly { readonly order: Order; readonly before: Order }[];
  /** Orders of which only a report was missing that nobody needs. */
  readonly dropped: readonly Order[];
}

/**
 * Takes the orders that are `free` and gives what is missing of each, whole, to the candidate that would be done first, counting what it
 * already owes. What nobody can take stays as it is, to be tried again when somebody comes.
 */
export function reassign(
  state: RoundState,
  free: (owed: Owed) => boolean,
  candidates: readonly Candidate[],
  layerCount: number,
): Reassigned {
  const able = [...candidates].sort((a, b) => (a.device < b.device ? -1 : 1));
  const busySeconds = new Map(able.map((c) => [c.device, 0]));
  for (const entry of state.owed) {
    const { order } = entry;
    if (free(entry)) continue;
    const cost = able.find((c) => c.device === order.device)?.cost(order.samples.count, depthOf(order, layerCount));
    if (cost) busySeconds.set(order.device, (busySeconds.get(order.device) ?? 0) + cost.seconds);
  }
  const epoch = state.epoch + 1;
  const given: { order: Order; before: Order }[] = [];
  const dropped: Order[] = [];
  let { reassigned } = state;
  const owed: Owed[] = [];
  for (const entry of state.owed) {
    if (!free(entry)) {
      owed.push(entry);
      continue;
    }
    const before = entry.order;
    const layers = entry.missing.filter((d) => typeof d === 'number').sort((a, b) => a - b);
    const head = before.head && (entry.missing.includes('head') || entry.missing.includes('done'));
    if (layers.length === 0 && !head) {
      dropped.push(before);
      continue;
    }
    const best = able
      .flatMap((c) => {
        const cost = c.cost(before.samples.count, depthOf({ layers }, layerCount));
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
    const order: Order = { ...before, epoch, device, layers, head, microBatch, recompute, share: 1 };
    const missing: readonly Due[] = entry.missing.includes('done') ? entry.missing : [...entry.missing, 'done'];
    reassigned += entry.missing.filter((d) => d !== 'done').length;
    given.push({ order, before });
    owed.push({ order, missing, lost: false });
  }
  return { state: { ...state, owed, reassigned, epoch: given.length > 0 ? epoch : state.epoch }, given, dropped };
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
