import { EVALUATION_CHUNK_SAMPLES } from '../../../signaling/protocol/limits.ts';
import type { ChunkTag, Step } from '../../../signaling/protocol/round.ts';

/** A chunk that takes so long is given to somebody else as well; the first answer counts. */
const CHUNK_PATIENCE_MS = 30_000;
/** A device that failed more often in one evaluation is not asked again in it; with nobody else left, the evaluation is given up. */
const MAX_FAILURES = 3;

/** Examples of the dev set, from `start`. */
export interface Chunk {
  readonly number: number;
  readonly start: number;
  readonly count: number;
}

/** What a device was given. */
interface Turn {
  readonly chunk: Chunk;
  /** Counts turns, so that what was made ready for one is not sent in another. */
  readonly turn: number;
  readonly sinceMs: number;
  /** It takes too long: the chunk waits for somebody else as well. */
  readonly shared: boolean;
}

export interface EvaluationState {
  readonly term: number;
  readonly evaluation: number;
  readonly examples: number;
  readonly waiting: readonly Chunk[];
  /** By device. */
  readonly turns: ReadonlyMap<string, Turn>;
  readonly done: ReadonlySet<number>;
  readonly doneExamples: number;
  readonly nextTurn: number;
  /** Devices that have a link and could evaluate now. */
  readonly able: readonly string[];
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
      readonly able: readonly string[];
      readonly atMs: number;
    }
  | {
      readonly type: 'logits';
      readonly device: string;
      readonly tag: ChunkTag;
      readonly logits: Float32Array;
      readonly atMs: number;
    }
  | {
      readonly type: 'failed';
      readonly device: string;
      readonly tag: ChunkTag;
      readonly sentence: string;
      readonly atMs: number;
    }
  /** About once a second. */
  | { readonly type: 'tick'; readonly able: readonly string[]; readonly atMs: number };

export type EvaluationEffect =
  | { readonly type: 'give'; readonly device: string; readonly chunk: Chunk; readonly turn: number }
  /** The first answer for a chunk. */
  | { readonly type: 'keep'; readonly chunk: Chunk; readonly logits: Float32Array }
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'complete' }
  | { readonly type: 'give-up'; readonly device: string; readonly sentence: string };

type Stepped = ReturnType<Step<EvaluationState, EvaluationEvent, EvaluationEffect>>;

export interface BeginEvaluation {
  readonly term: number;
  readonly evaluation: number;
  readonly examples: number;
  readonly able: readonly string[];
  readonly atMs: number;
}

export function beginEvaluation({ term, evaluation, examples, able, atMs }: BeginEvaluation): Stepped {
  const chunks = Array.from({ length: Math.ceil(examples / EVALUATION_CHUNK_SAMPLES) }, (_, number): Chunk => {
    const start = number * EVALUATION_CHUNK_SAMPLES;
    return { number, start, count: Math.min(EVALUATION_CHUNK_SAMPLES, examples - start) };
  });
  const state: EvaluationState = {
    term,
    evaluation,
    examples,
    waiting: chunks,
    turns: new Map(),
    done: new Set(),
    doneExamples: 0,
    nextTurn: 1,
    able,
    failures: new Map(),
    lastFailure: null,
    resting: new Set(),
    answered: new Set(),
    late: new Set(),
  };
  return feed(state, atMs, [{ type: 'progress', done: 0, total: examples }]);
}

/**
 * One event of an evaluation. Whoever is done takes the next chunk, so fast devices do more; chunks of devices that leave, fail or hang
 * go to others. Every chunk is waited for, and kept once.
 */
export const stepEvaluation: Step<EvaluationState, EvaluationEvent, EvaluationEffect> = (state, event) => {
  switch (event.type) {
    case 'devices':
      return feed({ ...event.lost.reduce(without, state), able: event.able }, event.atMs);
    case 'tick':
      return feed({ ...shareOld(state, event.atMs), able: event.able, resting: new Set() }, event.atMs);
    case 'failed':
      return hasTurn(state, event.device, event.tag) ? failed(state, event) : { state, effects: [] };
    case 'logits':
      return hasTurn(state, event.device, event.tag) ? answered(state, event) : { state, effects: [] };
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

/** The device's turn is over without an answer; its chunk waits first in line, unless it does already. */
function without(state: EvaluationState, device: string): EvaluationState {
  const turn = state.turns.get(device);
  if (turn === undefined) return state;
  const turns = new Map(state.turns);
  turns.delete(device);
  const waiting = turn.shared || state.done.has(turn.chunk.number) ? state.waiting : [turn.chunk, ...state.waiting];
  return { ...state, turns, waiting };
}

function shareOld(state: EvaluationState, atMs: number): EvaluationState {
  const turns = new Map(state.turns);
  const waiting = [...state.waiting];
  const late = new Set(state.late);
  for (const [device, turn] of state.turns) {
    if (turn.shared || atMs - turn.sinceMs <= CHUNK_PATIENCE_MS) continue;
    turns.set(device, { ...turn, shared: true });
    waiting.unshift(turn.chunk);
    late.add(device);
  }
  return { ...state, turns, waiting, late };
}

function failed(state: EvaluationState, event: Extract<EvaluationEvent, { type: 'failed' }>): Stepped {
  const { device, sentence, atMs } = event;
  const failures = new Map(state.failures).set(device, (state.failures.get(device) ?? 0) + 1);
  const resting = new Set(state.resting).add(device);
  return feed({ ...without(state, device), failures, resting, lastFailure: { device, sentence } }, atMs);
}

function answered(state: EvaluationState, event: Extract<EvaluationEvent, { type: 'logits' }>): Stepped {
  const { device, logits, atMs } = event;
  const chunk = state.turns.get(device)?.chunk;
  const turns = new Map(state.turns);
  turns.delete(device);
  const free = { ...state, turns, answered: new Set(state.answered).add(device) };
  if (chunk === undefined || state.done.has(chunk.number)) return feed(free, atMs);
  const doneExamples = state.doneExamples + chunk.count;
  const next = {
    ...free,
    waiting: state.waiting.filter(({ number }) => number !== chunk.number),
    done: new Set(state.done).add(chunk.number),
    doneExamples,
  };
  return feed(next, atMs, [
    { type: 'keep', chunk, logits },
    { type: 'progress', done: doneExamples, total: state.examples },
  ]);
}

const isGivenUp = (state: EvaluationState, device: string): boolean => (state.failures.get(device) ?? 0) > MAX_FAILURES;

/** Gives waiting chunks to devices without a turn; ends what is complete, and what only devices are left for that keep failing. */
function feed(state: EvaluationState, atMs: number, effects: readonly EvaluationEffect[] = []): Stepped {
  if (state.doneExamples === state.examples) return { state, effects: [...effects, { type: 'complete' }] };
  const { able, lastFailure } = state;
  if (lastFailure !== null && state.turns.size === 0 && able.length > 0 && able.every((id) => isGivenUp(state, id)))
    return { state, effects: [...effects, { type: 'give-up', ...lastFailure }] };
  const turns = new Map(state.turns);
  const waiting = [...state.waiting];
  const given: EvaluationEffect[] = [];
  let { nextTurn } = state;
  for (const device of able) {
    if (turns.has(device) || state.resting.has(device) || isGivenUp(state, device)) continue;
    const chunk = waiting.shift();
    if (chunk === undefined) break;
    const turn = nextTurn++;
    turns.set(device, { chunk, turn, sinceMs: atMs, shared: false });
    given.push({ type: 'give', device, chunk, turn });
  }
  return { state: { ...state, turns, waiting, nextTurn }, effects: [...effects, ...given] };
}
