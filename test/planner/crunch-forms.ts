import { type BlockAnswer, smallestPerDepth } from '../../signaling/planner/blocks/bottleneck.ts';
import { deepestFirst } from '../../signaling/planner/blocks/crunch.ts';

/** CRUNCH in its other forms, as docs/planner.md explains them: what the form that runs is held against. */

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
