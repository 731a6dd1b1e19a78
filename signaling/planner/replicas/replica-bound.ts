import type { SplitProblem } from '../../protocol/pipeline/split-problem.ts';
import { mediumBound } from '../pipelines/medium-bound.ts';
import { type Rows, rowsOf } from '../pipelines/rows.ts';
import { statedBound } from '../problem/stated-bound.ts';

/** The least excluded seconds are found to this part of themselves. */
const CLOSE = 0.01;
/** Steps of the prices at one threshold. */
const CLIMBS = 60;
/** Above what the devices can cover by so much excludes: sums are rounded. */
const CLEARLY = 1 + 1e-9;

/**
 * No pipeline, and no several that share the samples, is faster. Every unit is to be passed by every one of the D samples. A device has one
 * run and so many samples as it can pass before T at the most, wherever its run lies; give each unit a price for a sample: what all devices
 * earn at the most is at least what all is worth, or T is out of reach. The prices climb where too little is covered (docs/planner.md).
 */
export function replicaBound(problem: SplitProblem, reachedSeconds: number): number {
  const rows = rowsOf(problem);
  const runs = runsOf(rows);
  let prices = new Float64Array(rows.units).fill(1 / rows.units);
  const excluded = (seconds: number): boolean => {
    const passed = mostSamples(rows, runs, seconds);
    let own = Float64Array.from(prices);
    for (let step = 0; step <= CLIMBS; step++) {
      const { earned, covered } = earnings(rows, passed, own);
      if (rows.samples > earned * CLEARLY) {
        prices = own;
        return true;
      }
      if (step < CLIMBS) own = climbed(own, covered, rows.samples, earned);
    }
    return false;
  };
  let low = 0;
  let high = reachedSeconds;
  while (high - low > CLOSE * high) {
    const middle = (low + high) / 2;
    if (excluded(middle)) low = middle;
    else high = middle;
  }
  return statedBound(problem.shared ? Math.max(low, mediumBound(rows)) : low);
}

/** The prices of units that are passed by fewer samples than there are rise; they sum to 1. */
function climbed(
  prices: Float64Array,
  covered: Float64Array,
  samples: number,
  earned: number,
): Float64Array<ArrayBuffer> {
  let square = 0;
  for (const passed of covered) square += (samples - passed) ** 2;
  if (square === 0) return Float64Array.from(prices);
  const length = (1.05 * earned - samples + 0.01 * samples) / square;
  const next = prices.map((price, u) => Math.max(0, price + length * (samples - covered[u]!)));
  const sum = next.reduce((a, b) => a + b, 0);
  // Every unit is passed by more samples than there are: no prices are better than others.
  if (sum === 0) return Float64Array.from(prices);
  return next.map((price) => price / sum);
}

/** What each device earns at the most, together, and how often units are passed in that. */
function earnings(
  { devices, units }: Rows,
  passed: Float64Array,
  prices: Float64Array,
): { readonly earned: number; readonly covered: Float64Array } {
  const below = new Float64Array(units + 1);
  for (let u = 0; u < units; u++) below[u + 1] = below[u]! + prices[u]!;
  const covered = new Float64Array(units);
  const side = units + 1;
  let earned = 0;
  for (let k = 0; k < devices; k++) {
    let [most, best] = [0, -1];
    for (let from = 0; from < units; from++)
      for (let to = from + 1, at = (k * side + from) * side + to; to <= units; to++, at++) {
        const value = passed[at]! * (below[to]! - below[from]!);
        if (value > most) [most, best] = [value, at];
      }
    earned += most;
    if (best < 0) continue;
    const from = Math.floor(best / side) % side;
    for (let u = from; u < best % side; u++) covered[u]! += passed[best]!;
  }
  return { earned, covered };
}

/** By device and run, what follows from the costs of passes: at most so many samples, and until when what. */
interface Runs {
  /** (K, N + 1, N + 1) samples that memory allows; 0 where the run does not fit. */
  readonly fitting: Float64Array;
  /** Undefined where the run does not fit. */
  readonly costs: readonly (Costs | undefined)[];
  /** (N + 1) the least that a sample needs to get to a cut, with its gradient's way back from there to the end, and above the cut there and back. */
  readonly arrival: Float64Array;
  readonly around: Float64Array;
  readonly above: Float64Array;
}

/** Seconds of a pass: those of one more sample, and beside them. */
interface Passing {
  readonly each: number;
  readonly fixed: number;
}

interface Costs {
  readonly forward: Passing;
  readonly backward: Passing;
  readonly up: Passing;
  readonly down: Passing;
  readonly lagUp: number;
  readonly lagDown: number;
  /** Of its gradients, with their lag. */
  readonly gradients: number;
  readonly trains: boolean;
  readonly isLowest: boolean;
}

const one = ({ each, fixed }: Passing): number => each + fixed;

