import { uploadSeconds } from '../problem/channel.ts';
import type { Refusal } from '../problem/load.ts';
import type { BlockTable } from '../problem/table.ts';
import {
  type BlockAnswer,
  bottleneckByMatching,
  type Candidates,
  smallestPerDepth,
  type Upload,
} from './bottleneck.ts';

/**
 * CRUNCH (Cutting, RecoUNting, CHecking), exact for block allocation at fixed bandwidth, in its quickest form. Where every row rises with
 * depth, Hall's condition on nested sets says that a threshold t works iff for every depth b at least N - b + 1 devices have T[k,b] <= t.
 * The smallest such t is therefore the largest over b of the (N - b + 1)-th smallest entry of column b: one pass, O(K N).
 * Rows that are not monotone go to threshold search with maximum matching.
 * `seconds` is (K,N), Infinity where impossible, `upload` is added to it. Null when no allocation is finite.
 */
export function crunch(
  seconds: Float64Array,
  depths: number,
  ids: readonly string[],
  upload?: Upload,
): BlockAnswer | null {
  const { candidates, rowsRise } = smallestPerDepth(seconds, depths, ids, (depth) => depths - depth + 1, upload);
  if (rowsRise) return deepestFirst(candidates, 'crunch, sorted thresholds');
  return bottleneckByMatching(smallestPerDepth(seconds, depths, ids, () => depths, upload).candidates);
}

/** Crunch on a table of blocks when every device sends over `hertz`. */
export function crunchAt(table: BlockTable, hertz: number): BlockAnswer | null {
  const { depths, ids, computeSeconds, uploadBits: bits, law, coefficient } = table;
  const secondsPerBit = coefficient.map((one) => uploadSeconds(law, one, hertz, 1));
  return crunch(computeSeconds, depths, ids, { secondsPerBit, bits });
}

/** Deepest depth first, each takes its quickest free device: of N - b + 1 candidates at most N - b are taken already. */
function deepestFirst(candidates: readonly Candidates[], solver: string): BlockAnswer | null {
  const depths = candidates.length;
  const taken = new Set<number>();
  const allocation = new Array<number>(depths);
  let latencySeconds = 0;
  for (let depth = depths; depth >= 1; depth--) {
    const { devices, seconds } = candidates[depth - 1]!;
    if (devices.length < depths - depth + 1) return null;
    const at = devices.findIndex((candidate) => !taken.has(candidate));
    taken.add(devices[at]!);
    allocation[depth - 1] = devices[at]!;
    latencySeconds = Math.max(latencySeconds, seconds[at]!);
  }
  return { allocation, latencySeconds, solver };
}

/**
 * CRUNCH as the cutting loop: cut the largest entry among the devices' deepest remaining blocks, recount the one depth that changed,
 * check its inequality; stop before the cut that breaks it. O(K N log K). The same latency as `crunch`; rows must rise with depth.
 */
export function crunchByCutting(latency: Float64Array, depths: number, ids: readonly string[]): BlockAnswer | null {
  const deepest = new Int32Array(ids.length);
  const holders = new Int32Array(depths + 1);
  for (let k = 0; k < ids.length; k++) {
    let depth = depths;
    while (depth > 0 && latency[k * depths + depth - 1] === Infinity) depth--;
    deepest[k] = depth;
    for (let b = 1; b <= depth; b++) holders[b]!++;
  }
  for (let b = 1; b <= depths; b++) if (holders[b]! < depths - b + 1) return null;
  const key = (k: number): number => (deepest[k] === 0 ? -1 : latency[k * depths + deepest[k]! - 1]!);
  const heap = maxHeap(ids.length, key);
  for (;;) {
    const k = heap[0]!;
    const depth = deepest[k]!;
    if (holders[depth]! - 1 < depths - depth + 1) break;
    holders[depth]!--;
    deepest[k] = depth - 1;
    siftDown(heap, 0, key);
  }
  // What is left at each depth is what the threshold allows.
  const remaining = latency.map((value, entry) =>
    (entry % depths) + 1 <= deepest[Math.floor(entry / depths)]! ? value : Infinity,
  );
  const { candidates } = smallestPerDepth(remaining, depths, ids, (depth) => depths - depth + 1);
  return deepestFirst(candidates, 'crunch, cutting');
}

