import { MAX_CHUNK_SAMPLES } from '../../../signaling/protocol/limits.ts';
import type { ChunkTag, Step } from '../../../signaling/protocol/round.ts';
import {
  cutPiece,
  drainSeconds,
  type Evaluator,
  paceAfter,
  pieceSeconds,
  type Span,
  seenSeconds,
  tokensIn,
} from './evaluation-pieces.ts';

/** A chunk is late when it takes so many times its predicted seconds, and at least so long. */
const LATE_FACTOR = 4;
const LATE_AT_LEAST_SECONDS = 10;
/** A device that failed more often in one evaluation is not asked again in it; with nobody else left, the evaluation is given up. */
const MAX_FAILURES = 3;

/** A run of examples that somebody was asked for. */
export interface Chunk extends Span {
  readonly number: number;
}

/** What a device was given. */
interface Turn {
  readonly chunk: Chunk;
  /** Counts turns, so that what was made ready for one is not sent in another. */
  readonly turn: number;
  readonly sinceMs: number;
  /** From then on somebody else who has nothing left to do is asked, too. */
  readonly lateMs: number;
  /** By what the device stated, and by what it took before: what was taken off its allowance. */
  readonly statedSeconds: number;
  readonly seconds: number;
  readonly late: boolean;
}

/** How much evaluating a device may do while rounds go on, in seconds, and how long it is at its order before. */
export interface Allowance {
  readonly seconds: number;
  readonly aheadSeconds: number;
}

export interface EvaluationState {
  readonly term: number;
  readonly evaluation: number;
  /** Of each example, never falling. */
  readonly lengths: ArrayLike<number>;
  /** Examples that nobody has; pieces are cut off the end of the last. */
  readonly waiting: readonly Span[];
  /** Chunks of late devices that nobody else has. */
  readonly overdue: readonly Chunk[];
  /** By device. */
  readonly turns: ReadonlyMap<string, Turn>;
  /** (examples) 1 where the answer is here. */
  readonly done: Uint8Array;
  readonly doneExamples: number;
  readonly nextChunk: number;
  readonly nextTurn: number;
  /** Devices that have a link and could evaluate now. */
  readonly able: readonly Evaluator[];
  /** Seconds that devices took, in those that they stated. */
  readonly paces: ReadonlyMap<string, number>;
  /** By device, while rounds go on; null when nobody has anything else to do. */
  readonly allowances: ReadonlyMap<string, Allowance> | null;
  readonly failures: ReadonlyMap<string, number>;
  readonly lastFailure: { readonly device: string; readonly sentence: string } | null;
  /** Devices that failed since the last tick: their next try waits for it, so that a device that always fails does not spin. */
  readonly resting: ReadonlySet<string>;
  /** Devices that answered at least once, and those whose chunk was given to somebody else as well. */
  readonly answered: ReadonlySet<string>;
  readonly late: ReadonlySet<string>;
}

export type EvaluationEvent =
  | {
      readonly type: 'devices';
      readonly lost: readonly string[];
      readonly able: readonly Evaluator[];
      readonly atMs: number;
    }
  | {
      readonly type: 'logits';
      readonly device: string;
      readonly tag: ChunkTag;
      readonly logits: Float32Array;
      /** That it was at it, as it says; null where it does not. */
      readonly seconds: number | null;
      readonly atMs: number;
    }
  | {
      readonly type: 'failed';
      readonly device: string;
      readonly tag: ChunkTag;
      readonly sentence: string;
      readonly atMs: number;
    }
  /** A round began: what devices may do beside it, on top of what they did not use. */
  | { readonly type: 'allow'; readonly allowances: ReadonlyMap<string, Allowance>; readonly atMs: number }
  /** No rounds go on any more. */
  | { readonly type: 'hurry'; readonly atMs: number }
  /** About once a second. */
  | { readonly type: 'tick'; readonly able: readonly Evaluator[]; readonly atMs: number };

