import type { TokenBatch } from '../api/batch.ts';
import { type Example, labelValues } from './example.ts';
import { mixSeed, seededRandom, shuffledIndices } from './seeded-random.ts';

/**
 * Draws the samples of every round from a seed: epoch after epoch, each a fresh shuffle of all examples, cut into rounds one after the
 * other. A round depends on nothing but (seed, round), so any plan and any machine sees the same samples; where the rounds do not divide
 * the data, one round takes the end of an epoch and the beginning of the next.
 */
export function createSampler(examples: number, samplesPerRound: number, seed: number) {
  let cached: { readonly epoch: number; readonly order: Uint32Array } | undefined;
  const orderOf = (epoch: number): Uint32Array => {
    if (cached?.epoch !== epoch) {
      cached = { epoch, order: shuffledIndices(examples, seededRandom(mixSeed(seed, epoch))) };
    }
    return cached.order;
  };
  /** Indices of the examples of `round`, which counts from 1. */
  return (round: number): number[] =>
    Array.from({ length: samplesPerRound }, (_, i) => {
      const drawn = (round - 1) * samplesPerRound + i;
      return orderOf(Math.floor(drawn / examples))[drawn % examples]!;
    });
}

/** Token ids of each example, `rows`, as one batch that is padded to the longest. Positions count from 0. */
export function tokenBatch(
  examples: readonly Example[],
  rows: readonly ArrayLike<number>[],
  padTokenId: number,
): TokenBatch {
  const tokens = rows.reduce((longest, row) => Math.max(longest, row.length), 0);
  const ids = new Int32Array(rows.length * tokens).fill(padTokenId);
  for (const [i, row] of rows.entries()) ids.set(row, i * tokens);
  return {
    ids,
    lengths: Int32Array.from(rows, (row) => row.length),
    labels: labelValues(examples),
    positions: Int32Array.from(rows, (_, i) => i),
    tokens,
  };
}

/** Indices from the shortest sample to the longest; equals stay in their order. */
export const byLength = (lengths: ArrayLike<number>): number[] =>
  Array.from(lengths, (_, i) => i).sort((a, b) => lengths[a]! - lengths[b]! || a - b);

/** The samples of a batch at these indices, padded no further than the longest of them needs. Their positions go with them. */
export function rowsOf(batch: TokenBatch, rows: readonly number[]): TokenBatch {
  const perSample = batch.labels.length / batch.lengths.length;
  const longest = rows.reduce((most, row) => Math.max(most, batch.lengths[row]!), 1);
  const tokens = Math.min(batch.tokens, longest);
  const ids = new Int32Array(rows.length * tokens);
  const labels = new Float32Array(rows.length * perSample);
  for (const [i, row] of rows.entries()) {
    ids.set(batch.ids.subarray(row * batch.tokens, row * batch.tokens + tokens), i * tokens);
    labels.set(batch.labels.subarray(row * perSample, (row + 1) * perSample), i * perSample);
  }
  return {
    ids,
    labels,
    lengths: Int32Array.from(rows, (row) => batch.lengths[row]!),
    positions: Int32Array.from(rows, (row) => batch.positions[row]!),
    tokens,
  };
}
