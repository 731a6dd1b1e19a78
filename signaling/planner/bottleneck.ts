import { maximumMatching } from './matching.ts';
import type { Allocation } from './table.ts';

/** The few best devices of one depth, by (seconds, device id). */
export interface Candidates {
  readonly seconds: readonly number[];
  readonly devices: readonly number[];
}

/**
 * For each depth the `keep(depth)` smallest finite entries of a (K,N) table. One pass over the table, and nearly every entry costs one
 * comparison with the worst that is kept. Ties go to the smaller id, so that the order of the rows does not matter.
 */
export function smallestPerDepth(
  table: Float64Array,
  depths: number,
  ids: readonly string[],
  keep: (depth: number) => number,
): Candidates[] {
  const kept = Array.from({ length: depths }, () => ({ seconds: [] as number[], devices: [] as number[] }));
  const room = kept.map((_, b) => keep(b + 1));
  const worst = new Float64Array(depths).fill(Infinity);
  for (let k = 0, entry = 0; k < ids.length; k++) {
    for (let b = 0; b < depths; b++, entry++) {
      const value = table[entry]!;
      // `worst` stays Infinity until the list is full; an infinite entry is never kept.
      if (value > worst[b]! || value === Infinity) continue;
      const { seconds, devices } = kept[b]!;
      let at = seconds.length;
      while (at > 0 && (seconds[at - 1]! > value || (seconds[at - 1] === value && ids[devices[at - 1]!]! > ids[k]!)))
        at--;
      if (at >= room[b]!) continue;
      seconds.splice(at, 0, value);
      devices.splice(at, 0, k);
      if (seconds.length > room[b]!) {
        seconds.pop();
        devices.pop();
      }
      if (seconds.length === room[b]) worst[b] = seconds[seconds.length - 1]!;
    }
  }
  return kept;
}

/**
 * The allocation whose largest entry is smallest, for any table: binary search over the sorted thresholds, each checked by a maximum
 * matching. `candidates` are each depth's N smallest entries: a depth that may take all of those never lacks a device.
 * Null when no allocation is finite.
 */
export function bottleneckByMatching(candidates: readonly Candidates[]): Allocation | null {
  const depths = candidates.length;
  const columnOf = new Map<number, number>();
  const rows: number[] = [];
  for (const { devices } of candidates) {
    for (const device of devices) {
      if (columnOf.has(device)) continue;
      columnOf.set(device, rows.length);
      rows.push(device);
    }
  }
  const matchWithin = (limit: number): Int32Array =>
    maximumMatching(
      candidates.map(({ seconds, devices }) =>
        devices.filter((_, i) => seconds[i]! <= limit).map((device) => columnOf.get(device)!),
      ),
      rows.length,
    );
  const thresholds = [...new Set(candidates.flatMap(({ seconds }) => seconds))].sort((a, b) => a - b);
  let low = 0;
  let high = thresholds.length - 1;
  let best: Int32Array | null = null;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const matched = matchWithin(thresholds[middle]!);
    if (matched.every((column) => column >= 0)) {
      best = matched;
      high = middle - 1;
    } else low = middle + 1;
  }
  return best && Array.from({ length: depths }, (_, b) => rows[best![b]!]!);
}
