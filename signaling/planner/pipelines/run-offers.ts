import type { PassSeconds, PassTable, Rows } from './rows.ts';

/**
 * What each device offers for each run at one count of micro-batches, for the runs that fit it alone: a run's offers are from `start` at its
 * number on, up to that of the next. A run from `from` to `to` has the number `from * (N + 1) + to`. With U, the least round trip of a
 * micro-batch above the run, what a stage needs between the label below it and the end of a round is
 *
 *     max(always, once + U, trips * (cycle + U) + after)
 */
export interface RunOffers {
  /** ((N + 1)² + 1) */
  readonly start: Int32Array;
  /** By (run, device) where its offer is; -1 where the run does not fit. */
  readonly place: Int32Array;
  readonly device: Int32Array;
  /** What the stage adds to the label. */
  readonly label: Float64Array;
  readonly always: Float64Array;
  readonly once: Float64Array;
  readonly trips: Float64Array;
  readonly cycle: Float64Array;
  readonly after: Float64Array;
  /** From the start of a round to the end of the stage's own gradients, which go last: the quickest way up to it counts. */
  readonly alone: Float64Array;
  /** What the stage does beside the whole chain's label, of it or of the chain: both fit before the end of a round. */
  readonly beside: Float64Array;
}

/** Both are those of `Evaluator.bound`, in which the least round trip above stands in place of the chain's own. */
export function runOffers(rows: Rows, table: PassTable): RunOffers {
  const { units, devices } = rows;
  const side = units + 1;
  const start = new Int32Array(side * side + 1);
  const place = new Int32Array(side * side * devices).fill(-1);
  let count = 0;
  for (let from = 0; from < side; from++)
    for (let to = 0; to < side; to++) {
      const run = from * side + to;
      start[run] = count;
      if (to <= from) continue;
      for (let k = 0; k < devices; k++) if (windowOf(rows, table, k, from, to) >= 1) place[run * devices + k] = count++;
    }
  start[side * side] = count;
  const of = () => new Float64Array(count);
  const offers = { start, place, device: new Int32Array(count), label: of(), always: of(), once: of() };
  const made: RunOffers = { ...offers, trips: of(), cycle: of(), after: of(), alone: of(), beside: of() };
  const arrival = new Float64Array(side).fill(Infinity);
  arrival[0] = 0;
  for (let from = 0; from < units; from++)
    for (let to = from + 1; to <= units; to++)
      for (let k = 0; k < devices; k++) {
        const at = place[(from * side + to) * devices + k]!;
        if (at < 0) continue;
        const way = write(made, at, { rows, table, k, from, to });
        made.alone[at]! += arrival[from]!;
        arrival[to] = Math.min(arrival[to]!, arrival[from]! + way);
      }
  return made;
}

/** Layers of a run, and those of them that go backward. */
const layersOf = ({ units }: Rows, from: number, to: number): number =>
  Math.max(0, Math.min(to, units - 1) - Math.max(from, 1));
const trainedOf = ({ units, low }: Rows, from: number, to: number): number =>
  Math.max(0, Math.min(to, units - 1) - Math.max(from, low, 1));

/** Micro-batches whose passes fit side by side; 0 where none does. */
function windowOf(rows: Rows, { largest, microBatches }: PassTable, k: number, from: number, to: number): number {
  const trained = trainedOf(rows, from, to);
  const free =
    rows.limit[k]! -
    (from === 0 ? rows.embeddingBytes[k]! : rows.replayBytes) -
    layersOf(rows, from, to) * rows.layerBytes[k]! -
    (to === rows.units ? rows.headBytes[k]! : 0) -
    largest * rows.transient[k]! -
    trained * rows.gradientBytes[k]!;
  const each = largest * trained * rows.saved[k]!;
  return free < 0 ? 0 : each === 0 ? microBatches : Math.min(microBatches, Math.floor(free / each));
}

interface Placed {
  readonly rows: Rows;
  readonly table: PassTable;
  readonly k: number;
  readonly from: number;
  readonly to: number;
}

/** Returns what the first micro-batch needs to get over the stage. */
function write(into: RunOffers, at: number, { rows, table, k, from, to }: Placed): number {
  const { units, low } = rows;
  const { first, rest, larger, microBatches } = table;
  const smaller = microBatches - larger;
  const layers = layersOf(rows, from, to);
  const isTop = to === units;
  const lag = rows.lag[k]!;
  const f1 = (from === 0 ? first.embed[k]! : 0) + layers * first.forward[k]!;
  const fM = (from === 0 ? rest.embed[k]! : 0) + layers * rest.forward[k]!;
  const forwards = larger * f1 + smaller * fM;
  const x1 = isTop ? 0 : sending(first, k, to, units);
  const xM = isTop ? 0 : sending(rest, k, to, units);
  const ups = larger * x1 + smaller * xM;
  const lagUp = isTop ? 0 : lag;
  into.device[at] = k;
  if (to <= low) {
    into.label[at] = f1 + x1 + lagUp;
    into.once[at] = Math.max(forwards + xM, f1 + ups) + lagUp;
    // With sizes that differ the last micro-batch's way is shorter than the label.
    if (smaller === 0) into.beside[at] = Math.max(forwards - f1, ups - x1);
    return f1 + x1 + lagUp;
  }
  const trained = trainedOf(rows, from, to);
  const b1 = trained * first.backward[k]! + (isTop ? first.head[k]! : 0);
  const bM = trained * rest.backward[k]! + (isTop ? rest.head[k]! : 0);
  const backwards = larger * b1 + smaller * bM;
  const isLowest = from <= low;
  const zM = isLowest ? 0 : sending(rest, k, from, units);
  const downs = isLowest ? 0 : larger * sending(first, k, from, units) + smaller * zM;
  const lagDown = isLowest ? 0 : lag;
  const bits = rows.gradientBitsBelow[to]! - rows.gradientBitsBelow[from]!;
  const gradients = k !== rows.host ? bits / rows.rate[k]! + lag : 0;
  const drain = isLowest ? gradients : 0;
  const last = zM + lagDown + drain;
  const airtime = f1 + ups + downs;
  into.label[at] = f1 + x1 + lagUp + bM + last;
  into.always[at] = Math.max(forwards + backwards + last, isLowest ? airtime + drain : airtime + lag);
  into.once[at] = Math.max(
    f1 + x1 + lagUp + backwards + last,
    // The last message that the lowest stage sends up comes back.
    isLowest && !isTop ? airtime + lag + bM + drain : 0,
  );
  into.trips[at] = Math.ceil(microBatches / windowOf(rows, table, k, from, to));
  into.cycle[at] = fM + xM + lagUp + bM;
  into.after[at] = last;
  into.alone[at] = Math.max(forwards + backwards + zM, airtime) + gradients;
  // Forward passes that follow on the first backward pass.
  const later = microBatches - windowOf(rows, table, k, from, to);
  into.beside[at] = Math.max(backwards - bM + later * fM, isLowest ? 0 : downs - zM + later * xM);
  return f1 + x1 + lagUp;
}

/** Of a message over a cut. */
const sending = (pass: PassSeconds, k: number, cut: number, units: number): number =>
  cut === units - 1 ? pass.headCut[k]! : pass.hidden[k]!;
