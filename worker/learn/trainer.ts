import type { Block } from '../../signaling/protocol/round.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { WorkOrder, WorkPart } from '../api/work.ts';
import type { Engine } from '../engine/engine.ts';
import { blockSums } from './block-sums.ts';
import { microBatches, sizedMicroBatches } from './micro-batches.ts';

/** Called after each step of work, with its seconds; may wait, and throws to stop the work. */
export type AfterStep = (seconds: number) => Promise<void>;

/**
 * Trains one order: its samples go forward and back in micro-batches of like lengths, whose gradients add up. Parts come shallow blocks first, each as
 * soon as the last micro-batch has passed its block; `done` comes last.
 */
export async function* runOrder(
  engine: Engine,
  order: WorkOrder,
  afterStep: AfterStep,
): AsyncGenerator<WorkPart, void, void> {
  const { layers: layerCount } = engine.shape;
  const deepest = order.layers[0] ?? layerCount;
  const { add } = blockSums();
  const wanted = new Set<Block>(order.layers);
  const seconds = { all: 0, forward: 0 };
  let lossSum = 0;

  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work();
    await afterStep((performance.now() - start) / 1000);
    seconds.all += (performance.now() - start) / 1000;
    return result;
  };
  const { batch: whole, microBatch, microBatchSizes } = order;
  const batches =
    microBatchSizes === undefined ? microBatches(engine, whole, microBatch) : sizedMicroBatches(whole, microBatchSizes);
  for (const [index, { batch }] of batches.entries()) {
    const last = index === batches.length - 1;
    const dropout = { ...order.dropout, round: order.round };
    const pass = await engine.begin(batch, { saveFrom: deepest, dropout, recompute: order.recompute ?? false });
    try {
      const before = seconds.all;
      let hidden = await step(() => pass.embed());
      for (let layer = 0; layer < layerCount; layer++)
        hidden = await step(() => pass.forward({ from: layer, to: layer + 1 }, hidden));
      const result = await step(() => pass.loss(hidden, { dHidden: wanted.size > 0, headGradient: order.head }));
      // With the loss: an engine may do the work only when a result is read.
      seconds.forward += seconds.all - before;
      lossSum += result.lossSum;
      if (result.head !== null) {
        const gradient = add('head', result.head.gradient);
        if (last) yield { kind: 'gradient', block: 'head', gradient };
      }
      if (result.dHidden === null) continue;
      const backward = pass.backward({ from: deepest, to: layerCount }, result.dHidden, false);
      for (let next = await step(() => backward.next()); !next.done; next = await step(() => backward.next())) {
        const { block } = next.value;
        if (!wanted.has(block)) continue;
        const gradient = add(block, next.value.gradient);
        if (last) yield { kind: 'gradient', block, gradient };
      }
    } finally {
      pass.dispose();
    }
  }
  yield { kind: 'done', lossSum, computeSeconds: seconds.all, forwardSeconds: seconds.forward };
}

/** (B,labels) logits without dropout, in the order of the samples. */
export async function evaluateBatch(
  engine: Engine,
  batch: TokenBatch,
  microBatch: number,
  afterStep: AfterStep,
): Promise<Float32Array> {
  const { layers } = engine.shape;
  let logits = new Float32Array(0);
  for (const { batch: part, rows } of microBatches(engine, batch, microBatch)) {
    const pass = await engine.begin(part, { saveFrom: layers, dropout: { probability: 0, seed: 0, round: 1 } });
    try {
      const start = performance.now();
      let hidden = await pass.embed();
      for (let layer = 0; layer < layers; layer++) {
        const before = performance.now();
        hidden = await pass.forward({ from: layer, to: layer + 1 }, hidden);
        await afterStep((performance.now() - (layer === 0 ? start : before)) / 1000);
      }
      const { logits: found } = await pass.loss(hidden, { dHidden: false, headGradient: false });
      const labels = found.length / rows.length;
      if (logits.length === 0) logits = new Float32Array(batch.lengths.length * labels);
      for (const [i, row] of rows.entries()) logits.set(found.subarray(i * labels, (i + 1) * labels), row * labels);
    } finally {
      pass.dispose();
    }
  }
  return logits;
}
