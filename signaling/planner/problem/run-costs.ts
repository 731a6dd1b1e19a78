import { type RunCosts, runTable } from '../algorithms/runs.ts';
import { hertzNeeded } from './channel.ts';
import { type BlockRun, type Fleet, passSeconds, runBits } from './fleet.ts';
import type { BlockTable } from './table.ts';

/** A chain's positions in the detailed form: the head is the first, then block 1, so a run from p to q covers blocks p to q - 1. */
export function blockRunOf(run: { device: number; from: number; to: number }): BlockRun {
  return { device: run.device, from: run.from - 1, to: run.to - 1 };
}

/**
 * Hertz that each run of blocks needs on a device that carries `samples` through the model and is to finish before the limit.
 * `headAlone`: whether a run may be the head without a layer.
 */
export function fleetRunTable(
  fleet: Fleet,
  device: number,
  samples: number,
  limitSeconds: number,
  headAlone: boolean,
): Float64Array {
  const blocks = fleet.blocks + 1;
  const side = blocks + 1;
  const table = new Float64Array(side * side).fill(Infinity);
  const held = fleet.deepestHeld[device]!;
  const coefficient = fleet.coefficient[device]!;
  for (let to = headAlone ? 1 : 2; to <= held + 1; to++) {
    const seconds = limitSeconds - passSeconds(fleet, device, samples, to - 1);
    if (!(seconds > 0)) break;
    for (let from = 0; from < to; from++) {
      table[from * side + to] = hertzNeeded(fleet.law, coefficient, runBits(fleet, from - 1, to - 1), seconds);
    }
  }
  return table;
}

/** The same for a table of blocks, over the devices of `rows`. */
export function tableRunCosts(table: BlockTable, rows: readonly number[], limitSeconds: number): RunCosts {
  const { depths, computeSeconds: compute, uploadBits, law, coefficient } = table;
  const bitsBefore = new Float64Array(depths + 1);
  for (let b = 0; b < depths; b++) bitsBefore[b + 1] = bitsBefore[b]! + uploadBits[b]!;
  const tables = rows.map((row) => {
    const deepest = compute.subarray(row * depths, (row + 1) * depths);
    return runTable(depths, (from, to) => {
      let seconds = 0;
      for (let b = from; b < to; b++) seconds = Math.max(seconds, deepest[b]!);
      const left = limitSeconds - seconds;
      return left > 0 ? hertzNeeded(law, coefficient[row]!, bitsBefore[to]! - bitsBefore[from]!, left) : Infinity;
    });
  });
  return { devices: rows.length, blocks: depths, of: (device) => tables[device]! };
}