function costsOf(rows: Rows, k: number, from: number, to: number): Costs {
  const { units, low, problem } = rows;
  const { split, devices } = problem;
  const { fixedSeconds: fixed, secondsPerSample: each } = devices[k]!;
  const layers = Math.max(0, Math.min(to, units - 1) - Math.max(from, 1));
  const trained = Math.max(0, Math.min(to, units - 1) - Math.max(from, low, 1));
  const isTop = to === units;
  const trains = to > low;
  const isLowest = trains && from <= low;
  const message = (cut: number): Passing => ({
    each: (cut === units - 1 ? split.headCutBits : split.hiddenBits) / rows.rate[k]!,
    fixed: split.messageBits / rows.rate[k]!,
  });
  const pass = (read: (seconds: typeof fixed) => number): Passing => ({ each: read(each), fixed: read(fixed) });
  const none: Passing = { each: 0, fixed: 0 };
  const bits = rows.gradientBitsBelow[to]! - rows.gradientBitsBelow[from]!;
  const lag = rows.lag[k]!;
  return {
    forward: pass((s) => (from === 0 ? s.embed : 0) + layers * s.forwardPerLayer),
    backward: trains ? pass((s) => trained * s.backwardPerLayer + (isTop ? s.head : 0)) : none,
    up: isTop ? none : message(to),
    down: from > low ? message(from) : none,
    lagUp: isTop ? 0 : lag,
    lagDown: from > low ? lag : 0,
    gradients: trains && k !== rows.host ? bits / rows.rate[k]! + lag : 0,
    trains,
    isLowest,
  };
}

function runsOf(rows: Rows): Runs {
  const { devices, units, samples } = rows;
  const side = units + 1;
  const fitting = new Float64Array(devices * side * side);
  const costs = new Array<Costs | undefined>(fitting.length);
  const { replayBytesPerSample: replay } = rows.problem.split;
  for (let k = 0; k < devices; k++)
    for (let from = 0; from < units; from++)
      for (let to = from + 1; to <= units; to++) {
        const layers = Math.max(0, Math.min(to, units - 1) - Math.max(from, 1));
        const trained = Math.max(0, Math.min(to, units - 1) - Math.max(from, rows.low, 1));
        const free =
          rows.limit[k]! -
          (from === 0 ? rows.embeddingBytes[k]! : 0) -
          layers * rows.layerBytes[k]! -
          (to === units ? rows.headBytes[k]! : 0) -
          rows.transient[k]! -
          trained * (rows.gradientBytes[k]! + rows.saved[k]!);
        if (free < 0) continue;
        const most = from === 0 || replay === 0 ? samples : Math.min(samples, Math.floor(free / replay));
        const at = (k * side + from) * side + to;
        fitting[at] = most;
        costs[at] = costsOf(rows, k, from, to);
      }
  const arrival = new Float64Array(side).fill(Infinity);
  const around = new Float64Array(side).fill(Infinity);
  const above = new Float64Array(side).fill(Infinity);
  [arrival[0], around[0], above[units]] = [0, 0, 0];
  const each = (visit: (own: Costs, from: number, to: number) => void, from: number) => {
    for (let k = 0; k < devices; k++)
      for (let to = from + 1; to <= units; to++) {
        const own = costs[(k * side + from) * side + to];
        if (own !== undefined) visit(own, from, to);
      }
  };
  for (let start = 0; start < units; start++)
    each((own, from, to) => {
      const up = one(own.forward) + one(own.up) + own.lagUp;
      const down = one(own.backward) + one(own.down) + own.lagDown + (own.isLowest ? own.gradients : 0);
      arrival[to] = Math.min(arrival[to]!, arrival[from]! + up);
      around[to] = Math.min(around[to]!, around[from]! + up + (own.trains ? down : 0));
    }, start);
  for (let start = units - 1; start >= 0; start--)
    each((own, from, to) => {
      const way = one(own.forward) + one(own.up) + own.lagUp + one(own.backward) + one(own.down) + own.lagDown;
      above[from] = Math.min(above[from]!, way + above[to]!);
    }, start);
  return { fitting, costs, arrival, around, above };
}

/** (K, N + 1, N + 1) samples that a device can pass through a run in a round of fewer than so many seconds. */
function mostSamples(rows: Rows, { fitting, costs, arrival, around, above }: Runs, seconds: number): Float64Array {
  const { devices, units } = rows;
  const side = units + 1;
  const passed = new Float64Array(fitting.length);
  for (let k = 0; k < devices; k++)
    for (let from = 0; from < units; from++)
      for (let to = from + 1; to <= units; to++) {
        const at = (k * side + from) * side + to;
        const own = costs[at];
        if (own === undefined) continue;
        const { forward, backward, up, down, lagUp, lagDown, gradients, trains, isLowest } = own;
        let most = fitting[at]!;
        /** What must be done in a row: so much for all samples, and beside it. */
        const row = (each: number, beside: number) => {
          const left = seconds - beside;
          if (left <= 0) most = 0;
          else if (each > 0) most = Math.min(most, Math.floor(left / each));
        };
        const turn = above[to]!;
        const toTurn = lagUp + turn;
        if (!trains) {
          row(forward.each, arrival[from]! + forward.fixed + one(up) + toTurn);
          row(up.each, arrival[from]! + one(forward) + up.fixed + toTurn);
        } else {
          const last = one(down) + lagDown;
          const ends = [around[from]! + last + (isLowest ? gradients : 0)];
          if (!isLowest) ends.push(arrival[from]! + one(down) + gradients);
          else ends[0] = arrival[from]! + gradients;
          for (const beside of ends) {
            row(forward.each + backward.each, beside + forward.fixed + backward.fixed);
            row(backward.each, beside + one(forward) + one(up) + toTurn + backward.fixed);
          }
          if (isLowest) {
            if (to < units) row(up.each, arrival[from]! + one(forward) + up.fixed + toTurn + one(backward) + gradients);
          } else {
            row(up.each + down.each, around[from]! + one(forward) + up.fixed + down.fixed + lagUp);
            row(up.each + down.each, arrival[from]! + one(forward) + up.fixed + down.fixed + gradients);
          }
        }
        passed[at] = most;
      }
  return passed;
}
