import { leastOfAlike } from '../pipelines/room-bound.ts';
import type { PassTable } from '../pipelines/rows.ts';
import { RunPaths } from '../pipelines/run-paths.ts';
import { statedBound } from '../problem/stated-bound.ts';
import type { ReplicaEvaluator } from './replica-evaluator.ts';

/** Where thresholds begin: about as much of a plan's seconds is nearly always out of reach. */
const FIRST = 0.5;
/** From one threshold that is out of reach to the next, at least and at most. */
const UP = 1.02;
const MOST_UP = 1.08;
/** Looks at all shares, each followed by a step of the prices or of the threshold. */
const LOOKS = 24;
/** After so many in vain the first threshold falls. */
const IN_VAIN = 8;
const DOWN = 0.85;
/** Of the last directions of the prices' steps so much goes on. */
const KEPT = 0.6;
/** The prices' steps aim at what excludes and a tenth; they are not shorter than this. */
const AIM = 1.1;
const SHORTEST = 0.01;
/** The first prices are those of runs within so much of the threshold, with this number of samples. */
const FIRST_PART = 0.7;
const FIRST_SAMPLES = 4;
/** Labels are told apart to this part of the threshold. */
const BUCKETS = 48;
/** Chains are looked at apart by how long their whole way takes: in so many classes. */
const CLASSES = 6;
/** Above 1 by so much excludes: sums of prices are rounded. */
const CLEARLY = 1 + 1e-9;
/** Up to so many samples each number is looked at by itself, above them in bands that grow. */
const ONE_BY_ONE = 8;
const WIDER = 1.3;

/** Chains of one size of micro-batches whose whole way there and back takes about as long. */
interface Chains {
  readonly paths: RunPaths;
  readonly table: PassTable;
  readonly number: number;
}

/** Pipelines that take at least `samples` and at most `most`. */
interface Band {
  readonly samples: number;
  readonly most: number;
  readonly chains: readonly Chains[];
  /** Those that were the cheapest at some prices: looked at first. */
  readonly active: Chains[];
}

/**
 * No several pipelines that share the samples are faster, nor is one. `roomBound` for many: devices have prices that sum to 1, and what all
 * pipelines use costs 1 at most. Where every way to share the samples costs more, each pipeline at the price of the cheapest chain of runs
 * that could take its samples before T, T is out of reach. Fewer samples are never dearer, so that a band costs what its fewest do. T rises as
 * long as prices are found that exclude it (docs/planner.md).
 */
export function priceBound(evaluator: ReplicaEvaluator, reachedSeconds: number): number {
  const { devices } = evaluator.rows;
  const search = new Exclusion(evaluator, FIRST * reachedSeconds);
  const direction = new Float64Array(devices);
  let low = 0;
  let inVain = 0;
  for (let look = 0; look < LOOKS && search.seconds < reachedSeconds; look++) {
    const shares = search.cheapest(false);
    if (shares.cost > CLEARLY && search.cheapest(true).cost > CLEARLY) {
      low = search.seconds;
      search.seconds = Math.min(reachedSeconds, low * Math.min(MOST_UP, Math.max(UP, Math.sqrt(shares.cost))));
      continue;
    }
    if (low === 0 && ++inVain % IN_VAIN === 0) search.seconds *= DOWN;
    for (let k = 0; k < devices; k++) direction[k] = KEPT * direction[k]! + (1 - KEPT) * search.used(shares, k);
    climb(search.prices, direction, shares.cost);
  }
  return statedBound(low);
}

interface Shares {
  readonly cost: number;
  /** Numbers of the bands, one for each pipeline. */
  readonly bands: readonly number[];
}

/** The cheapest way to share the samples at a threshold and the devices' prices. */
class Exclusion {
  seconds: number;
  readonly prices: Float64Array;
  readonly #samples: number;
  readonly #bands: readonly Band[];
  /** By band, of what was looked at: its price, and how often devices are used for it. */
  readonly #costs: Float64Array;
  readonly #uses: readonly Int32Array[];

  constructor(evaluator: ReplicaEvaluator, seconds: number) {
    const { devices, samples } = evaluator.rows;
    this.seconds = seconds;
    this.#samples = samples;
    this.#bands = bandsOf(evaluator);
    this.#costs = new Float64Array(this.#bands.length);
    this.#uses = this.#bands.map(() => new Int32Array(devices));
    this.prices = firstPrices(evaluator, seconds);
    this.cheapest(true);
  }

