import { computeSeconds, largestMicroBatch, recomputes } from '../../../signaling/protocol/cost-model.ts';
import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import type { Block, OrderTag, Step } from '../../../signaling/protocol/round.ts';
import type { GradientPart } from '../../../worker/api/batch.ts';
import {
  type Candidate,
  isComplete,
  type Order,
  type Owed,
  owedUnder,
  type RoundState,
  reassign,
  receive,
  startRound,
  tagOf,
} from './round.ts';

/** A device is late when a round takes so many times its predicted seconds, and at least so long. */
const LATE_FACTOR = 4;
const LATE_AT_LEAST_MS = 15_000;
/** A device that failed more often in one round gets no work that failed elsewhere; with nobody else left, the round is given up. */
const MAX_FAILURES = 3;

/** How long a plan's work is waited for before any of it is given to others. */
export const patienceOf = ({ latencySeconds }: Pick<RoomPlan, 'latencySeconds'>): number =>
  Math.max(LATE_AT_LEAST_MS, LATE_FACTOR * 1000 * latencySeconds);

/** A device that has a link and could take work now. */
export interface AbleDevice {
  readonly device: string;
  readonly profile: Profile;
  /** It gets work only where nobody else can do it. */
  readonly onProbation?: boolean;
}

/** What came of one giving out of an order, for the round's report. */
export interface Timing {
  readonly order: Order;
  readonly computeSeconds: number | null;
  readonly doneMs: number;
  readonly lastPartMs: number;
  readonly uploadBits: number;
}

export interface RunningRound {
  readonly round: RoundState;
  readonly layers: number;
  readonly able: readonly AbleDevice[];
  /** How long the next deadline is away from the one before it. */
  readonly patienceMs: number;
  /** Of the latest giving out that will have had a whole deadline when the next one passes. */
  readonly patientEpoch: number;
  /** Devices that a deadline passed for. */
  readonly late: ReadonlySet<string>;
  /** By device. */
  readonly failures: ReadonlyMap<string, number>;
  /** Numbers of orders that were given out again because a gradient was not finite: once is enough to tell a broken GPU from a broken round. */
  readonly doubted: ReadonlySet<number>;
  readonly timings: readonly Timing[];
  readonly parts: readonly GradientPart[];
  /** By the numbers of orders that have the head: the sum over their samples. */
  readonly losses: ReadonlyMap<number, number>;
}

export type RoundEvent =
  /** Links went down, or who could take work changed. */
  | { readonly type: 'devices'; readonly lost: readonly string[]; readonly able: readonly AbleDevice[] }
  | {
      readonly type: 'gradient';
      readonly device: string;
      readonly tag: OrderTag;
      readonly block: Block;
      readonly gradient: Float32Array;
      /** That it took on its way. */
      readonly bits: number;
      readonly atMs: number;
    }
  | {
      readonly type: 'done';
      readonly device: string;
      readonly tag: OrderTag;
      readonly lossSum: number;
      readonly computeSeconds: number;
      readonly atMs: number;
    }
  | { readonly type: 'failed'; readonly device: string; readonly tag: OrderTag; readonly sentence: string }
  /** The deadline has passed. */
  | { readonly type: 'late' };

type Why =
  | 'lost its link'
  | 'is on probation'
  | 'is late'
  | 'failed'
  | 'tries again'
  | 'sent values that are not finite';

export type RoundEffect =
  | { readonly type: 'send'; readonly order: Order }
  | { readonly type: 'abandon'; readonly device: string; readonly tag: OrderTag }
  /** Sets the deadline, in place of the one before. */
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'moved'; readonly from: string; readonly to: string; readonly why: Why }
  | { readonly type: 'trouble'; readonly device: string; readonly sentence: string }
  /** What people watch has changed. */
  | { readonly type: 'activity' }
  | { readonly type: 'complete' }
  | { readonly type: 'give-up'; readonly device: string; readonly sentence: string };

type Stepped = ReturnType<Step<RunningRound, RoundEvent, RoundEffect>>;

export interface BeginRound {
  readonly term: number;
  readonly course?: number;
  readonly round: number;
  readonly samples: number;
  readonly plan: RoomPlan;
  readonly layers: number;
  /** Devices with a link, whether they could take more or not. */
  readonly linked: ReadonlySet<string>;
  readonly able: readonly AbleDevice[];
}

