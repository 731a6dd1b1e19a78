import { linkCoefficient, type RateLaw, rateLaw, uploadSeconds } from './channel.ts';
import type { Load } from './load.ts';
import type { TabularProblem } from './problem.ts';

/** One block per device, as numbers in rows: entry (k, b) is at k * depths + b - 1, for depth b = 1 (nearest the loss) to `depths`. */
export interface BlockTable {
  readonly ids: readonly string[];
  readonly depths: number;
  /** (K,N) seconds of forward and backward down to the block; Infinity where memory does not hold it. */
  readonly computeSeconds: Float64Array;
  /** (N) */
  readonly uploadBits: Float64Array;
  readonly law: RateLaw;
  /** (K) */
  readonly coefficient: Float64Array;
  readonly bandwidthHz: number;
}

export function tableOf(problem: TabularProblem): BlockTable {
  const { blocks, devices } = problem;
  const depths = blocks.length;
  const law = rateLaw(problem.channel);
  const computeSeconds = new Float64Array(devices.length * depths);
  const coefficient = new Float64Array(devices.length);
  devices.forEach((device, k) => {
    const { computeSeconds: seconds, memoryBytes, memoryLimitBytes } = device;
    coefficient[k] = linkCoefficient(law, device);
    for (let b = 0, entry = k * depths; b < depths; b++, entry++) {
      computeSeconds[entry] = memoryBytes[b]! <= memoryLimitBytes ? seconds[b]! : Infinity;
    }
  });
  return {
    ids: devices.map((device) => device.id),
    depths,
    computeSeconds,
    uploadBits: Float64Array.from(blocks, (block) => block.uploadBits),
    law,
    coefficient,
    bandwidthHz: problem.bandwidthHz,
  };
}

/** The table of some of its devices. */
export function rowsOf(table: BlockTable, rows: readonly number[]): BlockTable {
  const { depths } = table;
  const computeSeconds = new Float64Array(rows.length * depths);
  rows.forEach((row, i) => {
    computeSeconds.set(table.computeSeconds.subarray(row * depths, (row + 1) * depths), i * depths);
  });
  return {
    ...table,
    ids: rows.map((row) => table.ids[row]!),
    computeSeconds,
    coefficient: Float64Array.from(rows, (row) => table.coefficient[row]!),
  };
}

/** (K,N) compute + upload when every device sends over `hertz`; Infinity where the block does not fit or can not be sent. */
export function latencyTable(table: BlockTable, hertz: number): Float64Array {
  const { depths, computeSeconds, uploadBits, law, coefficient } = table;
  const latency = new Float64Array(computeSeconds.length);
  for (let k = 0, entry = 0; k < coefficient.length; k++) {
    const secondsPerBit = uploadSeconds(law, coefficient[k]!, hertz, 1);
    for (let b = 0; b < depths; b++, entry++) {
      const bits = uploadBits[b]!;
      latency[entry] = computeSeconds[entry]! + (bits > 0 ? bits * secondsPerBit : 0);
    }
  }
  return latency;
}

/** Which device trains each depth: index 0 is depth 1. */
export type Allocation = readonly number[];

export function loadsOf(table: BlockTable, allocation: Allocation): Load[] {
  return allocation.map((device, b) => ({
    device,
    depths: [b + 1],
    computeSeconds: table.computeSeconds[device * table.depths + b]!,
    uploadBits: table.uploadBits[b]!,
    coefficient: table.coefficient[device]!,
  }));
}

/** Whether nobody needs less time for a deeper block. */
export function rowsRise({ computeSeconds, depths }: BlockTable): boolean {
  for (let entry = 1; entry < computeSeconds.length; entry++) {
    if (computeSeconds[entry]! < computeSeconds[entry - 1]! && entry % depths !== 0) return false;
  }
  return true;
}