  used({ bands }: Shares, device: number): number {
    return bands.reduce((sum, i) => sum + this.#uses[i]![device]!, 0);
  }

  /**
   * Of the active chains, or of all; those that are cheaper become active. Only bands that the cheapest shares consist of are looked at, and
   * others are taken to cost what smaller ones do, until that is all that the shares consist of, or exclude anyhow.
   */
  cheapest(all: boolean): Shares {
    const known = new Uint8Array(this.#bands.length);
    const stated = new Float64Array(this.#bands.length);
    for (;;) {
      let floor = 0;
      for (const i of known.keys()) {
        if (known[i] === 1) floor = Math.max(floor, this.#costs[i]!);
        stated[i] = known[i] === 1 ? this.#costs[i]! : floor;
      }
      const shares = cheapestShares(this.#bands, stated, this.#samples);
      const open = shares.bands.filter((i) => known[i] === 0);
      if (open.length === 0 || (all && shares.cost > CLEARLY)) return shares;
      for (const i of new Set(open)) {
        known[i] = 1;
        this.#look(i, all);
      }
    }
  }

  #look(i: number, all: boolean): void {
    const { active, chains } = this.#bands[i]!;
    this.#costs[i] = Infinity;
    for (const one of active) this.#ask(one, i);
    if (!all && active.length > 0) return;
    for (const one of chains) if (!active.includes(one) && this.#ask(one, i)) active.push(one);
  }

  /** Whether they are cheaper than what is known of the band. */
  #ask({ paths, table, number }: Chains, band: number): boolean {
    if (paths.threshold !== this.seconds) paths.prepare(table, this.seconds);
    const spare = this.seconds - paths.around;
    if (spare <= 0) return false;
    const longest = paths.around + (spare * (number + 1)) / CLASSES;
    const beside = spare - (spare * number) / CLASSES;
    const cost = paths.cheapest(this.prices, { longest, beside, enough: this.#costs[band]! });
    if (cost >= this.#costs[band]!) return false;
    this.#costs[band] = cost;
    this.#uses[band]!.set(paths.uses);
    return true;
  }
}

/** In proportion to the longest run that a device could have. */
function firstPrices(evaluator: ReplicaEvaluator, seconds: number): Float64Array {
  const { devices, samples } = evaluator.rows;
  const one = evaluator.at(Math.min(FIRST_SAMPLES, samples));
  const table = one.table(one.rows.samples);
  const paths = new RunPaths(one.rows, table, BUCKETS);
  paths.prepare(table, FIRST_PART * seconds);
  const sum = paths.reach.reduce((a, b) => a + b, 0);
  return Float64Array.from(paths.reach, (length) => (sum > 0 ? length / sum : 1 / devices));
}

/** Towards devices that the cheapest shares use. */
function climb(prices: Float64Array, uses: Float64Array, cost: number): void {
  const square = uses.reduce((sum, times) => sum + times * times, 0);
  if (square === 0) return;
  const length = Math.max(SHORTEST, AIM - cost) / square;
  let sum = 0;
  for (let k = 0; k < prices.length; k++) {
    prices[k] = prices[k]! + length * uses[k]!;
    sum += prices[k]!;
  }
  for (let k = 0; k < prices.length; k++) prices[k] = prices[k]! / sum;
}

function bandsOf(evaluator: ReplicaEvaluator): readonly Band[] {
  const { samples } = evaluator.rows;
  const starts: number[] = [];
  for (let n = 1; n <= samples; n = n < ONE_BY_ONE ? n + 1 : Math.ceil(n * WIDER)) starts.push(n);
  return starts.map((own, i) => {
    const one = evaluator.at(own);
    const chains = leastOfAlike(own).flatMap((microBatches) => {
      const table = one.table(microBatches);
      const paths = new RunPaths(one.rows, table, BUCKETS);
      return Array.from({ length: CLASSES }, (_, number): Chains => ({ paths, table, number }));
    });
    return { samples: own, most: (starts[i + 1] ?? samples + 1) - 1, chains, active: [] };
  });
}

/** The cheapest bands that together take so many samples. */
function cheapestShares(bands: readonly Band[], costs: Float64Array, samples: number): Shares {
  const least = new Float64Array(samples + 1).fill(Infinity);
  const by = new Int32Array(samples + 1);
  least[0] = 0;
  for (let d = 1; d <= samples; d++)
    for (const [i, { most }] of bands.entries()) {
      const cost = costs[i]! + least[Math.max(0, d - most)]!;
      if (cost >= least[d]!) continue;
      least[d] = cost;
      by[d] = i;
    }
  const chosen: number[] = [];
  if (least[samples]! < Infinity) for (let d = samples; d > 0; d -= bands[by[d]!]!.most) chosen.push(by[d]!);
  return { cost: least[samples]!, bands: chosen };
}
