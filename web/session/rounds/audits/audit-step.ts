import type { SampleRange, Step } from '../../../../signaling/protocol/round.ts';
import type { WeightStorage } from '../../../../signaling/protocol/settings.ts';
import { distanceOf, type Made, type MadePart, type Mismatch, mismatchOf } from './compare.ts';
import { afterAudit, afterRound, isDue, type Standings, standingOf, undone, withoutLiar } from './standing.ts';
import { toleranceFor } from './tolerance.ts';

/**
 * Which parts are computed again, by whom, and what follows, as data. A device's part in a round is one contribution: all that it gave to the
 * round, in one order or several. What one computed and another one did, too, is right. Where the two differ, somebody else computes it
 * as well, until two say the same: the audited one may lie, and the auditor. The host's own device is not audited, for what the host wants it
 * does anyway; where nobody else is left it is believed.
 */

/** Audits under way, at most; devices whose round would be one more are audited in a later one. */
const MAX_OPEN = 192;
/** The values that they hold, in bytes. */
const MAX_OPEN_BYTES = 256 * 2 ** 20;

/** Of a device, and devices, of which it is remembered how far they were from others. */
const SEEN_OF_DEVICE = 4;
const MAX_SEEN = 64;

/** What a device gave to a round under one order. */
export interface Given {
  readonly device: string;
  /** Tells its orders apart. */
  readonly order: number;
  readonly samples: SampleRange;
  readonly made: Made;
}

/** A device that could compute something again. */
export interface Auditor {
  readonly device: string;
  /** What its own part of a round takes. */
  readonly busySeconds: number;
  /** What this would take; null where it cannot hold it. */
  readonly seconds: (given: Given) => number | null;
}

export interface Audit {
  readonly number: number;
  readonly round: number;
  readonly run: number;
  readonly given: Given;
  /** Devices that were asked and have not answered. */
  readonly asked: readonly { readonly device: string; readonly untilMs: number }[];
  readonly answers: readonly { readonly device: string; readonly made: Made }[];
  /** Asked in vain. */
  readonly silent: readonly string[];
}

export interface AuditState {
  /** Part of the compute; 0 audits nothing. */
  readonly share: number;
  readonly weights: WeightStorage;
  /** By audited device: how far its latest parts were from what the first auditor computed. */
  readonly seen: ReadonlyMap<string, readonly number[]>;
  readonly standings: Standings;
  readonly open: readonly Audit[];
  /** Audits and rounds so far. */
  readonly audits: number;
  readonly runs: number;
}

export const beginAudits = (share: number, weights: WeightStorage): AuditState => ({
  share,
  weights,
  seen: new Map(),
  standings: new Map(),
  open: [],
  audits: 0,
  runs: 0,
});

interface Around {
  readonly host: string | null;
  /** Devices that could compute something now. */
  readonly able: readonly Auditor[];
  readonly atMs: number;
  /** How long an answer is waited for. */
  readonly patienceMs: number;
  /** The norm below which this part, of so many samples, does not matter. */
  readonly least: (part: MadePart, samples: number) => number;
}

export type AuditEvent = Around &
  (
    | {
        /** All parts of a round have come. `draw` is even in 0 to 1 for each name. */
        readonly type: 'round';
        readonly round: number;
        readonly given: readonly Given[];
        readonly draw: (name: string) => number;
      }
    | { readonly type: 'answer'; readonly audit: number; readonly device: string; readonly made: Made }
    | { readonly type: 'failed'; readonly audit: number; readonly device: string }
    | { readonly type: 'gone'; readonly device: string }
    | { readonly type: 'time' }
  );

export type AuditEffect =
  | { readonly type: 'ask'; readonly audit: Audit; readonly device: string }
  /** Nobody needs to know any more. */
  | { readonly type: 'closed'; readonly audit: Audit; readonly outcome: 'right' | 'liar' | 'unaudited' }
  | {
      readonly type: 'liar';
      readonly device: string;
      readonly round: number;
      readonly mismatch: Mismatch;
      /** Who found out. */
      readonly by: readonly string[];
      /** Whether it lied about another's part. */
      readonly asAuditor: boolean;
      /** The last round before the first one with parts of it that nobody found right; null where there is none. */
      readonly undoTo: number | null;
    };

type Stepped = ReturnType<Step<AuditState, AuditEvent, AuditEffect>>;

export const stepAudits: Step<AuditState, AuditEvent, AuditEffect> = (state, event) => {
  switch (event.type) {
    case 'round':
      return roundEnds(state, event);
    case 'answer': {
      const audit = state.open.find(({ number }) => number === event.audit);
      if (!audit?.asked.some(({ device }) => device === event.device)) return { state, effects: [] };
      const asked = audit.asked.filter(({ device }) => device !== event.device);
      return judge(withSeen(state, audit, event), { ...audit, asked, answers: [...audit.answers, event] }, event);
    }
    case 'failed':
      return withoutAsked(state, event, (audit, device) => audit.number === event.audit && device === event.device);
    case 'gone':
      return withoutAsked(state, event, (_, device) => device === event.device);
    case 'time':
      return withoutAsked(state, event, (audit, device) =>
        audit.asked.some((one) => one.device === device && one.untilMs <= event.atMs),
      );
    default:
      return event satisfies never;
  }
};

