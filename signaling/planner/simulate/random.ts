/** Seeded draws; the same seed gives the same sequence on every machine. */
export interface RandomSource {
  /** In (0, 1), never 0 or 1. */
  uniform(): number;
  /** Mean 0, variance 1. */
  normal(): number;
  /** Mean 1: the power of a Rayleigh-fading channel. */
  exponential(): number;
}

/**
 * SplitMix32: a Weyl sequence through a 32-bit finaliser (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014;
 * constants of the finaliser by Prospector). `keys` are mixed in one by one, so that (seed, device) pairs give independent streams.
 */
export function randomSource(...keys: readonly number[]): RandomSource {
  let state = 0;
  for (const key of keys) state = mix(state ^ mix(key + 0x9e3779b9));
  const uniform = () => {
    state = (state + 0x9e3779b9) | 0;
    return ((mix(state) >>> 0) + 0.5) / 2 ** 32;
  };
  return {
    uniform,
    // Box and Muller, 1958.
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
    exponential: () => -Math.log(uniform()),
  };
}

function mix(value: number): number {
  let z = value | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}
