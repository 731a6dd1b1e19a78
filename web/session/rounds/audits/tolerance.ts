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

const SINGLE: Tolerance = { distance: 1e-3, stretch: 1e-3, loss: 1e-3, leastLoss: 0.1 };

/**
 * By how a session keeps its frozen weights: devices with 16-bit weights may compute in half precision. The numbers stand between what
 * pairs of engines were measured to differ by (`test/fixtures/engine-pairs.json`: at most a hundredth of this in single precision, a fifth
 * in half) and the least lie that does harm.
 */
export const TOLERANCES: Readonly<Record<WeightStorage, Tolerance>> = {
  f32: SINGLE,
  int8: SINGLE,
  f16: { distance: 0.03, stretch: 0.01, loss: 0.01, leastLoss: 0.1 },
};
