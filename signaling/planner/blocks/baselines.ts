import type { RandomSource } from '../algorithms/random.ts';
import { type BlockTable, latencyTable } from '../problem/table.ts';
import { crunch, crunchAt } from './crunch.ts';
import { type JointAnswer, jointly } from './exact.ts';

/**
 * Allocations to compare with. `random`, `greedy` and `depth-unaware` choose blocks carelessly but share the bandwidth in the best way, so
 * that the difference to `exact` is the allocation alone; `equal-bandwidth` is the other way round. All are null when nothing works.
 */

/** Any allocation that works, drawn: depths in a drawn order take a drawn device. */
export function random(table: BlockTable, draw: RandomSource): JointAnswer | null {
  return inPreference(table, draw.shuffle(depthsOf(table)), draw.shuffle(table.ids.map((_, k) => k)));
}

/** The fastest device takes the deepest block that it can, and so on; speed is seconds at depth 1, where everyone is comparable. */
export function greedy(table: BlockTable): JointAnswer | null {
  const speed = (k: number) => table.computeSeconds[k * table.depths]!;
  const fastestFirst = table.ids.map((_, k) => k).sort((a, b) => speed(a) - speed(b));
  return inPreference(table, depthsOf(table).reverse(), fastestFirst);
}

/** Every block of a device is taken to cost its average over the depths that it holds; crunch on those costs. */
export function depthUnaware(table: BlockTable): JointAnswer | null {
  const { depths, ids } = table;
  const latency = latencyTable(table, table.bandwidthHz / ids.length);
  const averaged = new Float64Array(latency.length).fill(Infinity);
  for (let k = 0; k < ids.length; k++) {
    const row = latency.subarray(k * depths, (k + 1) * depths);
    const held = row.filter((seconds) => seconds < Infinity);
    const mean = held.reduce((a, b) => a + b, 0) / held.length;
    row.forEach((seconds, b) => {
      if (seconds < Infinity) averaged[k * depths + b] = mean;
    });
  }
  const found = crunch(averaged, depths, ids);
  return found && jointly(table, found.allocation);
}

/** The best blocks when each of the N devices that take part sends over W / N. */
export function equalBandwidth(table: BlockTable): JointAnswer | null {
  const hertz = table.bandwidthHz / table.depths;
  const found = crunchAt(table, hertz);
  return (
    found && {
      allocation: found.allocation,
      hertz: found.allocation.map(() => hertz),
      latencySeconds: found.latencySeconds,
    }
  );
}

function depthsOf(table: BlockTable): number[] {
  return Array.from({ length: table.depths }, (_, b) => b);
}

/**
 * Depths in the given order take the first free device, in the given order, that can; where none is free, earlier ones move on along an
 * augmenting path (Kuhn, 1955). A depth never needs more than its first N devices.
 */
function inPreference(table: BlockTable, depths: readonly number[], devices: readonly number[]): JointAnswer | null {
  const latency = latencyTable(table, table.bandwidthHz);
  const allowed = Array.from({ length: table.depths }, () => [] as number[]);
  for (const device of devices) {
    for (const b of depths) {
      if (allowed[b]!.length < table.depths && latency[device * table.depths + b]! < Infinity) allowed[b]!.push(device);
    }
  }
  const owner = new Map<number, number>();
  const seat = (b: number, asked: Set<number>): boolean => {
    const free = allowed[b]!.find((device) => !owner.has(device));
    if (free !== undefined) {
      owner.set(free, b);
      return true;
    }
    for (const device of allowed[b]!) {
      if (asked.has(device)) continue;
      asked.add(device);
      if (!seat(owner.get(device)!, asked)) continue;
      owner.set(device, b);
      return true;
    }
    return false;
  };
  if (!depths.every((b) => seat(b, new Set()))) return null;
  const allocation = new Array<number>(table.depths);
  for (const [device, b] of owner) allocation[b] = device;
  return jointly(table, allocation);
}
