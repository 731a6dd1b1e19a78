import { largestMicroBatch, recomputes } from '../../../signaling/protocol/cost-model.ts';
import type { Measured } from '../../../signaling/protocol/messages.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import type { Probation } from '../../../signaling/protocol/room-view.ts';
import { firstEpoch, type OrderTag, type Step, type Work } from '../../../signaling/protocol/round.ts';
import { type Due, depthOf, dueOf } from './round.ts';

/**
 * Which devices deliver what they were given, as data. One that did not, twice in a row, is on probation: no work that others wait for. Now
 * and then it gets a copy of a little work instead, a trial, whose result nobody waits for or uses; when it delivers one in time it is
 * back. The pauses between trials double, and who lapses again soon after is back on probation at once, so that whoever only pretends
 * costs a room ever less. Nothing here changes what is computed: the orders of a device on probation go to others before a round begins.
 */

/** Lapses in a row that end in probation. */
const LAPSES = 2;
/** Rounds from the beginning of probation to the first trial; doubled with every pause. */
const FIRST_PAUSE_ROUNDS = 1;
const MAX_PAUSE_ROUNDS = 512;
/** However long rounds are, a device that is there may try again after this. */
const MAX_PAUSE_MS = 300_000;
/** Rounds delivered in a row after which earlier probation is forgotten. */
const FORGIVEN_AFTER = 20;
/** Of a trial, which goes as deep as the device's memory allows. */
const TRIAL_SAMPLES = 2;
/** Trials under way at once: each takes some of the host's link. */
const MAX_TRIALS = 4;
/** Devices whose conduct is remembered, those that left included: the oldest that is gone makes room. */
const MAX_REMEMBERED = 256;

export interface Trial {
  readonly tag: OrderTag;
  readonly work: Work;
  readonly missing: readonly Due[];
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly computeSeconds: number | null;
  readonly failed: boolean;
}

export interface Conduct {
  /** Lapses in a row, counted apart: who answers for the dev set alone does not train. */
  readonly lapses: { readonly round: number; readonly evaluation: number };
  /** Rounds delivered in a row. */
  readonly delivered: number;
  /** Of the next pause. */
  readonly pauseRounds: number;
  readonly probation: (Probation & { readonly sinceMs: number }) | null;
  readonly trial: Trial | null;
  /** Whether it ever delivered anything. */
  readonly proven: boolean;
}

export type ConductState = ReadonlyMap<string, Conduct>;

export const NO_CONDUCT: ConductState = new Map();

/** A device that is ready and has a link. */
export interface Present {
  readonly device: string;
  readonly profile: Profile;
  /** Whether the plan has work for it. */
  readonly planned: boolean;
}

export type ConductEvent =
  /** A round or an evaluation is over: who was late or failed, and who delivered. */
  | {
      readonly type: 'outcome';
      readonly of: 'round' | 'evaluation';
      readonly round: number;
      readonly atMs: number;
      readonly late: readonly string[];
      readonly failed: readonly string[];
      readonly delivered: readonly string[];
    }
  /** A round begins; `orders` is how many the plan has, whose numbers are taken. */
  | {
      readonly type: 'round';
      readonly term: number;
      readonly course: number;
      readonly round: number;
      readonly samples: number;
      readonly layers: number;
      /** Those with adapters, ascending. */
      readonly trained: readonly number[];
      readonly orders: number;
      readonly maxOrders: number;
      readonly patienceMs: number;
      readonly present: readonly Present[];
      readonly atMs: number;
    }
  | {
      readonly type: 'part';
      readonly device: string;
      readonly tag: OrderTag;
      readonly due: Due;
      readonly computeSeconds: number | null;
      readonly layers: number;
      readonly atMs: number;
    }
  /** A round of a split room begins: there is no trial of a stage, so that a pause ends in a place like any other. */
  | { readonly type: 'split-round'; readonly round: number; readonly atMs: number }
  | { readonly type: 'failed'; readonly device: string; readonly tag: OrderTag }
  | { readonly type: 'gone'; readonly device: string };

export type ConductEffect =
  | { readonly type: 'try'; readonly device: string; readonly trial: Trial }
  | { readonly type: 'abandon'; readonly device: string; readonly tag: OrderTag }
  /** The room is told. */
  | {
      readonly type: 'standing';
      readonly device: string;
      readonly probation: Probation | null;
      /** Whether it was on probation before. */
      readonly was: boolean;
      readonly measured: Measured | null;
    };

const NEW: Conduct = {
  lapses: { round: 0, evaluation: 0 },
  delivered: 0,
  pauseRounds: FIRST_PAUSE_ROUNDS,
  probation: null,
  trial: null,
  proven: false,
};