/** The first state of a round, and the orders that begin it. */
export function beginRound({ layers, linked, able, ...start }: BeginRound): Stepped {
  const round = startRound(start);
  const patienceMs = patienceOf(start.plan);
  const resting = new Set(able.filter(({ onProbation }) => onProbation).map(({ device }) => device));
  const takes = ({ device }: Order): boolean => linked.has(device) && !resting.has(device);
  const there = round.owed.filter(({ order }) => takes(order)).map(({ order }) => order);
  const state: RunningRound = {
    round: { ...round, owed: round.owed.map((o) => ({ ...o, lost: !takes(o.order) })) },
    layers,
    able,
    patienceMs,
    patientEpoch: round.epoch,
    late: new Set(),
    failures: new Map(),
    doubted: new Set(),
    timings: there.map(unseen),
    parts: [],
    losses: new Map(),
  };
  const begun: RoundEffect[] = there.map((order) => ({ type: 'send', order }));
  const spared = giveOut(state, ({ order }) => resting.has(order.device), able, 'is on probation');
  const settled = giveOut(spared.state, isLost, able, 'lost its link');
  return ended({
    state: { ...settled.state, patientEpoch: settled.state.round.epoch },
    effects: [...begun, ...spared.effects, ...settled.effects, { type: 'wait', ms: patienceMs }, { type: 'activity' }],
  });
}

/** One event of a round. Deterministic: the same state and event give the same orders in the same order. */
export const stepRound: Step<RunningRound, RoundEvent, RoundEffect> = (state, event) => {
  switch (event.type) {
    case 'devices': {
      const lost = new Set(event.lost);
      const owed = state.round.owed.map((o) => (lost.has(o.order.device) ? { ...o, lost: true } : o));
      const known = { ...state, able: event.able, round: { ...state.round, owed } };
      return ended(giveOut(known, isLost, event.able, 'lost its link'));
    }
    case 'gradient':
      return ended(allFinite(event.gradient) ? takeGradient(state, event) : takeDoubtful(state, event));
    case 'done':
      return ended(takeReport(state, event));
    case 'failed':
      return ended(takeFailure(state, event));
    case 'late':
      return ended(late(state));
    default:
      return event satisfies never;
  }
};

const isLost = ({ lost }: Owed): boolean => lost;

function takeGradient(state: RunningRound, event: Extract<RoundEvent, { type: 'gradient' }>): Stepped {
  const { device, tag, block, gradient, bits, atMs } = event;
  const taken = receive(state.round, device, tag, block);
  if (taken === null) return { state, effects: [] };
  const { order } = taken;
  return {
    state: {
      ...state,
      round: taken.state,
      parts: [...state.parts, { block, samples: order.samples, gradient }],
      timings: retimed(state, order, (timing) => ({
        lastPartMs: atMs,
        uploadBits: timing.uploadBits + bits,
      })),
    },
    effects: [{ type: 'activity' }],
  };
}

/** A gradient that is not finite is computed once more, elsewhere if anybody else can; what comes then counts, whatever it is. */
function takeDoubtful(before: RunningRound, event: Extract<RoundEvent, { type: 'gradient' }>): Stepped {
  const { device, tag, block } = event;
  const owed = owedUnder(before.round, device, tag);
  if (owed === undefined || !owed.missing.includes(block)) return { state: before, effects: [] };
  if (before.doubted.has(tag.order)) return takeGradient(before, event);
  const state = { ...before, doubted: new Set(before.doubted).add(tag.order) };
  const its = ({ order }: Owed): boolean => order.number === tag.order;
  const why = 'sent values that are not finite';
  const others = state.able.filter((a) => a.device !== device);
  const elsewhere = giveOut(state, its, others, why);
  const again = elsewhere.moved ? elsewhere : giveOut(state, its, state.able, why);
  return again.moved ? again : takeGradient(state, event);
}

function allFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

function takeReport(state: RunningRound, event: Extract<RoundEvent, { type: 'done' }>): Stepped {
  const { device, tag, lossSum, computeSeconds: seconds, atMs } = event;
  const taken = receive(state.round, device, tag, 'done');
  if (taken === null) return { state, effects: [] };
  const { order } = taken;
  return {
    state: {
      ...state,
      round: taken.state,
      losses: order.head ? new Map(state.losses).set(order.number, lossSum) : state.losses,
      timings: retimed(state, order, () => ({ computeSeconds: seconds, doneMs: atMs })),
    },
    effects: [],
  };
}

