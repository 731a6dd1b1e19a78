/** A stream of draws that a seed fixes. */
export interface RandomSource {
  /** In [0, 1). */
  uniform(): number;
  /** Whole number in [0, limit). */
  below(limit: number): number;
  /** Standard normal (Box and Muller, 1958). */
  normal(): number;
  shuffle<T>(items: readonly T[]): T[];
}

/** SplitMix32: a Weyl sequence through a 32-bit mixing function (constants of Ettinger's mulberry32, public domain). */
export function drawsFrom(seed: number): RandomSource {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const uniform = () => next() / 2 ** 32;
  const below = (limit: number) => Math.floor(uniform() * limit);
  return {
    uniform,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle: (items) => {
      const shuffled = [...items];
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
      }
      return shuffled;
    },
  };
}
