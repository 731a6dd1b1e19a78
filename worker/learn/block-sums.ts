import type { Block } from '../../signaling/protocol/round.ts';

/**
 * Gradients summed over micro-batches, by block: in f32, in the order in which they are added, the first one kept as it came. Whoever adds
 * the same micro-batches in the same order has the same bits.
 */
export function blockSums(): { add(block: Block, gradient: Float32Array): Float32Array } {
  const sums = new Map<Block, Float32Array>();
  return {
    /** The sum with it. */
    add(block, gradient) {
      const sum = sums.get(block);
      if (sum === undefined) {
        sums.set(block, gradient);
        return gradient;
      }
      for (let i = 0; i < sum.length; i++) sum[i]! += gradient[i]!;
      return sum;
    },
  };
}