/** The state after rounds were undone: those after `round` never were. */
export const undoneTo = (state: AuditState, round: number): AuditState => ({
  ...state,
  standings: undone(state.standings, round),
});

function roundEnds(before: AuditState, event: Extract<AuditEvent, { type: 'round' }>): Stepped {
  if (before.share === 0) return { state: before, effects: [] };
  const { round, given, host, draw } = event;
  const run = before.runs + 1;
  let state: AuditState = { ...before, runs: run };
  const effects: AuditEffect[] = [];
  const devices = [...new Set(given.map(({ device }) => device))].filter((device) => device !== host);
  for (const device of devices) {
    const own = given.filter((one) => one.device === device);
    const due = isDue(standingOf(state.standings, device), state.share, draw(`due ${device}`));
    const audited = due && hasRoom(state, own);
    state = { ...state, standings: afterRound(state.standings, device, { round, run }, audited) };
    if (!audited) continue;
    for (const one of own) {
      const number = state.audits + 1;
      const audit: Audit = { number, round, run, given: one, asked: [], answers: [], silent: [] };
      state = { ...state, audits: number };
      const asked = ask(state, audit, event, draw(`who ${device} ${one.order}`));
      state = asked.state;
      effects.push(...asked.effects);
    }
  }
  return { state, effects };
}

function hasRoom(state: AuditState, more: readonly Given[]): boolean {
  const bytes = [...state.open.map(({ given }) => given), ...more].reduce((sum, { made }) => sum + bytesOf(made), 0);
  return state.open.length + more.length <= MAX_OPEN && bytes <= MAX_OPEN_BYTES;
}

const bytesOf = ({ parts }: Made): number => [...parts.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);

/** Has one more device compute it; `draw` chooses among those that would be done early, without one the host comes first. */
function ask(state: AuditState, audit: Audit, around: Around, draw: number | null): Stepped {
  const { able, host, atMs, patienceMs } = around;
  const known = new Set([
    audit.given.device,
    ...audit.silent,
    ...[...audit.asked, ...audit.answers].map(({ device }) => device),
  ]);
  const waiting = (device: string): number =>
    state.open.filter(({ asked }) => asked.some((one) => one.device === device)).length;
  const candidates = able
    .flatMap(({ device, busySeconds, seconds }) => {
      const own = known.has(device) ? null : seconds(audit.given);
      return own === null ? [] : [{ device, finish: busySeconds + own * (1 + waiting(device)) }];
    })
    .sort((a, b) => a.finish - b.finish || (a.device < b.device ? -1 : 1));
  const half = candidates.slice(0, Math.max(2, Math.ceil(candidates.length / 2)));
  const chosen =
    draw === null
      ? (candidates.find(({ device }) => device === host) ?? candidates[0])
      : half[Math.min(half.length - 1, Math.floor(draw * half.length))];
  if (chosen === undefined)
    return audit.asked.length > 0 ? { state: replaced(state, audit), effects: [] } : give(state, audit, around);
  const next = { ...audit, asked: [...audit.asked, { device: chosen.device, untilMs: atMs + patienceMs }] };
  return { state: replaced(state, next), effects: [{ type: 'ask', audit: next, device: chosen.device }] };
}

function replaced(state: AuditState, audit: Audit): AuditState {
  const known = state.open.some(({ number }) => number === audit.number);
  const open = known ? state.open.map((one) => (one.number === audit.number ? audit : one)) : [...state.open, audit];
  return { ...state, open };
}

const without = (state: AuditState, audit: Audit): AuditState => ({
  ...state,
  open: state.open.filter(({ number }) => number !== audit.number),
});

/** Nobody is left who could compute it: the host's own device is believed, or what the device gave to the round stays unaudited. */
function give(state: AuditState, audit: Audit, around: Around): Stepped {
  const { given, run, answers } = audit;
  const hosts = answers.find(({ device }) => device === around.host);
  if (hosts !== undefined) return convict(state, audit, around, [hosts]);
  const same = state.open.filter((one) => one.run === run && one.given.device === given.device);
  const closed = [...same.filter(({ number }) => number !== audit.number), audit];
  return {
    state: {
      ...state,
      open: state.open.filter((one) => !same.includes(one)),
      standings: afterAudit(state.standings, given.device, run, []),
    },
    effects: closed.map((one) => ({ type: 'closed', audit: one, outcome: 'unaudited' })),
  };
}

