import { assign } from '../algorithms/min-cost-assignment.ts';
import { shareBandwidth } from '../problem/bandwidth.ts';
import { hertzNeeded } from '../problem/channel.ts';
import { type Allocation, type BlockTable, loadsOf } from '../problem/table.ts';
import { type Candidates, smallestPerDepth } from './bottleneck.ts';
import { wholeBandwidthBound } from './bounds.ts';
import { crunchAt } from './crunch.ts';

/** A solution of joint bandwidth and block allocation (P2). */
export interface JointAnswer {
  readonly allocation: Allocation;
  /** (N) by depth. */
  readonly hertz: readonly number[];
  readonly latencySeconds: number;
}

/** The latency of an allocation once its bandwidth is shared in the best way. */
export function jointly(table: BlockTable, allocation: Allocation): JointAnswer {
  return { allocation, ...shareBandwidth(table.law, loadsOf(table, allocation), table.bandwidthHz) };
}

/** Where the joint searches start from: crunch at equal parts for N devices, then shared out. Null when no allocation works at all. */
export function startFromCrunch(table: BlockTable): JointAnswer | null {
  const start = crunchAt(table, table.bandwidthHz / table.depths);
  return start && jointly(table, start.allocation);
}

/**
 * Exact joint allocation. A latency below T is possible iff the cheapest assignment, at the hertz each pair needs to finish before T,
 * costs less than the whole bandwidth. Every success is tightened to the latency that its allocation really takes, so the bracket closes in
 * a few steps and ends on the optimum itself: the allocation in hand, with the proof that nothing is below it.
 * Null when no allocation works.
 */
export function exact(table: BlockTable): JointAnswer | null {
  let best = startFromCrunch(table);
  if (!best) return null;
  let low = wholeBandwidthBound(table);
  for (;;) {
    const high = best.latencySeconds;
    const below = cheapestBelow(table, high);
    if (!below || !(below.latencySeconds < high * (1 - 1e-13))) return best;
    best = below;
    // Bisection keeps the number of steps logarithmic where the tightening alone is slow.
    const middle = (low + best.latencySeconds) / 2;
    const halved = cheapestBelow(table, middle);
    if (halved) best = halved.latencySeconds < best.latencySeconds ? halved : best;
    else low = middle;
  }
}

/** The allocation that needs the least bandwidth to finish before `limitSeconds`; null when that is not less than there is. */
function cheapestBelow(table: BlockTable, limitSeconds: number): JointAnswer | null {
  const { depths, ids, bandwidthHz } = table;
  const hertz = hertzTable(table, limitSeconds);
  const { candidates } = smallestPerDepth(hertz, depths, ids, () => depths);
  const found = assignCandidates(candidates);
  return found && found.cost < bandwidthHz ? jointly(table, found.allocation) : null;
}

/** (K,N) hertz that each pair needs to finish before the limit; Infinity where it can not, or not within the whole bandwidth. */
export function hertzTable(table: BlockTable, limitSeconds: number): Float64Array {
  const { depths, computeSeconds, uploadBits, law, coefficient, bandwidthHz } = table;
  const hertz = new Float64Array(computeSeconds.length).fill(Infinity);
  for (let k = 0, entry = 0; k < coefficient.length; k++) {
    for (let b = 0; b < depths; b++, entry++) {
      const seconds = limitSeconds - computeSeconds[entry]!;
      if (!(seconds > 0)) continue;
      const needed = hertzNeeded(law, coefficient[k]!, uploadBits[b]!, seconds);
      if (needed < bandwidthHz) hertz[entry] = needed;
    }
  }
  return hertz;
}

/** Minimum-cost assignment where each depth lists its N cheapest devices: it never needs another, as N - 1 of them can be taken at most. */
export function assignCandidates(candidates: readonly Candidates[]): { allocation: Allocation; cost: number } | null {
  const depths = candidates.length;
  const devices = [...new Set(candidates.flatMap((column) => column.devices))].sort((a, b) => a - b);
  const columnOf = new Map(devices.map((device, column) => [device, column]));
  if (devices.length < depths) return null;
  const cost = new Float64Array(depths * devices.length).fill(Infinity);
  candidates.forEach(({ seconds, devices: listed }, b) => {
    listed.forEach((device, i) => {
      cost[b * devices.length + columnOf.get(device)!] = seconds[i]!;
    });
  });
  const found = assign(cost, depths, devices.length);
  return found && { allocation: Array.from(found.columnOf, (column) => devices[column]!), cost: found.cost };
}
