import type { TokenBatch } from '../api/batch.ts';
import { byLength, rowsOf } from '../data/batches.ts';
import type { Engine } from '../engine/engine.ts';

/**
 * What starting a micro-batch costs, in tokens. With the `onnx` engine on WASM it was measured as 17 to 24 in training; lower, so that
 * padding stays within a quarter where samples are short and devices many.
 */
const START_TOKENS = 12;

/**
 * Samples by length, in groups of at most `most`, so that starting a group and padding it to its longest sample cost least together; each
 * group is a list of indices into `lengths`, the shortest samples first. Exact, by dynamic programming over cuts of the sorted samples: a
 * best grouping never needs a longer sample in an earlier group.
 */
export function lengthGroups(lengths: ArrayLike<number>, most: number): readonly (readonly number[])[] {
  const order = byLength(lengths);
  const best = new Float64Array(order.length + 1);
  const from = new Int32Array(order.length + 1);
  for (let end = 1; end <= order.length; end++) {
    const longest = Math.max(1, lengths[order[end - 1]!]!);
    best[end] = Number.POSITIVE_INFINITY;
    for (let start = end - 1; start >= Math.max(0, end - most); start--) {
      const tokens = best[start]! + START_TOKENS + (end - start) * longest;
      if (tokens >= best[end]!) continue;
      best[end] = tokens;
      from[end] = start;
    }
  }
  const groups: number[][] = [];
  for (let end = order.length; end > 0; end = from[end]!) groups.unshift(order.slice(from[end], end));
  return groups;
}

/** Samples that pass through the model together, and which of the batch they are. */
export interface MicroBatch {
  readonly rows: readonly number[];
  readonly batch: TokenBatch;
}

/** A batch in micro-batches of at most `most` samples: of like lengths where the engine computes padding, the fewest where it does not. */
export function microBatches(
  { computesPadding }: Pick<Engine, 'computesPadding'>,
  batch: TokenBatch,
  most: number,
): readonly MicroBatch[] {
  const groups = computesPadding ? lengthGroups(batch.lengths, most) : evenGroups(byLength(batch.lengths), most);
  return groups.map((rows) => ({ rows, batch: rowsOf(batch, rows) }));
}

/** Neighbouring samples of a batch, so many in each micro-batch. */
export function sizedMicroBatches(batch: TokenBatch, sizes: readonly number[]): readonly MicroBatch[] {
  const samples = sizes.reduce((sum, size) => sum + size, 0);
  if (samples !== batch.lengths.length || sizes.some((size) => size < 1))
    throw new RangeError(`Micro-batches of ${sizes.join(', ')} samples do not make up ${batch.lengths.length}.`);
  let end = 0;
  return sizes.map((size) => {
    const rows = Array.from({ length: size }, (_, i) => end + i);
    end += size;
    return { rows, batch: rowsOf(batch, rows) };
  });
}

function evenGroups(order: readonly number[], most: number): readonly (readonly number[])[] {
  const groups = Math.ceil(order.length / most);
  return Array.from({ length: groups }, (_, i) => order.slice(i * most, (i + 1) * most));
}

/** Tokens that an engine computes of samples in these groups, padding included. */
export const paddedTokens = (lengths: ArrayLike<number>, groups: readonly (readonly number[])[]): number =>
  groups.reduce((sum, rows) => sum + rows.length * Math.max(1, ...rows.map((row) => lengths[row]!)), 0);