function takeFailure(before: RunningRound, event: Extract<RoundEvent, { type: 'failed' }>): Stepped {
  const { device, tag, sentence } = event;
  if (owedUnder(before.round, device, tag) === undefined) return { state: before, effects: [] };
  const count = (before.failures.get(device) ?? 0) + 1;
  const state = { ...before, failures: new Map(before.failures).set(device, count) };
  const told: RoundEffect = { type: 'trouble', device, sentence };
  const its = ({ order }: Owed): boolean => order.device === device;
  const others = state.able.filter((a) => a.device !== device && (state.failures.get(a.device) ?? 0) <= MAX_FAILURES);
  const elsewhere = giveOut(state, its, others, 'failed');
  if (elsewhere.moved) return { state: elsewhere.state, effects: [told, ...elsewhere.effects] };
  // Nobody else can: the same device tries again, a few times.
  if (count > MAX_FAILURES) return { state, effects: [told, { type: 'give-up', device, sentence }] };
  const itself = state.able.filter((a) => a.device === device);
  const again = giveOut(state, its, itself, 'tries again');
  return { state: again.state, effects: [told, ...again.effects] };
}

function late(before: RunningRound): Stepped {
  const lates = before.round.owed.filter(({ order, lost }) => !lost && order.epoch <= before.patientEpoch);
  const state = {
    ...before,
    patienceMs: 2 * before.patienceMs,
    late: new Set([...before.late, ...lates.map(({ order }) => order.device)]),
  };
  const wait: RoundEffect = { type: 'wait', ms: state.patienceMs };
  const owing = new Set(state.round.owed.map(({ order }) => order.device));
  const others = state.able.filter(({ device }) => !owing.has(device));
  const elsewhere = giveOut(state, () => true, others, 'is late');
  // Where nobody else can, the same device is asked again: its order may have been lost on the way.
  const given = elsewhere.moved ? elsewhere : giveOut(state, () => true, state.able, 'is late');
  return { state: { ...given.state, patientEpoch: given.state.round.epoch }, effects: [...given.effects, wait] };
}

/** Gives the orders that are `free` to those of `able` that would be done first, and tells those who had them. */
function giveOut(
  state: RunningRound,
  free: (owed: Owed) => boolean,
  able: readonly AbleDevice[],
  why: Why,
): Stepped & { readonly moved: boolean } {
  const trusted = able.filter(({ onProbation }) => !onProbation);
  const given = giveOutTo(state, free, trusted, why);
  if (trusted.length === able.length) return given;
  // Better somebody on probation than nobody.
  const gone = new Set(given.effects.flatMap((effect) => (effect.type === 'send' ? [effect.order.number] : [])));
  const others = giveOutTo(given.state, (owed) => free(owed) && !gone.has(owed.order.number), able, why);
  return {
    state: others.state,
    effects: [...given.effects, ...others.effects],
    moved: given.moved || others.moved,
  };
}

function giveOutTo(
  state: RunningRound,
  free: (owed: Owed) => boolean,
  able: readonly AbleDevice[],
  why: Why,
): Stepped & { readonly moved: boolean } {
  if (!state.round.owed.some(free)) return { state, effects: [], moved: false };
  const { state: round, given, dropped } = reassign(state.round, free, able.map(candidate(state.layers)), state.layers);
  const effects: RoundEffect[] = [...dropped, ...given.map(({ before }) => before)].map((order) => ({
    type: 'abandon',
    device: order.device,
    tag: tagOf(round, order),
  }));
  for (const { order, before } of given)
    effects.push({ type: 'moved', from: before.device, to: order.device, why }, { type: 'send', order });
  const timings = [...state.timings, ...given.map(({ order }) => unseen(order))];
  return { state: { ...state, round, timings }, effects, moved: given.length > 0 };
}

const candidate =
  (layers: number) =>
  ({ device, profile }: AbleDevice): Candidate => ({
    device,
    cost: (samples, depth) => {
      const microBatch = largestMicroBatch(profile, samples, depth);
      if (microBatch === 0) return null;
      const seconds = computeSeconds(profile, layers, samples, depth);
      return { seconds, microBatch, recompute: recomputes(profile, depth) };
    },
  });

const unseen = (order: Order): Timing => ({ order, computeSeconds: null, doneMs: 0, lastPartMs: 0, uploadBits: 0 });

function retimed(state: RunningRound, order: Order, change: (timing: Timing) => Partial<Timing>): readonly Timing[] {
  return state.timings.map((timing) =>
    timing.order.number === order.number && timing.order.epoch === order.epoch
      ? { ...timing, ...change(timing) }
      : timing,
  );
}

/** A round with nothing left to wait for is complete, whatever made it so. */
function ended({ state, effects }: Stepped): Stepped {
  return isComplete(state.round) ? { state, effects: [...effects, { type: 'complete' }] } : { state, effects };
}
