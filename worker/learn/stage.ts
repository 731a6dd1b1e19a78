import { partOf, unitCount } from '../../signaling/protocol/split.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { StageChunk, StageOrder, StagePart, StagePass, StageValues } from '../api/stage-api.ts';
import type { BlockGradient, Engine, Hidden, Pass } from '../engine/engine.ts';
import { blockSums } from './block-sums.ts';
import { type MicroBatch, sizedMicroBatches } from './micro-batches.ts';
import { readHidden, wrapHidden } from './stage-hidden.ts';
import type { AfterStep } from './trainer.ts';

/** Where a stage's input comes from: settles when it is there. */
export interface StageInputs {
  take(kind: StageValues['kind'], microBatch: number): Promise<Float32Array>;
  /** When what was taken had come, as `performance.now` has it; undefined where that is not known. */
  cameMs?(kind: StageValues['kind'], microBatch: number): number | undefined;
}

/** Settles when the engine is free, with what frees it again: no two passes are asked anything at a time. */
export type Turn = () => Promise<() => void>;

/** What of the model a stage goes through, and what it has to say to its neighbours. */
function placeOf({ shape }: Pick<Engine, 'shape'>, { run, lowest }: Pick<StageOrder, 'run' | 'lowest'>) {
  const part = partOf(run, shape.layers);
  const lowestUnit = lowest + 1;
  return {
    part,
    /** The lowest layer that goes backward here. */
    deepest: Math.max(part.layers.from, lowest),
    trains: run.to > lowestUnit,
    sendsDown: run.from > lowestUnit,
    /** The cuts below and above it pass on one token of each sample. */
    firstBelow: run.from === unitCount(shape.layers) - 1,
    firstAbove: run.to === unitCount(shape.layers) - 1,
  };
}

/** The order of a stage's passes: F_1..F_w, B_1, F_(w+1), B_2, …, the rest of B. Micro-batches from 0. */
export function stageSequence(
  microBatches: number,
  window: number,
  trains: boolean,
): readonly Pick<StagePass, 'direction' | 'microBatch'>[] {
  const forward = (microBatch: number) => ({ direction: 'up', microBatch }) as const;
  const all = Array.from({ length: microBatches }, (_, j) => j);
  if (!trains) return all.map(forward);
  const first = Math.max(1, Math.min(window, microBatches));
  return [
    ...all.slice(0, first).map(forward),
    ...all.flatMap((j) => [
      { direction: 'down', microBatch: j } as const,
      ...(j + first < microBatches ? [forward(j + first)] : []),
    ]),
  ];
}

/**
 * Trains one stage of a pipeline through one round. The order of passes is fixed by the order alone, whenever inputs come; gradients add
 * up over the micro-batches from the first to the last. So a room's gradient is that of one device with the same micro-batches, to the bit.
 *
 * Where the engine cannot keep as many passes open as the window has micro-batches, or the order says so, a micro-batch leaves its input
 * behind and goes forward again before it goes backward.
 *
 * Hidden states and their gradients are said as soon as each exists; the gradient of a block with the last micro-batch; `done` comes last.
 */
