import type { Learner } from './learner.ts';

/**
 * 32 bits of a learner's vectors and step count, to notice that two devices have drifted apart; every bit of every value counts. It protects
 * against faults, not against somebody who wants two states to look alike.
 */
export function stateDigest({ values, optimiser }: Pick<Learner, 'values' | 'optimiser'>): number {
  let hash = optimiser.steps | 0;
  for (const vector of [values, optimiser.firstMoment, optimiser.secondMoment]) {
    const words = new Int32Array(vector.buffer, vector.byteOffset, vector.length);
    for (let i = 0; i < words.length; i++) {
      hash = Math.imul(hash ^ words[i]!, 0x9e3779b1);
      // Products carry upwards alone; without this two flipped signs would cancel out.
      hash ^= hash >>> 15;
    }
  }
  return hash >>> 0;
}