/**
 * CRUNCH as a binary search over the sorted thresholds, O(K N log(K N)); the same latency as `crunch`. Rows must rise with depth.
 */
export function crunchByThresholds(latency: Float64Array, depths: number, ids: readonly string[]): BlockAnswer | null {
  const thresholds = latency.filter((value) => value !== Infinity).sort();
  const works = (limit: number): boolean => {
    const holders = new Int32Array(depths);
    for (let entry = 0; entry < latency.length; entry++) if (latency[entry]! <= limit) holders[entry % depths]!++;
    return holders.every((count, b) => count >= depths - b);
  };
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (works(thresholds[middle]!)) high = middle;
    else low = middle + 1;
  }
  if (low === thresholds.length) return null;
  const limit = thresholds[low]!;
  const within = latency.map((value) => (value <= limit ? value : Infinity));
  const { candidates } = smallestPerDepth(within, depths, ids, (depth) => depths - depth + 1);
  return deepestFirst(candidates, 'crunch, binary search over thresholds');
}

function maxHeap(size: number, key: (item: number) => number): Int32Array {
  const heap = Int32Array.from({ length: size }, (_, i) => i);
  for (let at = (size >> 1) - 1; at >= 0; at--) siftDown(heap, at, key);
  return heap;
}

function siftDown(heap: Int32Array, from: number, key: (item: number) => number): void {
  const item = heap[from]!;
  const value = key(item);
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && key(heap[child + 1]!) > key(heap[child]!)) child++;
    if (key(heap[child]!) <= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = item;
}

/**
 * Why no allocation exists: the depth that nobody can hold, or the run of depths that too few can. `entries` is (K,N), finite where
 * possible; `what` ends the sentence.
 */
export function whyInfeasible(
  computeSeconds: Float64Array,
  coefficient: Float64Array,
  uploadBits: Float64Array,
): Refusal['reason'] {
  const depths = uploadBits.length;
  const devices = coefficient.length;
  const holders = new Array<number>(depths).fill(0);
  const senders = new Array<number>(depths).fill(0);
  for (let k = 0, entry = 0; k < devices; k++) {
    for (let b = 0; b < depths; b++, entry++) {
      if (computeSeconds[entry] === Infinity) continue;
      holders[b]!++;
      if (uploadBits[b] === 0 || coefficient[k]! > 0) senders[b]!++;
    }
  }
  const unheld = depthsWhere(holders, (count) => count === 0);
  if (unheld.length > 0) {
    const rest = unheld.length > 1 ? ` (nor ${list(unheld.slice(1))})` : '';
    return `no device's memory can hold depth ${unheld[0]}${rest}; add a device with more memory or train fewer layers`;
  }
  const unsent = depthsWhere(senders, (count) => count === 0);
  if (unsent.length > 0) {
    return `depth ${unsent[0]} fits only on devices whose link carries nothing; give one of them a working link`;
  }
  if (devices < depths) {
    return `depth 1 to depth ${depths} need one device each, but there are only ${devices}; add devices or merge blocks`;
  }
  for (let b = depths; b >= 1; b--) {
    if (senders[b - 1]! < depths - b + 1) {
      const what =
        b === depths ? `depth ${b} needs a device` : `depths ${b} to ${depths} need ${depths - b + 1} devices`;
      return `${what}, but only ${senders[b - 1]} can hold depth ${b}; add a device with more memory`;
    }
  }
  return `depth ${depths} and the depths before it have no set of different devices that holds them all; add a device with more memory`;
}

function depthsWhere(counts: readonly number[], test: (count: number) => boolean): number[] {
  return counts.flatMap((count, b) => (test(count) ? [b + 1] : []));
}

function list(depths: readonly number[]): string {
  return depths.length > 12 ? `${depths.length} others` : depths.map((depth) => `depth ${depth}`).join(', ');
}
