import type { RoomPlan } from '../../../../signaling/protocol/plan.ts';
import type { Step } from '../../../../signaling/protocol/round.ts';
import { isComplete, type Order, owedUnder, receive, startRound, tagOf } from '../round.ts';
import { waitsForNobody } from './passes.ts';
import { neighbourOf, placesOf, replaced, settled, stageOf } from './places.ts';
import type { Spare, SplitEffect, SplitEvent, SplitRound, StageTiming, Stepped, Why } from './split-round.ts';

/** A stage is late when its part takes so many times what the schedule foresees, and at least so long. */
const LATE_FACTOR = 4;
const LATE_AT_LEAST_MS = 15_000;
/** A stage that failed more often in one round is not asked again; with nobody else, the round is given up. */
const MAX_FAILURES = 3;

/** Of one device in a round: its own, and one that it took over. */
const MAX_STAGES = 2;

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
    losses: new Map(),
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
  cuts: null,
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
  const { device, tag, block, gradient, bits, atMs } = event;
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
    parts: [...before.parts, { order: order.number, block, samples: order.samples, gradient }],
    timings: retimed(before, order, ({ uploadBits }) => ({
      lastPartMs: atMs,
      uploadBits: uploadBits + bits,
    })),
  };
  return { state, effects: [{ type: 'activity' }] };
}

function allFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

function takeReport(before: SplitRound, event: Extract<SplitEvent, { type: 'done' }>): Stepped {
  const { device, tag, lossSum, computeSeconds, cuts = null, atMs } = event;
  const taken = receive(before.round, device, tag, 'done');
  if (taken === null) return { state: before, effects: [] };
  const { order } = taken;
  const state: SplitRound = {
    ...before,
    round: taken.state,
    losses: order.head ? new Map(before.losses).set(order.number, lossSum) : before.losses,
    timings: retimed(before, order, () => ({ computeSeconds, cuts, doneMs: atMs })),
  };
  return { state, effects: [] };
}

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

/** Those without a stage of this round come first, then who is beside the stage, then who would be ready first. */
function spareFor(state: SplitRound, order: Order): { readonly device: string; readonly seconds: number } | null {
  const { places } = state;
  const beside = new Set(
    (['below', 'above'] as const).flatMap((side) => neighbourOf(places, order, side)?.device ?? []),
  );
  const able = state.spares
    .flatMap(({ device, readyIn }) => {
      const seconds = readyIn.get(order.number);
      const stages = places.filter((place) => place.device === device).length;
      const isAble =
        device !== order.device && stages < MAX_STAGES && (state.failures.get(device) ?? 0) <= MAX_FAILURES;
      return seconds === undefined || !isAble ? [] : [{ device, seconds, stages }];
    })
    .sort(
      (a, b) =>
        a.stages - b.stages ||
        (a.stages > 0 ? Number(beside.has(b.device)) - Number(beside.has(a.device)) : 0) ||
        a.seconds - b.seconds ||
        (a.device < b.device ? -1 : 1),
    );
  return able[0] ?? null;
}

/**
 * Gives a stage to a spare, or to its own device once more; what its neighbours have of this round they keep. What it had given itself counts
 * no more: the whole comes again, from one device.
 */
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
    {
      ...before,
      ...{ round, places, timings: [...before.timings, unseen(given)] },
      parts: before.parts.filter((part) => part.order !== order.number),
      losses: new Map([...before.losses].filter(([number]) => number !== order.number)),
    },
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
