import type { RoomPlan } from '../../../../signaling/protocol/plan.ts';
import type { Block, OrderTag, Step } from '../../../../signaling/protocol/round.ts';
import type { GradientPart } from '../../../../worker/api/batch.ts';
import { isComplete, type Order, owedUnder, type RoundState, receive, startRound, tagOf } from '../round.ts';
import { waitsForNobody } from './passes.ts';
import { type Places, placesOf, replaced, settled, stageOf } from './places.ts';

/** A stage is late when its part takes so many times what the schedule foresees, and at least so long. */
const LATE_FACTOR = 4;
const LATE_AT_LEAST_MS = 15_000;
/** A stage that failed more often in one round is not asked again; with nobody else, the round is given up. */
const MAX_FAILURES = 3;

/** A device that the plan gives nothing to and that could take a stage over. */
export interface Spare {
  readonly device: string;
  /** Seconds until it could begin, by number of the order: 0 where it holds the run; no entry where it cannot hold it. */
  readonly readyIn: ReadonlyMap<number, number>;
}

/** A pass that ended, as its stage says. */
export interface Passed {
  readonly microBatch: number;
  readonly direction: 'up' | 'down';
  readonly sinceSeconds: number;
  readonly seconds: number;
}

/** What came of one giving out of a stage. */
export interface StageTiming {
  readonly order: Order;
  readonly computeSeconds: number | null;
  readonly doneMs: number;
  readonly lastPartMs: number;
  readonly uploadBits: number;
}

export interface SplitRound {
  readonly round: RoundState;
  /** The latest giving out of every stage, whether it is done or not. */
  readonly places: Places;
  readonly spares: readonly Spare[];
  /** Until when each order is waited for before its device counts as late, by number. */
  readonly untilMs: ReadonlyMap<number, number>;
  /** Seconds by number of the order after which the host has all of it, by the schedule. */
  readonly finishSeconds: ReadonlyMap<number, number>;
  /** By number and epoch (`givenOf`). */
  readonly passes: ReadonlyMap<string, readonly Passed[]>;
  readonly late: ReadonlySet<string>;
  readonly failures: ReadonlyMap<string, number>;
  readonly doubted: ReadonlySet<number>;
  readonly timings: readonly StageTiming[];
  readonly parts: readonly GradientPart[];
  readonly lossSum: number;
  /** Whether no device can do what is owed: the room has to be laid out anew. */
  readonly isOver: boolean;
}

interface From {
  readonly device: string;
  readonly tag: OrderTag;
  readonly atMs: number;
}

export type SplitEvent =
  | {
      readonly type: 'devices';
      readonly lost: readonly string[];
      readonly spares: readonly Spare[];
      readonly atMs: number;
    }
  | ({ readonly type: 'gradient'; readonly block: Block; readonly gradient: Float32Array } & From)
  | ({ readonly type: 'done'; readonly lossSum: number; readonly computeSeconds: number } & From)
  | ({ readonly type: 'passed'; readonly passes: readonly Passed[] } & From)
  | ({ readonly type: 'failed'; readonly sentence: string } & From)
  /** About once a second. */
  | { readonly type: 'tick'; readonly atMs: number };

type Why = 'lost its link' | 'is late' | 'failed' | 'tries again' | 'sent values that are not finite';

export type SplitEffect =
  | { readonly type: 'send'; readonly order: Order }
  /** The stage below or above the order's is another device now, or the same one in another epoch. */
  | { readonly type: 'rewire'; readonly order: Order; readonly side: 'below' | 'above'; readonly to: Order }
  | { readonly type: 'abandon'; readonly device: string; readonly tag: OrderTag }
  | { readonly type: 'moved'; readonly from: string; readonly to: string; readonly why: Why }
  | { readonly type: 'trouble'; readonly device: string; readonly sentence: string }
  | { readonly type: 'activity' }
  | { readonly type: 'complete' }
  /** Nobody who is free can do this stage. Nothing was merged: the round is done again when the room has another layout. */
  | { readonly type: 'interrupted'; readonly order: Order; readonly why: Why }
  | { readonly type: 'give-up'; readonly device: string; readonly sentence: string };

type Stepped = ReturnType<Step<SplitRound, SplitEvent, SplitEffect>>;

export interface BeginSplitRound {
  readonly term: number;
  readonly course?: number;
  /** The last epoch of the same round, where it was interrupted before. */
  readonly after?: number | undefined;
  readonly round: number;
  readonly samples: number;
  readonly plan: RoomPlan;
  readonly spares: readonly Spare[];
  /** In the order of the plan's assignments. */
  readonly finishSeconds: readonly number[];
  readonly atMs: number;
}