/** Two that say the same are right, and who says otherwise has lied; where no two do, somebody else is asked. */
function judge(state: AuditState, audit: Audit, around: Around): Stepped {
  const { given, answers } = audit;
  const agrees = (a: Made, b: Made): boolean => differ(state, given, a, b, around) === null;
  const same = answers.filter(({ made }) => agrees(given.made, made));
  if (same.length > 0) return confirm(state, audit, around, same);
  const latest = answers.at(-1);
  const others = answers.filter(({ made }) => latest !== undefined && agrees(latest.made, made));
  if (others.length > 1) return convict(state, audit, around, others);
  return ask(state, audit, around, null);
}

function differ(state: AuditState, given: Given, a: Made, b: Made, around: Around): Mismatch | null {
  const { count } = given.samples;
  const seen = [...state.seen.values()].map((distances) => Math.max(...distances));
  return mismatchOf(a, b, count, toleranceFor(state.weights, seen), (part) => around.least(part, count));
}

/** The first answer of an audit tells how far devices are apart. */
function withSeen(state: AuditState, { given, answers }: Audit, event: Around & { readonly made: Made }): AuditState {
  if (answers.length > 0) return state;
  const { device, samples, made } = given;
  const distance = distanceOf(made, event.made, (part) => event.least(part, samples.count));
  const seen = new Map(state.seen);
  const before = seen.get(device) ?? [];
  seen.delete(device);
  seen.set(device, [...before, distance].slice(-SEEN_OF_DEVICE));
  for (const oldest of seen.keys()) if (seen.size > MAX_SEEN) seen.delete(oldest);
  return { ...state, seen };
}

type Answer = Audit['answers'][number];

/** It is right; whoever said otherwise is a liar. */
function confirm(before: AuditState, audit: Audit, around: Around, same: readonly Answer[]): Stepped {
  const { given, answers, run } = audit;
  let state = without(before, audit);
  const whole = !state.open.some((one) => one.run === run && one.given.device === given.device);
  // All that it gave to the round has to be right.
  if (whole)
    state = {
      ...state,
      standings: afterAudit(
        state.standings,
        given.device,
        run,
        same.map(({ device }) => device),
      ),
    };
  const effects: AuditEffect[] = [{ type: 'closed', audit, outcome: 'right' }];
  return exposed(
    { state, effects },
    audit,
    around,
    given.made,
    answers.filter((one) => !same.includes(one)),
    [given.device, ...same.map(({ device }) => device)],
  );
}

/** It is wrong, and so is whoever does not say what these do. */
function convict(before: AuditState, audit: Audit, around: Around, right: readonly Answer[]): Stepped {
  const { given, answers } = audit;
  const truth = right[0].made;
  const by = right.map(({ device }) => device);
  const effects: AuditEffect[] = [{ type: 'closed', audit, outcome: 'liar' }];
  const liar = { device: given.device, made: given.made };
  // An answer that nobody shares is no lie for certain where the host's alone is believed.
  const others = right.length > 1 ? answers.filter((one) => !right.includes(one)) : [];
  return exposed({ state: without(before, audit), effects }, audit, around, truth, [liar, ...others], by);
}

function exposed(
  { state: before, effects: first }: Stepped,
  { given, round }: Audit,
  around: Around,
  truth: Made,
  liars: readonly Answer[],
  by: readonly string[],
): Stepped {
  let state = before;
  const effects = [...first];
  for (const { device, made } of liars) {
    // The host is not one, whatever is wrong with its device.
    const mismatch = device === around.host ? null : differ(state, given, made, truth, around);
    if (mismatch === null) continue;
    const rounds = standingOf(state.standings, device).unaudited.map((one) => one.round);
    const undoTo = rounds.length === 0 ? null : Math.min(...rounds) - 1;
    effects.push({ type: 'liar', device, round, mismatch, by, asAuditor: device !== given.device, undoTo });
    for (const audit of state.open.filter((one) => one.given.device === device))
      effects.push({ type: 'closed', audit, outcome: 'liar' });
    const open = state.open.filter((one) => one.given.device !== device);
    state = { ...state, open, standings: withoutLiar(state.standings, device) };
    const left = withoutAnswers(state, around, device);
    state = left.state;
    effects.push(...left.effects);
  }
  return { state, effects };
}

/** What a liar said, or was to say, of others counts for nothing. */
function withoutAnswers(before: AuditState, around: Around, liar: string): Stepped {
  const state = {
    ...before,
    open: before.open.map((audit) => ({ ...audit, answers: audit.answers.filter(({ device }) => device !== liar) })),
  };
  return withoutAsked(state, around, (_, device) => device === liar);
}

/** Asks others in place of those for whom `isOver`. */
function withoutAsked(before: AuditState, around: Around, isOver: (audit: Audit, device: string) => boolean): Stepped {
  let state = before;
  const effects: AuditEffect[] = [];
  for (const audit of before.open) {
    const over = audit.asked.filter(({ device }) => isOver(audit, device)).map(({ device }) => device);
    if (over.length === 0) continue;
    const asked = audit.asked.filter(({ device }) => !over.includes(device));
    const next = ask(state, { ...audit, asked, silent: [...audit.silent, ...over] }, around, null);
    state = next.state;
    effects.push(...next.effects);
  }
  return { state, effects };
}