export type EvaluationEffect =
  | { readonly type: 'give'; readonly device: string; readonly chunk: Chunk; readonly turn: number }
  /** The first answer for some of the chunk at least. */
  | { readonly type: 'keep'; readonly device: string; readonly chunk: Chunk; readonly logits: Float32Array }
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'complete' }
  | { readonly type: 'give-up'; readonly device: string; readonly sentence: string };

type Stepped = ReturnType<Step<EvaluationState, EvaluationEvent, EvaluationEffect>>;

export interface BeginEvaluation {
  readonly term: number;
  readonly evaluation: number;
  readonly lengths: ArrayLike<number>;
  readonly able: readonly Evaluator[];
  /** Rounds go on meanwhile: devices evaluate what they are allowed to. */
  readonly beside: boolean;
  readonly atMs: number;
}

export function beginEvaluation({ term, evaluation, lengths, able, beside, atMs }: BeginEvaluation): Stepped {
  const examples = lengths.length;
  const state: EvaluationState = {
    term,
    evaluation,
    lengths,
    waiting: examples === 0 ? [] : [{ start: 0, count: examples }],
    overdue: [],
    turns: new Map(),
    done: new Uint8Array(examples),
    doneExamples: 0,
    nextChunk: 0,
    nextTurn: 1,
    able,
    paces: new Map(),
    allowances: beside ? new Map() : null,
    failures: new Map(),
    lastFailure: null,
    resting: new Set(),
    answered: new Set(),
    late: new Set(),
  };
  return feed(state, atMs, [{ type: 'progress', done: 0, total: examples }]);
}

/**
 * One event of an evaluation. Whoever is done takes the next chunk, of about two seconds by what it stated and what it took before; the
 * longest examples first. What a device leaves, fails or takes too long at goes to others; of the latter only when nothing else is left,
 * so that nothing is asked twice while there is something to ask once. Every example is waited for.
 */
export const stepEvaluation: Step<EvaluationState, EvaluationEvent, EvaluationEffect> = (state, event) => {
  switch (event.type) {
    case 'devices':
      return feed({ ...event.lost.reduce(without, state), able: event.able }, event.atMs);
    case 'tick':
      return feed({ ...withLate(state, event.atMs), able: event.able, resting: new Set() }, event.atMs);
    case 'failed':
      return hasTurn(state, event.device, event.tag) ? failed(state, event) : { state, effects: [] };
    case 'logits':
      return hasTurn(state, event.device, event.tag) ? answered(state, event) : { state, effects: [] };
    case 'allow':
      return feed(allowed(state, event.allowances), event.atMs);
    case 'hurry':
      return feed({ ...state, allowances: null }, event.atMs);
    default:
      return event satisfies never;
  }
};

/** Whether a chunk that was made ready for this turn may still be sent. */
export const isTurn = (state: EvaluationState, device: string, turn: number): boolean =>
  state.turns.get(device)?.turn === turn;

function hasTurn(state: EvaluationState, device: string, tag: ChunkTag): boolean {
  const ours = tag.term === state.term && tag.evaluation === state.evaluation;
  return ours && state.turns.get(device)?.chunk.number === tag.chunk;
}

const isDone = ({ done }: Pick<EvaluationState, 'done'>, { start, count }: Span): boolean =>
  done.subarray(start, start + count).every((one) => one === 1);

/** The device's turn is over without an answer; its chunk waits first in line, unless somebody else has it. */
function without(state: EvaluationState, device: string): EvaluationState {
  const turn = state.turns.get(device);
  if (turn === undefined) return state;
  const { chunk } = turn;
  const turns = new Map(state.turns);
  turns.delete(device);
  const overdue = state.overdue.filter(({ number }) => number !== chunk.number);
  const elsewhere = [...turns.values()].some(
    (other) => other.chunk.start <= chunk.start && chunk.start < end(other.chunk),
  );
  if (elsewhere || isDone(state, chunk)) return { ...state, turns, overdue };
  return { ...state, turns, overdue, waiting: [...state.waiting, { start: chunk.start, count: chunk.count }] };
}

