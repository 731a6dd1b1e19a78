import type { WorkOrder } from '../api/work.ts';
import type { Engine } from '../engine/engine.ts';
import { claimedBytes, longestOf, refuseAbove } from '../learn/stage-memory.ts';

/** @throws Error, one sentence, where an order takes more than training may. */
export function refuseLarge(engine: Engine, order: WorkOrder, limitBytes: number): void {
  const { lengths, tokens } = order.batch;
  const samples = Math.min(lengths.length, Math.max(order.microBatch, ...(order.microBatchSizes ?? [])));
  const deepest = order.layers[0] ?? engine.shape.layers;
  const needs = { savedLayers: engine.shape.layers - deepest, recompute: order.recompute ?? false };
  const bytes = claimedBytes(engine, samples, longestOf(lengths, tokens), needs);
  refuseAbove(limitBytes, bytes, `Micro-batches of ${samples} samples`);
}

/** More samples at once make evaluation no faster. */
const MOST_EVALUATED_AT_ONCE = 32;

/** The most samples of `tokens` tokens whose forward pass fits `limitBytes`; one at least. */
export function evaluatedAtOnce(engine: Pick<Engine, 'bytes'>, tokens: number, limitBytes: number): number {
  let samples = MOST_EVALUATED_AT_ONCE;
  const fits = () => {
    const { weightsBytes, transientBytes } = engine.bytes(samples, tokens, { savedLayers: 0 });
    return weightsBytes + transientBytes <= limitBytes;
  };
  while (samples > 1 && !fits()) samples = Math.floor(samples / 2);
  return samples;
}
