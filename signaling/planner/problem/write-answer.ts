import { largestMicroBatch, memoryBytes, recomputes } from '../../protocol/cost-model.ts';
import type { Assignment, DetailedAssignment } from './answer.ts';
import { uploadSeconds } from './channel.ts';
import type { Fleet } from './fleet.ts';
import type { Load, Solution } from './load.ts';
import type { TabularProblem } from './problem.ts';
import type { BlockTable } from './table.ts';

/**
 * One entry per (device, depth). A device with several blocks sends them side by side, each over a part of its bandwidth in proportion
 * to its bits, so that all of them finish with the device and the parts sum to what it has.
 */
export function writeTabular(problem: TabularProblem, table: BlockTable, solution: Solution): Assignment[] {
  return solution.loads
    .flatMap((load, i) => {
      const hertz = solution.hertz[i]!;
      const seconds = uploadSeconds(table.law, load.coefficient, hertz, load.uploadBits);
      const device = problem.devices[load.device]!;
      return load.depths.map((depth) => {
        const uploadBits = table.uploadBits[depth - 1]!;
        const part = load.uploadBits > 0 ? uploadBits / load.uploadBits : 1 / load.depths.length;
        return {
          device: device.id,
          depth,
          bandwidthHz: hertz * part,
          share: (hertz * part) / table.bandwidthHz,
          uploadBits,
          computeSeconds: load.computeSeconds,
          uploadSeconds: uploadBits > 0 ? seconds : 0,
          memoryBytes: device.memoryBytes[load.depths.at(-1)! - 1]!,
        };
      });
    })
    .sort((a, b) => a.depth - b.depth);
}

/** One entry per load: by samples, then from the loss down. */
export function writeDetailed(fleet: Fleet, solution: Solution): DetailedAssignment[] {
  return solution.loads
    .map((load, i) => writeLoad(fleet, load, solution.hertz[i]!))
    .sort((a, b) => a.samples.start - b.samples.start || a.depth - b.depth);
}

function writeLoad(fleet: Fleet, load: Load, hertz: number): DetailedAssignment {
  const device = fleet.devices[load.device]!;
  const depth = load.depths.at(-1)!;
  const samples = load.samples!;
  const microBatch = largestMicroBatch(device, samples.count, depth);
  return {
    device: device.id,
    depth,
    layers: load.depths
      .filter((b) => b > 0)
      .map((b) => fleet.layers - b)
      .reverse(),
    head: load.depths[0] === 0,
    samples,
    microBatch,
    ...(recomputes(device, depth) ? { recompute: true } : {}),
    memoryBytes: memoryBytes(device, microBatch, depth),
    bandwidthHz: hertz,
    share: hertz / fleet.bandwidthHz,
    uploadBits: load.uploadBits,
    computeSeconds: load.computeSeconds,
    uploadSeconds: uploadSeconds(fleet.law, load.coefficient, hertz, load.uploadBits),
  };
}