export async function* runStage(
  engine: Engine,
  order: StageOrder,
  inputs: StageInputs,
  afterStep: AfterStep,
  turn: Turn = async () => () => {},
): AsyncGenerator<StagePart, void, void> {
  const { add } = blockSums();
  const { trains, firstAbove } = placeOf(engine, order);
  const isLast = order.run.to === unitCount(engine.shape.layers);
  const batches = sizedMicroBatches(batchOf(order), order.microBatchSizes);
  const first = Math.min(Math.max(1, order.window), batches.length);
  const again = trains && (order.recompute || first > engine.openPasses);
  const began = performance.now();
  const now = () => (performance.now() - began) / 1000;
  const seconds = { all: 0, forward: 0 };
  let lossSum = 0;
  const step: Step = async (work) => {
    const start = performance.now();
    const result = await work();
    await afterStep((performance.now() - start) / 1000);
    seconds.all += (performance.now() - start) / 1000;
    return result;
  };
  const open = new Map<number, Going>();
  /** Inputs of micro-batches that go forward again. */
  const kept = new Map<number, Float32Array | null>();
  let free: (() => void) | null = null;
  /** Between two passes others may use the engine, where it can have one more open than it has now. */
  const rest = (): void => {
    if (open.size >= engine.openPasses) return;
    free?.();
    free = null;
  };
  try {
    for (const { direction, microBatch: j } of stageSequence(batches.length, order.window, trains)) {
      const { batch } = batches[j]!;
      const isForward = direction === 'up';
      const isGiven = isForward ? order.run.from > 0 : !isLast;
      const kind = isForward ? 'hidden' : 'dHidden';
      const given = isGiven ? await inputs.take(kind, j) : null;
      const cameMs = isGiven ? inputs.cameMs?.(kind, j) : undefined;
      free ??= await turn();
      const sinceSeconds = now();
      const passed = (): StagePass => {
        const seconds = now() - sinceSeconds;
        const came = cameMs === undefined ? {} : { cameSeconds: Math.max(0, cameMs - began) / 1000 };
        return { kind: 'passed', direction, microBatch: j, sinceSeconds, seconds, ...came };
      };
      if (isForward) {
        if (again) kept.set(j, given);
        const before = seconds.all;
        // The last stage says nothing up: where it goes forward again, the first time would be for nobody.
        const going = again && isLast ? null : await forward(engine, order, batch, given, trains && !again, step);
        let values: Float32Array | null = null;
        if (going !== null) {
          if (trains && !again) open.set(j, going);
          if (!isLast || first > 1) {
            values = await step(() => readHidden(going.hidden, isLast || firstAbove));
            going.hidden.dispose();
          }
          if (isLast) going.values = values;
          if (!open.has(j)) going.pass.dispose();
        }
        seconds.forward += seconds.all - before;
        rest();
        yield passed();
        if (values !== null && !isLast) yield { kind: 'hidden', microBatch: j, values };
        continue;
      }
      const going = open.get(j) ?? (await forward(engine, order, batch, kept.get(j) ?? null, true, step));
      open.set(j, going);
      kept.delete(j);
      const made = backward(engine, order, going, given, step);
      let next = await made.next();
      for (; !next.done; next = await made.next()) {
        const { block } = next.value;
        if (block === 'head' ? !order.head : !order.layers.includes(block)) continue;
        const gradient = add(block, next.value.gradient);
        if (j === batches.length - 1) yield { kind: 'gradient', block, gradient };
      }
      going.pass.dispose();
      open.delete(j);
      rest();
      yield passed();
      lossSum += next.value.lossSum;
      if (next.value.below !== null) yield { kind: 'dHidden', microBatch: j, values: next.value.below };
    }
  } finally {
    for (const { pass } of open.values()) pass.dispose();
    open.clear();
    rest();
  }
  yield { kind: 'done', lossSum, computeSeconds: seconds.all, forwardSeconds: seconds.forward };
}

/** Some samples forward through one stage, without dropout: what goes up, or with the head (B,labels) logits. */
export async function evaluateStage(
  engine: Engine,
  chunk: Omit<StageChunk, 'parameters'>,
  labelsPerSample: number,
  afterStep: AfterStep,
): Promise<Float32Array> {
  const { shape } = engine;
  const { lengths, run } = chunk;
  const samples = lengths.length;
  const positions = new Int32Array(samples);
  const order = {
    ...chunk,
    round: 1,
    lowest: shape.layers,
    recompute: false,
    positions,
    labels: new Float32Array(samples * labelsPerSample),
    microBatchSizes: [samples],
    dropout: { probability: 0, seed: 0 },
  };
  const [{ batch }] = sizedMicroBatches(batchOf(order), [samples]) as [MicroBatch];
  const step: Step = async (work) => {
    const start = performance.now();
    const result = await work();
    await afterStep((performance.now() - start) / 1000);
    return result;
  };
  const { pass, hidden } = await forward(engine, order, batch, chunk.hidden, false, step);
  try {
    if (run.to === unitCount(shape.layers))
      return (await step(() => pass.loss(hidden, { dHidden: false, headGradient: false }))).logits;
    const values = await step(() => readHidden(hidden, placeOf(engine, order).firstAbove));
    hidden.dispose();
    return values;
  } finally {
    pass.dispose();
  }
}

