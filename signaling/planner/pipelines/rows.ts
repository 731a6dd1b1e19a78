import type { SplitProblem } from '../../protocol/pipeline/split-problem.ts';
import { loadingSeconds, lowestUnit } from '../../protocol/pipeline/stages.ts';
import { unitCount } from '../../protocol/split.ts';

/** A problem as numbers in rows, one entry a device, for searches that look at many thousand plans. */
export interface Rows {
  readonly problem: SplitProblem;
  /** K. */
  readonly devices: number;
  /** N. */
  readonly units: number;
  /** Lowest trained unit. */
  readonly low: number;
  /** D. */
  readonly samples: number;
  /** Of the host; -1 where it takes no part. */
  readonly host: number;
  /** Bits of all gradients of the units below each unit (N + 1). */
  readonly gradientBitsBelow: Float64Array;
  readonly replayBytes: number;
  readonly rate: Float64Array;
  readonly lag: Float64Array;
  readonly limit: Float64Array;
  readonly embeddingBytes: Float64Array;
  readonly layerBytes: Float64Array;
  readonly headBytes: Float64Array;
  readonly transient: Float64Array;
  readonly saved: Float64Array;
  readonly gradientBytes: Float64Array;
  /** (K, K) 1 where two devices cannot meet; undefined where all do. */
  readonly relayed: Uint8Array | undefined;
  /** (K) of (N + 1, N + 1) by first unit and end: seconds of fetching for each round that is left; undefined where nothing counts. */
  readonly loading: readonly Float64Array[] | undefined;
}

export function rowsOf(problem: SplitProblem): Rows {
  const { split, devices, host } = problem;
  const units = unitCount(split.layers);
  const low = lowestUnit(split);
  const gradientBitsBelow = new Float64Array(units + 1);
  for (let u = 0; u < units; u++) {
    const { layerUploadBits: bits, headUploadBits } = split;
    const layer = typeof bits === 'number' ? bits : (bits[u - 1] ?? 0);
    const own = u === units - 1 ? headUploadBits : u < low ? 0 : layer;
    gradientBitsBelow[u + 1] = gradientBitsBelow[u]! + own;
  }
  const of = (read: (device: SplitProblem['devices'][number]) => number) => Float64Array.from(devices, read);
  return {
    problem,
    devices: devices.length,
    units,
    low,
    samples: split.samples,
    host: devices.findIndex(({ id }) => id === host),
    gradientBitsBelow,
    replayBytes: split.samples * split.replayBytesPerSample,
    rate: of((d) => d.bitsPerSecond),
    lag: of((d) => d.lagSeconds),
    limit: of((d) => d.memory.limitBytes),
    embeddingBytes: of((d) => d.memory.embeddingBytes),
    layerBytes: of((d) => d.memory.layerBytes),
    headBytes: of((d) => d.memory.headBytes),
    transient: of((d) => d.memory.transientPerSample),
    saved: of((d) => d.memory.savedPerSamplePerLayer),
    gradientBytes: of((d) => d.memory.gradientBytesPerLayer),
    relayed: relayedTable(problem),
    loading: loadingTables(problem, units),
  };
}

/** Who is not in this room, or not any more, has no row. */
function relayedTable({ devices, relayed = [] }: SplitProblem): Uint8Array | undefined {
  const rows = new Map(devices.map(({ id }, k) => [id, k]));
  const table = new Uint8Array(devices.length ** 2);
  for (const [a, b] of relayed) {
    const [one, other] = [rows.get(a), rows.get(b)];
    if (one === undefined || other === undefined) continue;
    table[one * devices.length + other] = 1;
    table[other * devices.length + one] = 1;
  }
  return table.includes(1) ? table : undefined;
}

function loadingTables({ split, devices, rounds }: SplitProblem, units: number): readonly Float64Array[] | undefined {
  if (rounds === undefined) return undefined;
  return devices.map((device) => {
    const table = new Float64Array((units + 1) ** 2);
    for (let from = 0; from < units; from++)
      for (let to = from + 1; to <= units; to++)
        table[from * (units + 1) + to] = loadingSeconds(split, { device, run: { from, to } }) / Math.max(1, rounds);
    return table;
  });
}

/** What passes of the two sizes of micro-batches cost each device (K): the first `larger` of the M have one sample more than the rest. */
export interface PassTable {
  readonly microBatches: number;
  /** Samples of the largest and of the smallest micro-batch. */
  readonly largest: number;
  readonly smallest: number;
  /** Micro-batches of the largest size. */
  readonly larger: number;
  readonly first: PassSeconds;
  readonly rest: PassSeconds;
}

/** Seconds at one size. */
export interface PassSeconds {
  readonly embed: Float64Array;
  readonly forward: Float64Array;
  readonly backward: Float64Array;
  readonly head: Float64Array;
  /** Of a message over a cut between layers, and of one over the cut before the head. */
  readonly hidden: Float64Array;
  readonly headCut: Float64Array;
}

export function passTable(rows: Rows, microBatches: number): PassTable {
  const { samples } = rows;
  const largest = Math.ceil(samples / microBatches);
  const smallest = Math.floor(samples / microBatches);
  return {
    microBatches,
    largest,
    smallest,
    larger: samples % microBatches || microBatches,
    first: passSeconds(rows, largest),
    rest: passSeconds(rows, smallest),
  };
}

function passSeconds({ problem: { split, devices } }: Rows, m: number): PassSeconds {
  const of = (read: (device: SplitProblem['devices'][number]) => number) => Float64Array.from(devices, read);
  return {
    embed: of(({ fixedSeconds: fixed, secondsPerSample: each }) => fixed.embed + each.embed * m),
    forward: of(({ fixedSeconds: fixed, secondsPerSample: each }) => fixed.forwardPerLayer + each.forwardPerLayer * m),
    backward: of(
      ({ fixedSeconds: fixed, secondsPerSample: each }) => fixed.backwardPerLayer + each.backwardPerLayer * m,
    ),
    head: of(({ fixedSeconds: fixed, secondsPerSample: each }) => fixed.head + each.head * m),
    hidden: of(({ bitsPerSecond }) => (m * split.hiddenBits + split.messageBits) / bitsPerSecond),
    headCut: of(({ bitsPerSecond }) => (m * split.headCutBits + split.messageBits) / bitsPerSecond),
  };
}
