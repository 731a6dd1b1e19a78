import type { TokenBatch } from '../api/batch.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
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

/** The examples as one batch, padded to the longest of them. Their positions count from `firstPosition`. */
export function tokenBatch(
  examples: readonly Example[],
  tokenizer: Tokenizer,
  options: { readonly maxTokens: number; readonly padTokenId: number; readonly firstPosition: number },
): TokenBatch {
  const rows = examples.map(({ text, pair }) => tokenizer.encode(text, pair, options.maxTokens));
  const tokens = rows.reduce((longest, row) => Math.max(longest, row.length), 0);
  const ids = new Int32Array(rows.length * tokens).fill(options.padTokenId);
  for (const [i, row] of rows.entries()) ids.set(row, i * tokens);
  return {
    ids,
    lengths: Int32Array.from(rows, (row) => row.length),
    labels: labelValues(examples),
    positions: Int32Array.from(rows, (_, i) => options.firstPosition + i),
    tokens,
  };
}
