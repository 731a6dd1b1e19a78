import { statedBound } from '../problem/stated-bound.ts';
import type { Evaluator } from './evaluator.ts';
import { RunPaths } from './run-paths.ts';

/** Steps from a stage to the next that a bound may look at. */
const WORK = 4e7;
/** The least excluded seconds are found to this part of themselves. */
const CLOSE = 0.01;
/** Steps of the prices at one threshold. */
const CLIMBS = 40;
/** Above 1 by so much excludes: sums of prices are rounded. */
const CLEARLY = 1 + 1e-9;

/**
 * No pipeline is faster. At a threshold T, devices get prices that sum to 1. A pipeline uses a device at most once, so that what it uses costs
 * 1 at most; where every chain of runs that could finish before T costs more, devices repeated as it likes, T is out of reach. The prices of
 * devices that the cheapest chain repeats climb (docs/planner.md has the proof and what a chain must satisfy).
 */
export function roomBound(evaluator: Evaluator, reachedSeconds: number): number {
  const { rows } = evaluator;
  const groups = leastOfAlike(rows.samples).map((count) => evaluator.table(count));
  const paths = new RunPaths(rows, evaluator.table(rows.samples));
  const prices = new Float64Array(rows.devices).fill(1 / rows.devices);
  let work = WORK;
  /** Whether every chain at every count of micro-batches costs too much. */
  const excluded = (seconds: number): boolean =>
    groups.every((table) => {
      paths.prepare(table, seconds);
      for (let step = 0; step <= CLIMBS; step++) {
        const cost = paths.cheapest(prices);
        work -= paths.steps;
        if (cost > CLEARLY) return true;
        if (work < 0 || step === CLIMBS) return false;
        climb(prices, paths.uses, cost);
      }
      return false;
    });
  let low = 0;
  let high = reachedSeconds;
  while (work > 0 && high - low > CLOSE * high) {
    const middle = (low + high) / 2;
    if (excluded(middle)) low = middle;
    else high = middle;
  }
  return statedBound(low);
}

/** Towards devices that the cheapest chain uses, the more the oftener; Polyak's step to a tenth above what excludes. */
export function climb(prices: Float64Array, uses: Int32Array, cost: number): void {
  let square = 0;
  for (const times of uses) square += times * times;
  if (square === 0) return;
  const length = (1.1 - cost) / square;
  let sum = 0;
  for (let k = 0; k < prices.length; k++) {
    prices[k] = prices[k]! + length * uses[k]!;
    sum += prices[k]!;
  }
  for (let k = 0; k < prices.length; k++) prices[k] = prices[k]! / sum;
}

/** Of the counts of micro-batches whose sizes are alike the least one: more of them only add fixed costs. Most micro-batches first. */
export function leastOfAlike(samples: number): readonly number[] {
  const least = new Map<string, number>();
  for (let count = samples; count >= 1; count--)
    least.set(`${Math.ceil(samples / count)} ${Math.floor(samples / count)}`, count);
  return [...least.values()];
}
