import { partOf, type UnitRun } from '../../signaling/protocol/split.ts';
import { bytesText } from '../../signaling/protocol/words/quantities.ts';
import type { StageOrder } from '../api/stage-api.ts';
import type { Engine, PassNeeds } from '../engine/engine.ts';

type Held = Pick<Engine, 'bytes' | 'shape' | 'recomputes' | 'openPasses'>;

/** Bytes of passes of at most `samples` samples of `tokens` tokens, everything that the engine holds included. */
export function claimedBytes(engine: Pick<Engine, 'bytes'>, samples: number, tokens: number, needs: PassNeeds): number {
  const { weightsBytes, transientBytes, savedBytes, gradientBytes } = engine.bytes(samples, tokens, needs);
  return weightsBytes + transientBytes + savedBytes + gradientBytes;
}

/** Tokens of the longest of some samples, as engines take them. */
export const longestOf = (lengths: Int32Array, tokens: number): number =>
  lengths.reduce((most, length) => Math.max(most, Math.min(tokens, length)), 1);

/** Layers of a run that go backward. */
function savedLayers({ run, lowest }: Pick<StageOrder, 'run' | 'lowest'>, layers: number): number {
  const part = partOf(run, layers).layers;
  return Math.max(0, part.to - Math.max(part.from, lowest));
}

/**
 * The order as it fits the limit: as it is; or, where the passes of its window do not fit side by side, with each going forward again, which
 * changes no bit of what comes out.
 * @throws Error, one sentence, where not even that fits.
 */
export function fittingOrder(engine: Held, order: StageOrder, limitBytes: number): StageOrder {
  const samples = Math.max(...order.microBatchSizes);
  const tokens = longestOf(order.lengths, order.tokens);
  const saved = savedLayers(order, engine.shape.layers);
  const open = Math.max(1, Math.min(order.window, order.microBatchSizes.length));
  const bytesOf = (again: boolean): number =>
    claimedBytes(engine, samples, tokens, {
      savedLayers: saved,
      openPasses: again || open > engine.openPasses ? 1 : open,
      recompute: again && engine.recomputes,
    });
  if (order.recompute || bytesOf(false) > limitBytes) {
    refuseAbove(limitBytes, bytesOf(true), `Micro-batches of ${samples} samples in ${runText(order.run)}`);
    return { ...order, recompute: true };
  }
  return order;
}

const runText = ({ from, to }: UnitRun): string => `units ${from} to ${to - 1}`;

/** @throws Error, one sentence, where what is asked for takes more than training may. */
export function refuseAbove(limitBytes: number, bytes: number, what: string): void {
  if (bytes > limitBytes)
    throw new Error(`${what} take ${bytesText(bytes)} here, and training may use ${bytesText(limitBytes)}.`);
}