export const isOnProbation = (state: ConductState, device: string): boolean =>
  (state.get(device)?.probation ?? null) !== null;

/** What everybody may see of it. */
export function probationOf(state: ConductState, device: string): Probation | null {
  const probation = state.get(device)?.probation ?? null;
  return probation === null ? null : { why: probation.why, since: probation.since, next: probation.next };
}

export const stepConduct: Step<ConductState, ConductEvent, ConductEffect> = (state, event) => {
  switch (event.type) {
    case 'outcome':
      return outcome(state, event);
    case 'round':
      return beginRound(state, event);
    case 'split-round':
      return unpaused(state, event);
    case 'part':
      return part(state, event);
    case 'failed': {
      const conduct = state.get(event.device);
      if (!conduct?.trial || !isTag(conduct.trial.tag, event.tag)) return same(state);
      // Over with the next round.
      return same(
        put(state, event.device, { ...conduct, trial: { ...conduct.trial, untilMs: -Infinity, failed: true } }),
      );
    }
    case 'gone': {
      const conduct = state.get(event.device);
      return conduct?.trial
        ? { state: put(state, event.device, { ...conduct, trial: null }), effects: [] }
        : same(state);
    }
    default:
      return event satisfies never;
  }
};

const same = (state: ConductState) => ({ state, effects: [] });

function put(state: ConductState, device: string, conduct: Conduct): ConductState {
  const next = new Map(state);
  next.delete(device);
  next.set(device, conduct);
  return next;
}

function outcome(before: ConductState, event: Extract<ConductEvent, { type: 'outcome' }>) {
  const { of, round, late, failed, delivered, atMs } = event;
  const lapsed = new Map<string, Probation['why']>([
    ...failed.filter((device) => !delivered.includes(device)).map((device) => [device, 'failed'] as const),
    ...late.map((device) => [device, 'late'] as const),
  ]);
  // Where nobody was in time, what was expected is at fault.
  if (!delivered.some((device) => !lapsed.has(device))) return same(before);
  const effects: ConductEffect[] = [];
  let state = before;
  for (const device of delivered) {
    if (lapsed.has(device)) continue;
    const conduct = state.get(device) ?? NEW;
    if (conduct.probation !== null) continue;
    const count = of === 'round' ? conduct.delivered + 1 : conduct.delivered;
    state = put(state, device, {
      ...conduct,
      lapses: { ...conduct.lapses, [of]: 0 },
      delivered: count,
      pauseRounds: count >= FORGIVEN_AFTER ? FIRST_PAUSE_ROUNDS : conduct.pauseRounds,
      proven: conduct.proven || of === 'round',
    });
  }
  for (const [device, why] of lapsed) {
    const conduct = state.get(device) ?? NEW;
    if (conduct.probation !== null) continue;
    const lapses = { ...conduct.lapses, [of]: conduct.lapses[of] + 1 };
    const again = conduct.pauseRounds > FIRST_PAUSE_ROUNDS;
    if (lapses[of] < LAPSES && !again) {
      state = put(state, device, { ...conduct, lapses, delivered: 0 });
      continue;
    }
    state = paused(state, device, { ...conduct, lapses, delivered: 0, trial: null }, why, round, round, atMs);
    effects.push({ type: 'standing', device, probation: probationOf(state, device), was: false, measured: null });
  }
  return { state, effects };
}

/** On probation, for one more pause; the next one is twice as long. */
function paused(
  state: ConductState,
  device: string,
  conduct: Conduct,
  why: Probation['why'],
  since: number,
  round: number,
  atMs: number,
): ConductState {
  const { pauseRounds } = conduct;
  const probation = { why, since, next: round + pauseRounds, sinceMs: atMs };
  return put(state, device, { ...conduct, probation, pauseRounds: Math.min(MAX_PAUSE_ROUNDS, 2 * pauseRounds) });
}

const isOver = ({ next, sinceMs }: Probation & { readonly sinceMs: number }, round: number, atMs: number): boolean =>
  round >= next || atMs - sinceMs >= MAX_PAUSE_MS;

/** Those whose pauses are over are back; who lapses again goes on where the pauses were. */
function unpaused(before: ConductState, { round, atMs }: Extract<ConductEvent, { type: 'split-round' }>) {
  let state = before;
  const effects: ConductEffect[] = [];
  for (const [device, conduct] of before) {
    // A plan without it has one round at least.
    if (conduct.probation === null || !isOver(conduct.probation, round - 1, atMs)) continue;
    state = put(state, device, { ...conduct, lapses: NEW.lapses, delivered: 0, probation: null, trial: null });
    effects.push({ type: 'standing', device, probation: null, was: true, measured: null });
  }
  return { state, effects };
}