type Step = <T>(work: () => Promise<T>) => Promise<T>;

/** A micro-batch on its way: what came out of its forward pass, on the engine or, where that needs its place for others, read. */
interface Going {
  readonly pass: Pass;
  readonly batch: TokenBatch;
  readonly hidden: Hidden;
  values: Float32Array | null;
}

type Passed = Pick<StageOrder, 'round' | 'run' | 'lowest' | 'recompute' | 'dropout'>;

async function forward(
  engine: Engine,
  order: Passed,
  batch: TokenBatch,
  input: Float32Array | null,
  keeps: boolean,
  step: Step,
): Promise<Going> {
  const { part, deepest, firstBelow } = placeOf(engine, order);
  const pass = await engine.begin(batch, {
    saveFrom: keeps ? deepest : engine.shape.layers,
    dropout: { ...order.dropout, round: order.round },
    recompute: keeps && order.recompute && engine.recomputes,
  });
  try {
    let hidden = await step(() => (input === null ? pass.embed() : wrapHidden(engine, batch, input, firstBelow)));
    for (let layer = part.layers.from; layer < part.layers.to; layer++)
      hidden = await step(() => pass.forward({ from: layer, to: layer + 1 }, hidden));
    return { pass, batch, hidden, values: null };
  } catch (error) {
    pass.dispose();
    throw error;
  }
}

/** Yields the gradients of all blocks of the stage; returns what goes down, null where nothing does. */
async function* backward(
  engine: Engine,
  order: Passed,
  { pass, batch, hidden, values }: Going,
  above: Float32Array | null,
  step: Step,
): AsyncGenerator<BlockGradient, { lossSum: number; below: Float32Array | null }, void> {
  const { part, deepest, sendsDown, firstBelow, firstAbove } = placeOf(engine, order);
  const { to } = part.layers;
  let lossSum = 0;
  let dHidden: Hidden | null = null;
  if (above !== null) dHidden = await wrapHidden(engine, batch, above, firstAbove);
  else {
    const output = values === null ? hidden : await wrapHidden(engine, batch, values, true);
    const wanted = { dHidden: deepest < to || sendsDown, headGradient: true };
    const result = await step(() => pass.loss(output, wanted));
    lossSum = result.lossSum;
    dHidden = result.dHidden;
    if (result.head !== null) yield result.head;
  }
  if (dHidden !== null && deepest < to) {
    const layers = pass.backward({ from: deepest, to }, dHidden, sendsDown);
    let next = await step(() => layers.next());
    for (; !next.done; next = await step(() => layers.next())) yield next.value;
    dHidden = next.value;
  }
  const down = sendsDown ? dHidden : null;
  const below = down === null ? null : await step(() => readHidden(down, firstBelow));
  dHidden?.dispose();
  return { lossSum, below };
}

/** The stage's samples as engines take them: token ids where they are wanted, labels likewise. */
function batchOf({
  ids,
  labels,
  lengths,
  positions,
  tokens,
}: Pick<StageOrder, 'ids' | 'labels' | 'lengths' | 'positions' | 'tokens'>): TokenBatch {
  return {
    ids: ids ?? new Int32Array(0),
    labels: labels ?? new Float32Array(0),
    lengths: lengths.map((length) => Math.min(tokens, Math.max(1, length))),
    positions,
    tokens,
  };
}
