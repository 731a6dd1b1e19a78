import type { Block } from '../../signaling/protocol/round.ts';
import type { WorkOrder, WorkPart } from '../api/work.ts';
import type { Engine } from '../engine/engine.ts';
import { claimedBytes, longestOf } from '../learn/stage-memory.ts';
import { rememberLimit } from './memory-probe.ts';

/** How often one piece of work is begun anew, each time smaller. An engine has its own end to that. */
const MAX_SMALLER = 4;

/** What engines and browsers say when memory is at its end: WebGPU's own words, an array that is not given, ONNX Runtime's. */
const OUT_OF_MEMORY = /out of memory|allocation failed|bad_alloc|failed to allocate|could not allocate/i;
const KINDS: ReadonlySet<unknown> = new Set(['lost', 'out-of-memory', 'too-large']);

/** Whether less work may go where this did not: the graphics device was lost, which is want of memory most often, or said so. */
export function gaveOut(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const kind: unknown = Reflect.get(error, 'kind');
  return error.name === 'WebGpuError' ? KINDS.has(kind) : OUT_OF_MEMORY.test(error.message);
}

/** What training may take after a device gave out under `bytes`: the weights, which have to be there, and half of what came beside them. */
export const claimAfter = (bytes: number, weightsBytes: number): number =>
  weightsBytes + Math.floor(Math.max(0, bytes - weightsBytes) / 2);

/** Bytes of an order's largest micro-batch, all that the engine holds included. */
export function orderBytes(
  engine: Engine,
  { batch, microBatch, microBatchSizes, layers, recompute }: WorkOrder,
): number {
  const samples = Math.min(batch.lengths.length, Math.max(microBatch, ...(microBatchSizes ?? [])));
  const savedLayers = engine.shape.layers - (layers[0] ?? engine.shape.layers);
  return claimedBytes(engine, samples, longestOf(batch.lengths, batch.tokens), {
    savedLayers,
    recompute: recompute ?? false,
  });
}

/** The same work in less memory: half the samples at a time, and where that is one, layers that go forward again. */
export function smallerOrder(engine: Pick<Engine, 'recomputes'>, order: WorkOrder): WorkOrder {
  const { microBatchSizes, ...rest } = order;
  const most = Math.min(order.batch.lengths.length, Math.max(order.microBatch, ...(microBatchSizes ?? [])));
  if (most > 1) return { ...rest, microBatch: Math.ceil(most / 2) };
  return engine.recomputes ? { ...rest, microBatch: 1, recompute: true } : order;
}

/** The order, made smaller until it fits; as small as it becomes where it never does. */
export function orderWithin(engine: Engine, order: WorkOrder, limitBytes: number): WorkOrder {
  let fitting = order;
  for (let smaller = order; orderBytes(engine, fitting) > limitBytes; fitting = smaller) {
    smaller = smallerOrder(engine, fitting);
    if (smaller === fitting || (smaller.microBatch === fitting.microBatch && smaller.recompute === fitting.recompute))
      break;
  }
  return fitting;
}

/**
 * An order's parts, each once, also where the device gives out on the way: the order is then begun anew with fewer samples at a time, which
 * changes a gradient by rounding alone. `onGaveOut` is told of the order that was too much.
 */
export async function* persistentOrder(
  run: (order: WorkOrder) => AsyncGenerator<WorkPart, void, void>,
  order: WorkOrder,
  engine: Pick<Engine, 'recomputes'>,
  onGaveOut: (order: WorkOrder) => Promise<void>,
): AsyncGenerator<WorkPart, void, void> {
  const given = new Set<Block>();
  let current = order;
  for (let failures = 0; ; failures++)
    try {
      for await (const part of run(current)) {
        if (part.kind === 'gradient') {
          if (given.has(part.block)) continue;
          given.add(part.block);
        }
        yield part;
      }
      return;
    } catch (error) {
      if (!gaveOut(error)) throw error;
      await onGaveOut(current);
      if (failures >= MAX_SMALLER) throw error;
      current = smallerOrder(engine, current);
    }
}

/** The same for work of so many samples at a time. */
export async function persistent<T>(
  work: (atOnce: number) => Promise<T>,
  atOnce: number,
  onGaveOut: (atOnce: number) => Promise<void>,
): Promise<T> {
  for (let failures = 0, now = atOnce; ; failures++, now = Math.ceil(now / 2))
    try {
      return await work(now);
    } catch (error) {
      if (!gaveOut(error)) throw error;
      await onGaveOut(now);
      if (failures >= MAX_SMALLER) throw error;
    }
}

/** What training may take on a device; less whenever the device gives out. */
export class Claim {
  /** As it was probed; before that nothing says that there is too little. */
  probedBytes = Number.POSITIVE_INFINITY;
  /** What was too much less what had to go; work of plans that were made before is cut to it. */
  #leftBytes = Number.POSITIVE_INFINITY;
  #isNews = false;

  get leftBytes(): number {
    return this.#leftBytes;
  }

  /** What evaluation may take. */
  get limitBytes(): number {
    return Math.min(this.probedBytes, this.#leftBytes);
  }

  /** Work of so many bytes was too much; unknown ones were as many as the device might take. */
  async gaveOut(engine: Engine, bytes = Number.POSITIVE_INFINITY): Promise<void> {
    const tookBytes = Math.min(bytes, this.limitBytes);
    const { weightsBytes } = engine.bytes(1, 1, { savedLayers: 0 });
    this.#isNews = true;
    if (tookBytes === Number.POSITIVE_INFINITY) return;
    this.#leftBytes = claimAfter(tookBytes, weightsBytes);
    await rememberLimit(engine, this.#leftBytes);
  }

  /** It gave out since news of that were taken last. */
  get isNews(): boolean {
    return this.#isNews;
  }

  takeNews(): boolean {
    const isNews = this.#isNews;
    this.#isNews = false;
    return isNews;
  }
}