const end = ({ start, count }: Span): number => start + count;

function withLate(state: EvaluationState, atMs: number): EvaluationState {
  const turns = new Map(state.turns);
  const overdue = [...state.overdue];
  for (const [device, turn] of state.turns) {
    if (turn.late || atMs <= turn.lateMs) continue;
    turns.set(device, { ...turn, late: true });
    overdue.push(turn.chunk);
  }
  return { ...state, turns, overdue };
}

function failed(state: EvaluationState, event: Extract<EvaluationEvent, { type: 'failed' }>): Stepped {
  const { device, sentence, atMs } = event;
  const failures = new Map(state.failures).set(device, (state.failures.get(device) ?? 0) + 1);
  const resting = new Set(state.resting).add(device);
  return feed({ ...without(state, device), failures, resting, lastFailure: { device, sentence } }, atMs);
}

function answered(state: EvaluationState, event: Extract<EvaluationEvent, { type: 'logits' }>): Stepped {
  const { device, logits, atMs } = event;
  const turn = state.turns.get(device);
  if (turn === undefined) return { state, effects: [] };
  const { chunk } = turn;
  const turns = new Map(state.turns);
  turns.delete(device);
  const overdue = state.overdue.filter(({ number }) => number !== chunk.number);
  const seen = seenSeconds(turn.sinceMs, event, state.allowances !== null);
  const free = { ...state, turns, overdue, ...(seen !== null && timed(state, device, turn, seen)) };
  const known = { ...free, answered: new Set(state.answered).add(device) };
  if (isDone(state, chunk)) return feed(known, atMs);
  const done = state.done.slice();
  done.fill(1, chunk.start, end(chunk));
  const doneExamples = done.reduce((sum, one) => sum + one, 0);
  return feed({ ...known, done, doneExamples }, atMs, [
    { type: 'keep', device, chunk, logits },
    { type: 'progress', done: doneExamples, total: done.length },
  ]);
}

/** A device's pace from what it took; and what it took longer, or less, than was taken off its allowance. */
function timed(state: EvaluationState, device: string, turn: Turn, seconds: number): Partial<EvaluationState> {
  const { paces, allowances } = state;
  const own = allowances?.get(device);
  const left = own && { ...own, seconds: own.seconds + turn.seconds - seconds };
  return {
    paces: new Map(paces).set(device, paceAfter(paces.get(device), seconds, turn.statedSeconds)),
    ...(left && { allowances: new Map(allowances).set(device, left) }),
  };
}

function allowed(state: EvaluationState, added: ReadonlyMap<string, Allowance>): EvaluationState {
  const allowances = new Map<string, Allowance>();
  for (const [device, { seconds, aheadSeconds }] of added) {
    const unused = state.allowances?.get(device)?.seconds ?? 0;
    allowances.set(device, { seconds: unused + seconds, aheadSeconds });
  }
  return { ...state, allowances };
}

const isGivenUp = (state: EvaluationState, device: string): boolean => (state.failures.get(device) ?? 0) > MAX_FAILURES;

const believed = (state: EvaluationState, { device, overheadSeconds, secondsPerToken }: Evaluator): Evaluator => {
  const pace = state.paces.get(device) ?? 1;
  return { device, overheadSeconds: pace * overheadSeconds, secondsPerToken: pace * secondsPerToken };
};

