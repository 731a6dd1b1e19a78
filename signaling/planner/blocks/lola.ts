import { bitsPerSecond, type RateLaw } from '../problem/channel.ts';
import { type BlockTable, rowsOf } from '../problem/table.ts';
import { smallestPerDepth } from './bottleneck.ts';
import { wholeBandwidthBound } from './bounds.ts';
import { assignCandidates, hertzTable, type JointAnswer, jointly, startFromCrunch } from './exact.ts';

const MAX_ITERATIONS = 300;
/** Give up after so many iterations in which neither the best allocation nor the bound moved by a ten-thousandth. */
const PATIENCE = 80;
/** Bound on pair evaluations, so that a huge fleet ends too. */
const MAX_PAIR_STEPS = 20_000_000;
const CLOSE_ENOUGH = 1e-6;

export interface LolaAnswer extends JointAnswer {
  /** The best value of the dual function: no allocation of one block per device is faster. */
  readonly lowerBoundSeconds: number;
  readonly iterations: number;
}

/**
 * Joint bandwidth and block allocation by dual ascent, our model of JBBA. Minimise T over allocations x and hertz W, subject to
 *   sum_b x[k,b] t[k,b] <= T for every device k   (multiplier lambda_k),
 *   sum_k x[k,b] t[k,b] <= T for every depth b    (multiplier beta_b; implied, but it tightens the relaxation when devices stay unused),
 *   sum_k W_k <= W                                 (price nu),      t[k,b] = compute + bits / rate_k(W_k).
 * T is free, so the multipliers sum to 1. With mu = lambda_k + beta_b the Lagrangian splits over pairs: the bandwidth part
 * min over W of mu bits / rate(W) + nu W is closed (sqrt(mu bits / (nu r)) hertz in the linear channels), what is left is a linear
 * assignment. Each iteration solves it, lifts the best bound, shares the bandwidth of its allocation exactly, keeps the best, and prunes
 * pairs that the new best latency rules out. The multipliers climb by exponentiated subgradients with Polyak's step.
 * Null when no allocation works.
 */
export function lola(table: BlockTable): LolaAnswer | null {
  const start = startFromCrunch(table);
  if (!start) return null;
  const { depths, bandwidthHz } = table;
  let best = start;
  let bound = Math.min(wholeBandwidthBound(table), best.latencySeconds);
  let field = narrow(wholeField(table), best.latencySeconds);
  let price = priceOf(table, best, 1 / depths);
  let iterations = 0;
  let stale = 0;
  for (
    let work = 0;
    iterations < MAX_ITERATIONS && stale < PATIENCE && work < MAX_PAIR_STEPS;
    work += field.pairs.length
  ) {
    iterations++;
    stale++;
    if (best.latencySeconds - bound <= CLOSE_ENOUGH * best.latencySeconds) break;
    const relaxed = allocate(field, price);
    // Nothing that could be faster is left: the best is proven.
    if (!relaxed) {
      bound = best.latencySeconds;
      break;
    }
    const dual = (relaxed.cost - price * bandwidthHz) * (1 - 1e-9);
    if (dual > bound * (1 + 1e-4)) stale = 0;
    bound = Math.max(bound, Math.min(dual, best.latencySeconds));
    const step = subgradient(field, relaxed.allocation, price);
    climb(field.multipliers, step.slopes, step.mean, (best.latencySeconds - dual) / best.latencySeconds, iterations);
    // The price that would spend exactly the whole bandwidth on this allocation is its square; half the way there, logarithmically.
    if (step.hertz > 0) price *= step.hertz / bandwidthHz;
    const allocation = relaxed.allocation.map((row) => field.rows[row]!);
    const primal = jointly(table, allocation);
    if (primal.latencySeconds < best.latencySeconds * (1 - 1e-12)) {
      if (primal.latencySeconds < best.latencySeconds * (1 - 1e-4)) stale = 0;
      best = primal;
      field = narrow(field, best.latencySeconds);
    }
  }
  return { ...best, lowerBoundSeconds: bound, iterations };
}

/** What is still in question: the devices that can be part of something better, their multipliers, and the pairs among them. */
interface Field {
  readonly table: BlockTable;
  /** (rows) index of each device in the problem. */
  readonly rows: readonly number[];
  /** (rows + N) lambda, then beta. */
  readonly multipliers: Float64Array;
  /** Entries of `table` that may be used. */
  readonly pairs: Int32Array;
}

function wholeField(table: BlockTable): Field {
  const size = table.ids.length + table.depths;
  return {
    table,
    rows: table.ids.map((_, k) => k),
    multipliers: new Float64Array(size).fill(1 / size),
    pairs: new Int32Array(0),
  };
}

/** CRUNCH's cut at the best latency known: pairs that can not be part of anything faster go, and devices without a pair with them. */
function narrow(field: Field, limitSeconds: number): Field {
  const { depths } = field.table;
  const promising = promisingPairs(field.table, limitSeconds);
  const kept = [...new Set(Array.from(promising, (entry) => Math.floor(entry / depths)))];
  const newRow = new Map(kept.map((row, i) => [row, i]));
  const multipliers = Float64Array.from([
    ...kept.map((row) => field.multipliers[row]!),
    ...field.multipliers.slice(-depths),
  ]);
  normalise(multipliers);
  return {
    table: rowsOf(field.table, kept),
    rows: kept.map((row) => field.rows[row]!),
    multipliers,
    pairs: promising.map((entry) => newRow.get(Math.floor(entry / depths))! * depths + (entry % depths)),
  };
}

function normalise(multipliers: Float64Array): void {
  const total = multipliers.reduce((a, b) => a + b, 0);
  for (let i = 0; i < multipliers.length; i++) multipliers[i]! /= total;
}

