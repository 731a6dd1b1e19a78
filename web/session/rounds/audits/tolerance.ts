import type { WeightStorage } from '../../../../signaling/protocol/settings.ts';

/** How far two honest devices may be apart. */
export interface Tolerance {
  /** Of a block's gradient (`Difference` in `compare.ts`). */
  readonly distance: number;
  readonly stretch: number;
  /** Of the loss of an order's samples, in parts of it. */
  readonly loss: number;
  /** A mean loss below this is not told apart from it. */
  readonly leastLoss: number;
}

/** Pairs of engines in single precision differ by a thousandth of this, in twelve layers of random weights by a fourteenth. */
const SINGLE: Tolerance = { distance: 1e-2, stretch: 5e-3, loss: 3e-3, leastLoss: 0.1 };

/** In half precision, where a model bears it well: pairs differ by a fifth of this. */
const HALF: Tolerance = { distance: 0.03, stretch: 0.01, loss: 0.01, leastLoss: 0.1 };
/** Until it is known how well it does, and where it does badly: whoever sends nothing of use is told apart all the same. */
const COARSE: Tolerance = { distance: 0.9, stretch: 0.8, loss: 0.1, leastLoss: 0.1 };
/** So many times what is usual between the devices of a room. */
const USUAL = 10;
/** What is usual in a model that bears half precision. In others single differences are far above it. */
const BORNE = 0.01;
/** Of fewer devices nobody can say what is usual. */
const LEAST_DEVICES = 3;

/**
 * By how a session keeps its frozen weights. With 16-bit weights devices may compute in half precision, and what that does to a gradient depends
 * on the model: 0.5 % was measured in one, 82 % in another (`test/fixtures/engine-pairs.json`). So there it goes by what devices of the room
 * were seen to differ by: `seen` has for each audited device the most of late, and most devices are honest.
 */
export function toleranceFor(weights: WeightStorage, seen: readonly number[]): Tolerance {
  if (weights !== 'f16') return SINGLE;
  if (seen.length < LEAST_DEVICES) return COARSE;
  const usual = seen.toSorted((a, b) => a - b)[(seen.length - 1) >> 1] ?? 0;
  if (!(usual <= BORNE)) return COARSE;
  const times = Math.max(1, (USUAL * usual) / HALF.distance);
  const { distance, stretch, loss, leastLoss } = HALF;
  return { distance: times * distance, stretch: times * stretch, loss: times * loss, leastLoss };
}
