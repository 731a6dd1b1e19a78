import { maximumMatching } from '../algorithms/matching.ts';
import type { Allocation } from '../problem/table.ts';

/** The answer to block allocation at fixed bandwidth (P1). */
export interface BlockAnswer {
  readonly allocation: Allocation;
  readonly latencySeconds: number;
  readonly solver: string;
}

/** The few best devices of one depth, by (seconds, device id). */
export interface Candidates {
  readonly seconds: readonly number[];
  readonly devices: readonly number[];
}

/** Seconds of sending, added to a table while it is read: a large table is walked once, not copied. */
export interface Upload {
  /** (K) Infinity where a device has no link. */
  readonly secondsPerBit: Float64Array;
  /** (N) */
  readonly bits: Float64Array;
}

/**
 * For each depth the `keep(depth)` smallest finite entries of a (K,N) table, and whether all its rows rise with depth. One pass, and
 * nearly every entry costs one comparison with the worst that is kept. Ties go to the smaller id, so that the order of the rows does not
 * matter.
 */
export function smallestPerDepth(
  table: Float64Array,
  depths: number,
  ids: readonly string[],
  keep: (depth: number) => number,
  upload?: Upload,
): { candidates: Candidates[]; rowsRise: boolean } {
  const kept = Array.from({ length: depths }, () => ({ seconds: [] as number[], devices: [] as number[] }));
  const room = Int32Array.from(kept, (_, b) => keep(b + 1));
  // Infinity while there is room; no entry is above it, and an infinite one is never kept.
  const worst = new Float64Array(depths).fill(Infinity);
  const bits = upload?.bits ?? new Float64Array(depths);
  let rowsRise = true;
  for (let k = 0, entry = 0; k < ids.length; k++) {
    const perBit = upload ? upload.secondsPerBit[k]! : 0;
    let before = 0;
    for (let b = 0; b < depths; b++, entry++) {
      const sent = bits[b]!;
      const value = sent > 0 ? table[entry]! + sent * perBit : table[entry]!;
      if (value < before) rowsRise = false;
      before = value;
      if (value > worst[b]! || value === Infinity) continue;
      insert(kept[b]!, room[b]!, value, k, ids);
      if (kept[b]!.seconds.length === room[b]) worst[b] = kept[b]!.seconds[room[b]! - 1]!;
    }
  }
  return { candidates: kept, rowsRise };
}

function insert(
  { seconds, devices }: { seconds: number[]; devices: number[] },
  room: number,
  value: number,
  device: number,
  ids: readonly string[],
): void {
  let at = seconds.length;
  while (at > 0 && (seconds[at - 1]! > value || (seconds[at - 1] === value && ids[devices[at - 1]!]! > ids[device]!)))
    at--;
  if (at >= room) return;
  seconds.splice(at, 0, value);
  devices.splice(at, 0, device);
  if (seconds.length > room) {
    seconds.pop();
    devices.pop();
  }
}

/**
 * The allocation whose largest entry is smallest, for any table: binary search over the sorted thresholds, each checked by a maximum
 * matching. `candidates` are each depth's N smallest entries: a depth that may take all of those never lacks a device.
 * Null when no allocation is finite.
 */
export function bottleneckByMatching(candidates: readonly Candidates[]): BlockAnswer | null {
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
  let best: BlockAnswer | null = null;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const matched = matchWithin(thresholds[middle]!);
    if (matched.every((column) => column >= 0)) {
      best = {
        allocation: Array.from(matched, (column) => rows[column]!),
        latencySeconds: thresholds[middle]!,
        solver: 'threshold search + Hopcroft-Karp',
      };
      high = middle - 1;
    } else low = middle + 1;
  }
  return best;
}
