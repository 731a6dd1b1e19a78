import type { StageTimes } from './stages.ts';

/**
 * How a round goes through a pipeline: what runs when, and what waits for what. The longest path through operations and messages, so that
 * there are no ties to break and no clock; a longer duration anywhere never makes a round shorter.
 *
 * A stage runs F_1..F_w, then B_1, F_(w+1), B_2, F_(w+2), …, then the rest of B; F_1..F_M alone where it trains nothing. Its uplink
 * carries one message at a time, in the order in which operations end, and its gradients last.
 */

export interface Span {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

export interface StageSchedule {
  /** One for each micro-batch. */
  readonly forward: readonly Span[];
  /** Empty where nothing is trained. */
  readonly backward: readonly Span[];
  /** Messages with hidden states on the uplink, to the stage above; empty of the last stage. They arrive `lagSeconds` later. */
  readonly up: readonly Span[];
  readonly down: readonly Span[];
  /** Its gradients on the uplink; null where they need no link, and where nothing is trained. */
  readonly gradients: Span | null;
  /** When the host has all that it is owed by this stage; when its last pass ended, where it owes none. */
  readonly finishedSeconds: number;
}

export interface Schedule {
  /** T: when the host has all gradients. */
  readonly seconds: number;
  /** From the embeddings up. */
  readonly stages: readonly StageSchedule[];
}

/** Of a stage's sequence. */
export interface Operation {
  readonly kind: 'forward' | 'backward';
  /** From 0. */
  readonly microBatch: number;
}

/** The fixed order in which a stage computes. */
export function operationsOf(microBatches: number, window: number): readonly Operation[] {
  const forward = (microBatch: number): Operation => ({ kind: 'forward', microBatch });
  if (window === 0) return Array.from({ length: microBatches }, (_, j) => forward(j));
  const ahead = Array.from({ length: Math.min(window, microBatches) }, (_, j) => forward(j));
  const turns = Array.from({ length: microBatches }, (_, j): Operation[] => {
    const backward: Operation = { kind: 'backward', microBatch: j };
    return window + j < microBatches ? [backward, forward(window + j)] : [backward];
  });
  return [...ahead, ...turns.flat()];
}

/** A stage as it is being worked out. */
interface Running {
  readonly times: StageTimes;
  readonly operations: readonly Operation[];
  /** Operations done. */
  at: number;
  processorFree: number;
  uplinkFree: number;
  readonly inputs: Record<Operation['kind'], (number | undefined)[]>;
  readonly spans: Record<'forward' | 'backward' | 'up' | 'down', Span[]>;
}

/** Times from the round's start. */
export function schedule(stages: readonly StageTimes[]): Schedule {
  const last = stages.length - 1;
  const microBatches = stages[0]!.forwardSeconds.length;
  const atOnce = () => new Array<number | undefined>(microBatches).fill(0);
  const running = stages.map(
    (times, s): Running => ({
      times,
      operations: operationsOf(microBatches, times.window),
      at: 0,
      processorFree: 0,
      uplinkFree: 0,
      inputs: { forward: s === 0 ? atOnce() : [], backward: s === last ? atOnce() : [] },
      spans: { forward: [], backward: [], up: [], down: [] },
    }),
  );
  // Up and down once is enough where each stage goes on as far as its inputs allow, until nobody can.
  for (let moved = true; moved; ) {
    moved = false;
    for (const [s, stage] of running.entries()) while (proceed(stage, running[s - 1], running[s + 1])) moved = true;
  }
  const done = running.map(finish);
  return {
    stages: done,
    seconds: Math.max(...done.map(({ finishedSeconds }, s) => (stages[s]!.window > 0 ? finishedSeconds : 0))),
  };
}

/** Does the stage's next operation, if what it needs is known to arrive. */
function proceed(stage: Running, below: Running | undefined, above: Running | undefined): boolean {
  const operation = stage.operations[stage.at];
  if (operation === undefined) return false;
  const { kind, microBatch: j } = operation;
  const { times, spans } = stage;
  const arrival = stage.inputs[kind][j];
  if (arrival === undefined) return false;
  stage.at++;
  const startSeconds = Math.max(stage.processorFree, arrival);
  stage.processorFree = startSeconds + (kind === 'forward' ? times.forwardSeconds : times.backwardSeconds)[j]!;
  spans[kind].push({ startSeconds, endSeconds: stage.processorFree });
  const to = kind === 'forward' ? above : times.downSeconds === null ? undefined : below;
  if (to === undefined) return true;
  const sendSeconds = (kind === 'forward' ? times.upSeconds : (times.downSeconds ?? []))[j]!;
  const sendStart = Math.max(stage.uplinkFree, stage.processorFree);
  stage.uplinkFree = sendStart + sendSeconds;
  spans[kind === 'forward' ? 'up' : 'down'].push({ startSeconds: sendStart, endSeconds: stage.uplinkFree });
  to.inputs[kind][j] = stage.uplinkFree + times.lagSeconds;
  return true;
}

function finish({ times, operations, at, processorFree, uplinkFree, spans }: Running): StageSchedule {
  if (at < operations.length) throw new Error('the windows of the stages grow towards the loss');
  const { gradientSeconds, lagSeconds } = times;
  if (gradientSeconds === null) return { ...spans, gradients: null, finishedSeconds: processorFree };
  const startSeconds = Math.max(uplinkFree, processorFree);
  const endSeconds = startSeconds + gradientSeconds;
  return { ...spans, gradients: { startSeconds, endSeconds }, finishedSeconds: endSeconds + lagSeconds };
}
