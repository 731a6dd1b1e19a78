import { type StageTimes, withShares } from './stages.ts';

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

/** A stage whose work is done again by somebody else, while the others keep what they have. */
export interface Replay {
  /** Of the stages, from the embeddings up. */
  readonly place: number;
  /** What had left it by then stays with its neighbours, and is not sent again. */
  readonly lostSeconds: number;
  /** When the taker is ready: its neighbours send its inputs again from then on, one after the other. */
  readonly startSeconds: number;
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
  /** Of a taker: which of its outputs its neighbour has already; and before when an input cannot have come again. */
  readonly kept: Record<Operation['kind'], readonly boolean[]>;
  readonly earliest: Record<Operation['kind'], readonly number[]>;
}

/** Until what a stage sends arrives, once it is sent: up after a forward pass, down after a backward one. */
const lagOf = (times: StageTimes | undefined, kind: Operation['kind']): number =>
  (times?.lagSeconds ?? 0) + (times?.relayLagSeconds?.[kind === 'forward' ? 'up' : 'down'] ?? 0);

/** Times from the round's start. */
export const schedule = (stages: readonly StageTimes[]): Schedule => carriedOut(stages, begun(stages));

/** Pipelines side by side, each with its part of the samples, whose stages all send over one medium. */
export function schedules(pipelines: readonly (readonly StageTimes[])[]): readonly Schedule[] {
  const shared = withShares(pipelines.flat());
  let start = 0;
  return pipelines.map(({ length }) => {
    const own = shared.slice(start, start + length);
    start += length;
    return schedule(own);
  });
}

/**
 * The round `before` with one stage lost and done again from its first operation; `stages` has the taker's times in its place. Nobody else
 * repeats a pass: what the lost one had sent stays, what its taker needs comes again.
 */
export function replayed(before: readonly StageTimes[], stages: readonly StageTimes[], replay: Replay): Schedule {
  const { place, lostSeconds, startSeconds } = replay;
  const lost = schedule(before).stages[place]!;
  const running = begun(stages);
  const taker = running[place]!;
  taker.processorFree = startSeconds;
  taker.uplinkFree = startSeconds;
  for (const kind of ['forward', 'backward'] as const) {
    const above = kind === 'forward' ? 1 : -1;
    const spans = kind === 'forward' ? lost.up : lost.down;
    const lag = lagOf(before[place], kind);
    taker.kept[kind] = spans.map(({ endSeconds }) => endSeconds <= lostSeconds);
    for (const [j, span] of spans.entries())
      if (taker.kept[kind][j]) running[place + above]!.inputs[kind][j] = span.endSeconds + lag;
    const sender = stages[place - above];
    let free = startSeconds;
    const seconds = (kind === 'forward' ? sender?.upSeconds : sender?.downSeconds) ?? [];
    taker.earliest[kind] = seconds.map((each) => {
      free += each;
      return free + lagOf(sender, kind);
    });
  }
  return carriedOut(stages, running);
}

function begun(stages: readonly StageTimes[]): readonly Running[] {
  const last = stages.length - 1;
  const microBatches = stages[0]!.forwardSeconds.length;
  const atOnce = () => new Array<number | undefined>(microBatches).fill(0);
  return stages.map((times, s) => ({
    times,
    operations: operationsOf(microBatches, times.window),
    at: 0,
    processorFree: 0,
    uplinkFree: 0,
    inputs: { forward: s === 0 ? atOnce() : [], backward: s === last ? atOnce() : [] },
    spans: { forward: [], backward: [], up: [], down: [] },
    kept: { forward: [], backward: [] },
    earliest: { forward: [], backward: [] },
  }));
}

function carriedOut(stages: readonly StageTimes[], running: readonly Running[]): Schedule {
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
  const startSeconds = Math.max(stage.processorFree, arrival, stage.earliest[kind][j] ?? 0);
  stage.processorFree = startSeconds + (kind === 'forward' ? times.forwardSeconds : times.backwardSeconds)[j]!;
  spans[kind].push({ startSeconds, endSeconds: stage.processorFree });
  const to = kind === 'forward' ? above : times.downSeconds === null ? undefined : below;
  if (to === undefined || stage.kept[kind][j]) return true;
  const sendSeconds = (kind === 'forward' ? times.upSeconds : (times.downSeconds ?? []))[j]!;
  const sendStart = Math.max(stage.uplinkFree, stage.processorFree);
  stage.uplinkFree = sendStart + sendSeconds;
  spans[kind === 'forward' ? 'up' : 'down'].push({ startSeconds: sendStart, endSeconds: stage.uplinkFree });
  to.inputs[kind][j] = stage.uplinkFree + lagOf(times, kind);
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