/**
 * Entries of the (K,N) table that an allocation below the limit may use: at the limit, the pair's hertz and the least of every other
 * depth must fit the whole bandwidth.
 */
function promisingPairs(table: BlockTable, limitSeconds: number): Int32Array {
  const { depths, bandwidthHz } = table;
  const hertz = hertzTable(table, limitSeconds);
  const least = new Float64Array(depths).fill(Infinity);
  for (let entry = 0; entry < hertz.length; entry++) {
    if (hertz[entry]! < least[entry % depths]!) least[entry % depths] = hertz[entry]!;
  }
  const spare = bandwidthHz - least.reduce((a, b) => a + b, 0);
  const kept: number[] = [];
  hertz.forEach((needed, entry) => {
    if (needed - least[entry % depths]! < spare) kept.push(entry);
  });
  return Int32Array.from(kept);
}

/** The assignment that minimises the Lagrangian; its cost is without the - nu W of the bandwidth constraint. */
function allocate({ table, pairs, multipliers }: Field, price: number) {
  const { depths, computeSeconds, uploadBits, law, coefficient, ids } = table;
  const devices = ids.length;
  const cost = new Float64Array(computeSeconds.length).fill(Infinity);
  for (const entry of pairs) {
    const b = entry % depths;
    const k = (entry - b) / depths;
    const mu = multipliers[k]! + multipliers[devices + b]!;
    const bits = uploadBits[b]!;
    cost[entry] = mu * computeSeconds[entry]! + uploadCost(law, coefficient[k]!, bits, mu, price);
  }
  return assignCandidates(smallestPerDepth(cost, depths, ids, () => depths).candidates);
}

/** min over W of mu bits / rate(W) + nu W. */
function uploadCost(law: RateLaw, coefficient: number, bits: number, mu: number, price: number): number {
  if (bits === 0) return 0;
  if (law === 'linear') return 2 * Math.sqrt((mu * price * bits) / coefficient);
  const hertz = pricedHertz(law, coefficient, bits, mu, price);
  return (mu * bits) / bitsPerSecond(law, coefficient, hertz) + price * hertz;
}

/** The hertz that the pair buys at the price: where mu bits rate'(W) / rate(W)^2 = nu. */
function pricedHertz(law: RateLaw, coefficient: number, bits: number, mu: number, price: number): number {
  if (bits === 0) return 0;
  if (law === 'linear') return Math.sqrt((mu * bits) / (price * coefficient));
  // With x = s / W the condition is x^2 (ln(1+x) - x/(1+x)) / ln(1+x)^2 = nu s^2 / (mu bits ln 2); Newton on logarithms.
  const target = Math.log((price * coefficient * coefficient) / (mu * bits * Math.LN2));
  let u = target > 0 ? target / 1.8 : target / 2;
  for (let step = 0; step < 30; step++) {
    const x = Math.exp(u);
    const log = Math.log1p(x);
    const gap = Math.max(log - x / (1 + x), Number.MIN_VALUE);
    const value = 2 * u + Math.log(gap) - 2 * Math.log(log);
    const slope = 2 + (x * x) / ((1 + x) * (1 + x) * gap) - (2 * x) / ((1 + x) * log);
    const move = (target - value) / slope;
    u += move;
    if (Math.abs(move) < 1e-10) break;
  }
  return coefficient / Math.exp(u);
}

/** What each constraint takes at the relaxed solution, their mean under the multipliers, and the hertz bought. */
function subgradient(
  { table, multipliers }: Field,
  allocation: readonly number[],
  price: number,
): { slopes: Float64Array; mean: number; hertz: number } {
  const { depths, computeSeconds, uploadBits, law, coefficient, ids } = table;
  const slopes = new Float64Array(multipliers.length);
  let hertz = 0;
  let mean = 0;
  allocation.forEach((k, b) => {
    const mu = multipliers[k]! + multipliers[ids.length + b]!;
    const bits = uploadBits[b]!;
    const bought = pricedHertz(law, coefficient[k]!, bits, mu, price);
    const upload = bits === 0 ? 0 : bits / bitsPerSecond(law, coefficient[k]!, bought);
    const seconds = computeSeconds[k * depths + b]! + upload;
    slopes[k] = seconds;
    slopes[ids.length + b] = seconds;
    mean += mu * seconds;
    hertz += bought;
  });
  return { slopes, mean, hertz };
}

/** One exponentiated step on the simplex: Polyak's length from the gap that is left, slowly damped; steep slopes are clipped. */
function climb(multipliers: Float64Array, slopes: Float64Array, mean: number, gap: number, iteration: number): void {
  const relative = (i: number) => Math.max(-2, Math.min(2, slopes[i]! / mean - 1));
  let square = 0;
  for (let i = 0; i < multipliers.length; i++) square += multipliers[i]! * relative(i) ** 2;
  const length = Math.min(1, (2 * gap) / Math.max(square, 1e-9)) / Math.sqrt(1 + iteration / 30);
  for (let i = 0; i < multipliers.length; i++) {
    multipliers[i] = Math.max(1e-12, multipliers[i]! * Math.exp(length * relative(i)));
  }
  normalise(multipliers);
}

/** The marginal seconds per hertz at a shared allocation, for equal multipliers. */
function priceOf(table: BlockTable, shared: JointAnswer, mu: number): number {
  let price = 0;
  shared.allocation.forEach((k, b) => {
    const hertz = shared.hertz[b]!;
    const bits = table.uploadBits[b]!;
    if (hertz > 0) price += (mu * bits) / (bitsPerSecond(table.law, table.coefficient[k]!, hertz) * hertz);
  });
  return price / table.depths || Number.MIN_VALUE;
}
