import { statedBound } from '../problem/stated-bound.ts';
import type { Evaluator } from './evaluator.ts';
import type { PassTable, Rows } from './rows.ts';

/** The threshold is found to this part of itself. */
const CLOSE = 1e-3;

/**
 * No pipeline is faster. The label of a position is what the first micro-batch needs to get there and the last one from there down to the
 * end: it adds up along a pipeline, and a stage's own work must fit between it and T. So at a threshold T the least label of every position
 * is a shortest path over stages that fit, where a device may come twice; where the end is out of reach, so is T (docs/planner.md).
 */
export function roomBound(evaluator: Evaluator, reachedSeconds: number): number {
  const { rows } = evaluator;
  let bound = reachedSeconds;
  for (let microBatches = rows.samples; microBatches >= 1; microBatches--) {
    const chains = new Chains(rows, evaluator.table(microBatches));
    // Most counts of micro-batches are out of reach of what another one's chains can do already.
    if (!chains.reach(bound * (1 - CLOSE))) continue;
    let low = 0;
    let high = bound;
    while (high - low > CLOSE * high) {
      const middle = (low + high) / 2;
      if (chains.reach(middle)) high = middle;
      else low = middle;
    }
    bound = low;
  }
  return statedBound(bound);
}

/** Runs of all devices at one count of micro-batches. */
class Chains {
  readonly #units: number;
  /** By first unit, then end: all devices' runs that fit, as their part of the label and the seconds beside it that T must leave. */
  readonly #runs: readonly (readonly { readonly to: number; readonly label: number; readonly need: number }[])[];
  readonly #least: Float64Array;

  constructor(rows: Rows, table: PassTable) {
    this.#units = rows.units;
    this.#least = new Float64Array(rows.units + 1);
    const above = roundTrips(rows, table);
    this.#runs = Array.from({ length: rows.units }, (_, from) =>
      Array.from({ length: rows.units - from }, (__, i) => from + 1 + i).flatMap((to) => {
        const runs: { to: number; label: number; need: number }[] = [];
        for (let k = 0; k < rows.devices; k++) {
          const run = runOf(rows, table, k, from, to);
          if (run !== null) runs.push({ to, ...costs(run, table, above[to]!) });
        }
        return runs;
      }),
    );
  }

  /** Whether some chain, devices repeated as it likes, takes no longer than `seconds`. */
  reach(seconds: number): boolean {
    const least = this.#least.fill(Infinity);
    least[0] = 0;
    for (let from = 0; from < this.#units; from++) {
      const label = least[from]!;
      if (label === Infinity) continue;
      for (const run of this.#runs[from]!) {
        if (label + run.need <= seconds && label + run.label < least[run.to]!) least[run.to] = label + run.label;
      }
    }
    return least[this.#units]! < Infinity;
  }
}

/** A stage's seconds: of one micro-batch of the largest size (1), of the smallest (M), and of all together. */
interface RunSeconds {
  readonly trains: boolean;
  readonly lowest: boolean;
  readonly forward1: number;
  readonly forwardM: number;
  readonly forwards: number;
  readonly backwardM: number;
  readonly backwards: number;
  /** Of a message up, its lag included; 0 of the last stage. */
  readonly up1: number;
  readonly upM: number;
  readonly downM: number;
  /** Of all messages on its uplink. */
  readonly airtime: number;
  readonly lag: number;
  readonly gradients: number;
  readonly cap: number;
}

/** Null where the run does not fit. */
function runOf(rows: Rows, table: PassTable, k: number, from: number, to: number): RunSeconds | null {
  const { units, low } = rows;
  const { first, rest, larger, microBatches, largest } = table;
  const layers = Math.max(0, Math.min(to, units - 1) - Math.max(from, 1));
  const trained = Math.max(0, Math.min(to, units - 1) - Math.max(from, low, 1));
  const free =
    rows.limit[k]! -
    (from === 0 ? rows.embeddingBytes[k]! : rows.replayBytes) -
    layers * rows.layerBytes[k]! -
    (to === units ? rows.headBytes[k]! : 0) -
    largest * rows.transient[k]! -
    trained * rows.gradientBytes[k]!;
  if (free < 0) return null;
  const each = largest * trained * rows.saved[k]!;
  const cap = each === 0 ? microBatches : Math.min(microBatches, Math.floor(free / each));
  if (cap < 1) return null;
  const isTrained = to > low;
  const goesDown = from > low;
  const lag = rows.lag[k]!;
  const forward = (pass: typeof first) => (from === 0 ? pass.embed[k]! : 0) + layers * pass.forward[k]!;
  const backward = (pass: typeof first) =>
    isTrained ? trained * pass.backward[k]! + (to === units ? pass.head[k]! : 0) : 0;
  const sending = (pass: typeof first, cut: number) => (cut === units - 1 ? pass.headCut[k]! : pass.hidden[k]!);
  const top = to === units;
  const all = (read: (pass: typeof first) => number) => larger * read(first) + (microBatches - larger) * read(rest);
  const bits = rows.gradientBitsBelow[to]! - rows.gradientBitsBelow[from]!;
  return {
    trains: isTrained,
    lowest: isTrained && !goesDown,
    forward1: forward(first),
    forwardM: forward(rest),
    forwards: all(forward),
    backwardM: backward(rest),
    backwards: all(backward),
    up1: top ? 0 : sending(first, to) + lag,
    upM: top ? 0 : sending(rest, to) + lag,
    downM: goesDown ? sending(rest, from) + lag : 0,
    airtime: all((pass) => (top ? 0 : sending(pass, to)) + (goesDown ? sending(pass, from) : 0)),
    lag,
    gradients: isTrained && k !== rows.host ? bits / rows.rate[k]! + lag : 0,
    cap,
  };
}

/** (N + 1) least seconds of a micro-batch of the smallest size from each cut up to the loss and back. */
function roundTrips(rows: Rows, table: PassTable): Float64Array {
  const { units } = rows;
  const least = new Float64Array(units + 1).fill(Infinity);
  least[units] = 0;
  for (let from = units - 1; from > 0; from--)
    for (let to = from + 1; to <= units; to++)
      for (let k = 0; k < rows.devices && least[to]! < Infinity; k++) {
        const run = runOf(rows, table, k, from, to);
        if (run === null) continue;
        const there = run.forwardM + run.upM + run.backwardM + run.downM + least[to]!;
        if (there < least[from]!) least[from] = there;
      }
  return least;
}

/** What a run adds to the label, and what T must leave beside the label below it. `above` is the least round trip above it. */
function costs(run: RunSeconds, table: PassTable, above: number): { label: number; need: number } {
  const { forward1, forwardM, forwards, backwardM, backwards, up1, upM, downM, airtime, lag, gradients, cap } = run;
  if (!run.trains) {
    const sending = forward1 + airtime + lag;
    return { label: forward1 + up1, need: Math.max(forwards + upM, sending) + above };
  }
  const drain = run.lowest ? gradients : 0;
  const trips = Math.ceil(table.microBatches / cap);
  const need = Math.max(
    forwards + backwards + downM,
    forward1 + up1 + above + backwards + downM,
    trips * (forwardM + upM + above + backwardM) + downM,
    forward1 + airtime + (run.lowest ? (up1 > 0 ? lag + above + backwardM : 0) : lag),
  );
  return { label: forward1 + up1 + backwardM + downM + drain, need: need + drain };
}