/** Gives what waits to devices without a turn; ends what is complete, and what only devices are left for that keep failing. */
function feed(before: EvaluationState, atMs: number, effects: readonly EvaluationEffect[] = []): Stepped {
  if (before.doneExamples === before.done.length) return { state: before, effects: [...effects, { type: 'complete' }] };
  const { able, lastFailure } = before;
  if (
    lastFailure !== null &&
    before.turns.size === 0 &&
    able.length > 0 &&
    able.every((a) => isGivenUp(before, a.device))
  )
    return { state: before, effects: [...effects, { type: 'give-up', ...lastFailure }] };
  let state = before;
  const given: EvaluationEffect[] = [];
  for (const stated of able) {
    const { device } = stated;
    if (state.turns.has(device) || state.resting.has(device) || isGivenUp(state, device)) continue;
    const next = nextPiece(state, stated);
    if (next === null) continue;
    const { piece, from } = next;
    const chunk: Chunk = { ...piece, number: state.nextChunk };
    const statedSeconds = pieceSeconds(state.lengths, stated, piece);
    const seconds = pieceSeconds(state.lengths, believed(state, stated), piece);
    const allowance = state.allowances?.get(device);
    const aheadSeconds = allowance?.aheadSeconds ?? 0;
    const lateMs = atMs + 1000 * (LATE_FACTOR * aheadSeconds + Math.max(LATE_AT_LEAST_SECONDS, LATE_FACTOR * seconds));
    const turn: Turn = { chunk, turn: state.nextTurn, sinceMs: atMs, lateMs, statedSeconds, seconds, late: false };
    given.push({ type: 'give', device, chunk, turn: turn.turn });
    state = {
      ...state,
      ...from,
      turns: new Map(state.turns).set(device, turn),
      nextChunk: state.nextChunk + 1,
      nextTurn: state.nextTurn + 1,
      ...(state.allowances !== null &&
        allowance !== undefined && {
          allowances: new Map(state.allowances).set(device, { ...allowance, seconds: allowance.seconds - seconds }),
        }),
    };
  }
  return { state, effects: [...effects, ...given] };
}

/** What a device should take now, and what waits then; null where it should take nothing. */
function nextPiece(
  state: EvaluationState,
  stated: Evaluator,
): { readonly piece: Span; readonly from: Partial<EvaluationState> } | null {
  const evaluator = believed(state, stated);
  const { lengths, waiting, overdue, allowances, turns } = state;
  const working = state.able.filter(({ device }) => !isGivenUp(state, device)).map((one) => believed(state, one));
  const span = waiting.at(-1);
  if (span === undefined) {
    const chunk = overdue[0];
    if (chunk === undefined) return null;
    const may = allowances === null ? Number.POSITIVE_INFINITY : (allowances.get(stated.device)?.seconds ?? 0);
    if (pieceSeconds(lengths, evaluator, chunk) > may) return null;
    const late = [...turns].flatMap(([device, turn]) => (turn.chunk.number === chunk.number ? [device] : []));
    return {
      piece: { start: chunk.start, count: chunk.count },
      from: { overdue: overdue.filter((one) => one !== chunk), late: new Set([...state.late, ...late]) },
    };
  }
  const tokens = waiting.reduce((sum, one) => sum + tokensIn(lengths, one), 0);
  // On a device that is late nobody counts.
  const others = working.filter(({ device }) => device !== stated.device && turns.get(device)?.late !== true);
  const most = allowances === null ? drainSeconds(working, tokens) : (allowances.get(stated.device)?.seconds ?? 0);
  const piece = cutPiece(lengths, span, evaluator, most, MAX_CHUNK_SAMPLES);
  const seconds = pieceSeconds(lengths, evaluator, piece);
  // Beside rounds a device waits until it may; after them, one that would be done later than the others without it stays out.
  const stays =
    allowances === null ? others.length > 0 && seconds > drainSeconds(others, tokens) + SLACK_SECONDS : seconds > most;
  if (stays) return null;
  const left = { start: span.start, count: span.count - piece.count };
  return { piece, from: { waiting: [...waiting.slice(0, -1), ...(left.count > 0 ? [left] : [])] } };
}

/** Chunks that are under way elsewhere take so long at most, about. */
const SLACK_SECONDS = 2;