/** The first state of a round of a split room, and the orders that begin it. All stages are there and hold their runs. */
export function beginSplitRound({ spares, finishSeconds, atMs, ...start }: BeginSplitRound): Stepped {
  const round = startRound(start);
  const orders = round.owed.map(({ order }) => order);
  const state: SplitRound = {
    round,
    places: placesOf(orders),
    spares,
    untilMs: new Map(),
    finishSeconds: new Map(orders.map(({ number }, i) => [number, finishSeconds[i] ?? start.plan.latencySeconds])),
    passes: new Map(),
    late: new Set(),
    failures: new Map(),
    doubted: new Set(),
    timings: orders.map(unseen),
    parts: [],
    lossSum: 0,
    isOver: false,
  };
  const effects = orders.map((order): SplitEffect => ({ type: 'send', order }));
  return ended({ state: patient(state, orders, 0, atMs), effects: [...effects, { type: 'activity' }] });
}

/** One event of a round of a split room. Deterministic. */
export const stepSplitRound: Step<SplitRound, SplitEvent, SplitEffect> = (state, event) => {
  if (state.isOver) return { state, effects: [] };
  switch (event.type) {
    case 'devices':
      return ended(lost({ ...state, spares: event.spares }, new Set(event.lost), event.atMs));
    case 'gradient':
      return ended(takeGradient(state, event));
    case 'done':
      return ended(takeReport(state, event));
    case 'passed':
      return { state: takePasses(state, event), effects: [] };
    case 'failed':
      return ended(takeFailure(state, event));
    case 'tick':
      return ended(late(state, event.atMs));
    default:
      return event satisfies never;
  }
};

/** One giving out of one order. */
export const givenOf = ({ number, epoch }: Pick<Order, 'number' | 'epoch'>): string => `${number}.${epoch}`;

const unseen = (order: Order): StageTiming => ({
  order,
  computeSeconds: null,
  doneMs: 0,
  lastPartMs: 0,
  uploadBits: 0,
});

/** Waits for these orders from now on, so many seconds more than the schedule foresees. */
function patient(state: SplitRound, orders: readonly Order[], extraSeconds: number, atMs: number): SplitRound {
  const untilMs = new Map(state.untilMs);
  for (const { number } of orders) {
    const seconds = (state.finishSeconds.get(number) ?? 0) + extraSeconds;
    untilMs.set(number, atMs + Math.max(LATE_AT_LEAST_MS, LATE_FACTOR * 1000 * seconds));
  }
  return { ...state, untilMs };
}

function retimed(
  state: SplitRound,
  order: Order,
  change: (timing: StageTiming) => Partial<StageTiming>,
): readonly StageTiming[] {
  const given = givenOf(order);
  return state.timings.map((timing) => (givenOf(timing.order) === given ? { ...timing, ...change(timing) } : timing));
}

function takeGradient(before: SplitRound, event: Extract<SplitEvent, { type: 'gradient' }>): Stepped {
  const { device, tag, block, gradient, atMs } = event;
  const owed = owedUnder(before.round, device, tag);
  if (owed === undefined || !owed.missing.includes(block)) return { state: before, effects: [] };
  if (!before.doubted.has(tag.order) && !allFinite(gradient)) {
    // It is computed once more, elsewhere if anybody else can; what comes then counts, whatever it is.
    const state = { ...before, doubted: new Set(before.doubted).add(tag.order) };
    return moved(state, owed.order, { why: 'sent values that are not finite', atMs, itself: true });
  }
  const taken = receive(before.round, device, tag, block);
  if (taken === null) return { state: before, effects: [] };
  const { order } = taken;
  const state: SplitRound = {
    ...before,
    round: taken.state,
    parts: [...before.parts, { block, samples: order.samples, gradient }],
    timings: retimed(before, order, ({ uploadBits }) => ({
      lastPartMs: atMs,
      uploadBits: uploadBits + 32 * gradient.length,
    })),
  };
  return { state, effects: [{ type: 'activity' }] };
}

function allFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

function takeReport(before: SplitRound, event: Extract<SplitEvent, { type: 'done' }>): Stepped {
  const { device, tag, lossSum, computeSeconds, atMs } = event;
  const taken = receive(before.round, device, tag, 'done');
  if (taken === null) return { state: before, effects: [] };
  const { order } = taken;
  const state: SplitRound = {
    ...before,
    round: taken.state,
    // A stage that did its part twice has its loss in the first report.
    lossSum: before.lossSum + (order.head && !wasDone(before.round, order) ? lossSum : 0),
    timings: retimed(before, order, () => ({ computeSeconds, doneMs: atMs })),
  };
  return { state, effects: [] };
}

const wasDone = (round: RoundState, { number }: Order): boolean =>
  round.accepted.some(({ order, due }) => order.number === number && due === 'done');

function takePasses(state: SplitRound, { device, tag, passes }: Extract<SplitEvent, { type: 'passed' }>): SplitRound {
  const { round } = state;
  const order = state.places.find(({ number }) => number === tag.order);
  const current = order?.device === device && order.epoch === tag.epoch;
  if (!current || tag.term !== round.term || tag.round !== round.round) return state;
  const given = givenOf(order);
  const known = state.passes.get(given) ?? [];
  const room = 2 * (stageOf(order).microBatches - known.length / 2);
  return { ...state, passes: new Map(state.passes).set(given, [...known, ...passes.slice(0, Math.max(0, room))]) };
}

