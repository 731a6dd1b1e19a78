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

/** Pairs of engines in single precision differ by at most a twentieth of this, in a model of twelve layers with random weights, else by a hundredth. */
const SINGLE: Tolerance = { distance: 1e-3, stretch: 1e-3, loss: 1e-3, leastLoss: 0.1 };

/** In half precision, where a model bears it well: pairs differ by a fifth of this. */
const HALF: Tolerance = { distance: 0.03, stretch: 0.01, loss: 0.01, leastLoss: 0.1 };
/** Until it is known how well it does: whoever sends nothing of use is told apart all the same. */
const COARSE: Tolerance = { distance: 0.6, stretch: 0.5, loss: 0.1, leastLoss: 0.1 };
/** So many times what is usual between the devices of a room. */
const USUAL = 5;
/** Of fewer devices nobody can say what is usual. */
const LEAST_DEVICES = 3;

/**
 * By how a session keeps its frozen weights. With 16-bit weights devices may compute in half precision, and what that does to a gradient depends
 * on the model: 0.2 % was measured in one, 11 % in another (`test/fixtures/engine-pairs.json`). So there it goes by what devices of the room
 * were seen to differ by: `seen` has for each audited device the most of late, and most devices are honest.
 */
export function toleranceFor(weights: WeightStorage, seen: readonly number[]): Tolerance {
  if (weights !== 'f16') return SINGLE;
  if (seen.length < LEAST_DEVICES) return COARSE;
  const usual = USUAL * (seen.toSorted((a, b) => a - b)[(seen.length - 1) >> 1] ?? 0);
  if (!(usual > HALF.distance)) return HALF;
  const distance = Math.min(COARSE.distance, usual);
  const times = distance / HALF.distance;
  return {
    distance,
    stretch: Math.min(COARSE.stretch, times * HALF.stretch),
    loss: Math.min(COARSE.loss, times * HALF.loss),
    leastLoss: HALF.leastLoss,
  };
}
