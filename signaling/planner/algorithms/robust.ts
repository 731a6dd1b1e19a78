/** Robust and constrained estimates that the running fit is made of. */

/**
 * Weighted least-squares fit of a non-decreasing sequence (isotonic regression) by pooling adjacent violators.
 * Ayer, Brunk, Ewing, Reid and Silverman, "An empirical distribution function for sampling with incomplete information", 1955.
 * O(length); weights must be positive.
 */
export function isotonic(values: readonly number[], weights: readonly number[]): number[] {
  const pools: { mean: number; weight: number; length: number }[] = [];
  values.forEach((value, index) => {
    let pool = { mean: value, weight: weights[index]!, length: 1 };
    for (let last = pools.at(-1); last !== undefined && last.mean > pool.mean; last = pools.at(-1)) {
      pools.pop();
      const weight = last.weight + pool.weight;
      pool = {
        mean: (last.mean * last.weight + pool.mean * pool.weight) / weight,
        weight,
        length: last.length + pool.length,
      };
    }
    pools.push(pool);
  });
  return pools.flatMap(({ mean, length }) => Array<number>(length).fill(mean));
}

export interface WeightedPoint {
  readonly depth: number;
  readonly value: number;
  readonly weight: number;
}

/** Minimises the sum of weight * ((base + depth * perDepth - value) / value)^2 over base, perDepth >= 0. */
export function nearestLine(points: readonly WeightedPoint[]): { readonly base: number; readonly perDepth: number } {
  let [s0, s1, s2, t0, t1] = [0, 0, 0, 0, 0];
  for (const { depth, value, weight } of points) {
    const w = weight / Math.max(1e-12, value) ** 2;
    s0 += w;
    s1 += w * depth;
    s2 += w * depth * depth;
    t0 += w * value;
    t1 += w * value * depth;
  }
  const determinant = s0 * s2 - s1 * s1;
  const base = (s2 * t0 - s1 * t1) / determinant;
  const perDepth = (s0 * t1 - s1 * t0) / determinant;
  if (base < 0) return { base: 0, perDepth: Math.max(0, t1 / s2) };
  if (perDepth < 0) return { base: Math.max(0, t0 / s0), perDepth: 0 };
  return { base, perDepth };
}

/** Smallest value at which half the weight is reached, or the mean with the next one where exactly half is. */
export function weightedMedian(values: readonly number[], weights: readonly number[]): number {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  let half = 0;
  for (const weight of weights) half += weight / 2;
  let reached = 0;
  for (let rank = 0; rank < order.length; rank++) {
    const index = order[rank]!;
    reached += weights[index]!;
    const next = order[rank + 1];
    if (next !== undefined && Math.abs(reached - half) < 1e-9 * half) return (values[index]! + values[next]!) / 2;
    if (reached > half || next === undefined) return values[index]!;
  }
  throw new Error('The median of no values was asked for.');
}