function takeFailure(before: SplitRound, event: Extract<SplitEvent, { type: 'failed' }>): Stepped {
  const { device, tag, sentence, atMs } = event;
  const owed = owedUnder(before.round, device, tag);
  if (owed === undefined) return { state: before, effects: [] };
  const count = (before.failures.get(device) ?? 0) + 1;
  const state = { ...before, failures: new Map(before.failures).set(device, count) };
  const told: SplitEffect = { type: 'trouble', device, sentence };
  if (count > MAX_FAILURES && spareFor(state, owed.order) === null)
    return { state: { ...state, isOver: true }, effects: [told, { type: 'give-up', device, sentence }] };
  const again = moved(state, owed.order, { why: 'failed', atMs, itself: true });
  return { state: again.state, effects: [told, ...again.effects] };
}

/** Stages of devices that are gone are done again where others still need them. */
function lost(before: SplitRound, gone: ReadonlySet<string>, atMs: number): Stepped {
  let stepped: Stepped = { state: before, effects: [] };
  for (const { number } of before.places) {
    const { state } = stepped;
    const order = state.places.find((place) => place.number === number);
    if (order === undefined || !gone.has(order.device) || state.isOver) continue;
    if (settled(state.round, state.places, order)) continue;
    const next = moved(state, order, { why: 'lost its link', atMs, itself: false });
    stepped = { state: next.state, effects: [...stepped.effects, ...next.effects] };
  }
  return stepped;
}

/** Of those that are waited for too long, the one that itself waits for nobody is late. */
function late(before: SplitRound, atMs: number): Stepped {
  const overdue = before.round.owed
    .map(({ order }) => order)
    .filter(({ number }) => atMs > (before.untilMs.get(number) ?? Number.POSITIVE_INFINITY));
  if (overdue.length === 0) return { state: before, effects: [] };
  const others = before.round.owed.map(({ order }) => order).filter((order) => !overdue.includes(order));
  // Its own time may not be over; the others' is, and they can do nothing about it.
  const culprit = [...overdue, ...others].find((one) => waitsForNobody(before.places, before.passes, one));
  const order = culprit ?? overdue[0]!;
  const state = patient({ ...before, late: new Set(before.late).add(order.device) }, overdue, 0, atMs);
  return moved(state, order, { why: 'is late', atMs, itself: true });
}

interface Reason {
  readonly why: Why;
  readonly atMs: number;
  /** Whether its device may try again where nobody else can. */
  readonly itself: boolean;
}

function spareFor(state: SplitRound, order: Order): { readonly device: string; readonly seconds: number } | null {
  const placed = new Set(state.places.map(({ device }) => device));
  const able = state.spares
    .filter(({ device }) => !placed.has(device) && (state.failures.get(device) ?? 0) <= MAX_FAILURES)
    .flatMap(({ device, readyIn }) => {
      const seconds = readyIn.get(order.number);
      return seconds === undefined ? [] : [{ device, seconds }];
    })
    .sort((a, b) => a.seconds - b.seconds || (a.device < b.device ? -1 : 1));
  return able[0] ?? null;
}

/** Gives a stage to a spare, or to its own device once more; what its neighbours have of this round they keep. */
function moved(before: SplitRound, order: Order, { why, atMs, itself }: Reason): Stepped {
  const spare = spareFor(before, order) ?? (itself ? { device: order.device, seconds: 0 } : null);
  if (spare === null)
    return {
      state: { ...before, isOver: true },
      effects: [
        ...before.places.map((place): SplitEffect => abandoned(before, place)),
        { type: 'interrupted', order, why },
      ],
    };
  const { round, places, given } = replaced(before.round, before.places, order, spare.device);
  const neighbours = places.filter(
    (place) =>
      stageOf(place).pipeline === stageOf(given).pipeline &&
      Math.abs(stageOf(place).index - stageOf(given).index) === 1,
  );
  const state = patient(
    { ...before, round, places, timings: [...before.timings, unseen(given)] },
    // Whatever waits for it waits longer now.
    places.filter((place) => stageOf(place).pipeline === stageOf(given).pipeline),
    spare.seconds,
    atMs,
  );
  return {
    state,
    effects: [
      abandoned(before, order),
      { type: 'moved', from: order.device, to: given.device, why },
      { type: 'send', order: given },
      ...neighbours.map(
        (place): SplitEffect => ({
          type: 'rewire',
          order: place,
          side: stageOf(place).index < stageOf(given).index ? 'above' : 'below',
          to: given,
        }),
      ),
    ],
  };
}

const abandoned = (state: SplitRound, order: Order): SplitEffect => ({
  type: 'abandon',
  device: order.device,
  tag: tagOf(state.round, order),
});

function ended({ state, effects }: Stepped): Stepped {
  if (state.isOver || !isComplete(state.round)) return { state, effects };
  return { state: { ...state, isOver: true }, effects: [...effects, { type: 'complete' }] };
}