function beginRound(before: ConductState, event: Extract<ConductEvent, { type: 'round' }>) {
  const { round, atMs, present, orders, maxOrders, term, patienceMs } = event;
  const effects: ConductEffect[] = [];
  const there = new Set(present.map(({ device }) => device));
  let state = forgotten(before, there);
  for (const [device, conduct] of before) {
    const { trial, probation } = conduct;
    if (trial === null || atMs <= trial.untilMs) continue;
    const why = trial.failed ? 'failed' : 'late';
    state = paused(state, device, { ...conduct, trial: null }, why, probation?.since ?? round, round, atMs);
    effects.push({ type: 'abandon', device, tag: trial.tag });
    const was = probation !== null;
    effects.push({ type: 'standing', device, probation: probationOf(state, device), was, measured: null });
  }
  let under = [...state.values()].filter(({ trial }) => trial !== null).length;
  let number = orders;
  for (const { device, profile, planned } of present) {
    const conduct = state.get(device) ?? NEW;
    const { probation } = conduct;
    const due =
      probation === null
        ? // Nobody knows how fast it really is, and this plan will not tell.
          !conduct.proven && !planned
        : isOver(probation, round, atMs);
    if (conduct.trial !== null || !due || under >= MAX_TRIALS || number >= maxOrders) continue;
    const work = trialWork(profile, event.layers, event.trained, event.samples);
    if (work === null) continue;
    number++;
    under++;
    const trial: Trial = {
      tag: { term, round, order: number, epoch: firstEpoch(event.course) },
      work,
      missing: dueOf(work),
      sinceMs: atMs,
      untilMs: atMs + patienceMs,
      computeSeconds: null,
      failed: false,
    };
    state = put(state, device, { ...conduct, trial });
    effects.push({ type: 'try', device, trial });
  }
  return { state, effects };
}

/** The first samples of the round, as deep as the device says that it can; null where it can hold nothing at all. */
function trialWork(profile: Profile, layers: number, trained: readonly number[], samples: number): Work | null {
  const count = Math.min(samples, TRIAL_SAMPLES);
  // From the lowest layer that is trained up; last, the head alone.
  for (const deepest of [...trained, layers]) {
    const depth = layers - deepest;
    const microBatch = largestMicroBatch(profile, count, depth);
    if (microBatch === 0) continue;
    return {
      layers: trained.filter((layer) => layer >= deepest),
      head: true,
      samples: { start: 0, count },
      microBatch,
      recompute: recomputes(profile, depth),
    };
  }
  return null;
}

function part(state: ConductState, event: Extract<ConductEvent, { type: 'part' }>) {
  const { device, tag, due, atMs, layers } = event;
  const conduct = state.get(device);
  const trial = conduct?.trial ?? null;
  if (conduct === undefined || trial === null || !isTag(trial.tag, tag) || !trial.missing.includes(due))
    return same(state);
  if (atMs > trial.untilMs) return same(state);
  const missing = trial.missing.filter((one) => one !== due);
  const seconds = due === 'done' ? event.computeSeconds : trial.computeSeconds;
  if (missing.length > 0 || seconds === null)
    return {
      state: put(state, device, { ...conduct, trial: { ...trial, missing, computeSeconds: seconds } }),
      effects: [],
    };
  const measured: Measured = {
    samples: trial.work.samples.count,
    deepestDepth: depthOf(trial.work, layers),
    computeSeconds: seconds,
  };
  const back: Conduct = { ...conduct, lapses: NEW.lapses, probation: null, trial: null, proven: true };
  const told: ConductEffect = {
    type: 'standing',
    device,
    probation: null,
    was: conduct.probation !== null,
    measured,
  };
  return { state: put(state, device, back), effects: [told] };
}

const isTag = (a: OrderTag, b: OrderTag): boolean =>
  a.term === b.term && a.round === b.round && a.order === b.order && a.epoch === b.epoch;

/** Without the oldest of those that are gone, beyond what is remembered. */
function forgotten(state: ConductState, there: ReadonlySet<string>): ConductState {
  if (state.size <= MAX_REMEMBERED) return state;
  const next = new Map(state);
  for (const device of state.keys()) {
    if (next.size <= MAX_REMEMBERED) break;
    if (!there.has(device)) next.delete(device);
  }
  return next;
}

/**
 * What an order took by the host's own clock, where a device says so much less that it can not be true: the way down to it, twice over, and
 * a second are allowed for. Seconds.
 */
export function believedSeconds(stated: number, elapsed: number, downSeconds: number): number {
  return elapsed > 2 * stated + 2 * downSeconds + 1 ? Math.max(stated, elapsed - downSeconds) : stated;
}
