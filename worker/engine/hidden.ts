import type { TokenBatch } from '../api/batch.ts';
import type { Hidden } from './engine.ts';

/**
 * Hidden states and their gradients between engines. In memory of an engine's own they may be padded, (B,T,C); on their way they are
 * *packed*: the rows of real tokens alone, sample after sample, (sum of lengths, C). Padding is zeros again where they arrive: nothing
 * downstream of a real token depends on it, so that a cut changes no bit. Before the head one row a sample does, its first: (B,C).
 */
export type RowsOfBatch = Pick<TokenBatch, 'lengths' | 'tokens'>;

/** Every sample has at least its first token, which the head reads. */
export const realTokens = (length: number, tokens: number): number => Math.min(tokens, Math.max(1, length));

/** Packed rows of a batch. */
export const packedRows = ({ lengths, tokens }: RowsOfBatch): number =>
  lengths.reduce((sum, length) => sum + realTokens(length, tokens), 0);

/** (sum of lengths, C) of (B,T,C). */
export function packHidden(batch: RowsOfBatch, values: Float32Array): Float32Array {
  const width = values.length / (batch.lengths.length * batch.tokens);
  const packed = new Float32Array(packedRows(batch) * width);
  let at = 0;
  batch.lengths.forEach((length, sample) => {
    const from = sample * batch.tokens * width;
    const count = realTokens(length, batch.tokens) * width;
    packed.set(values.subarray(from, from + count), at);
    at += count;
  });
  return packed;
}

/** (B,T,C) of (sum of lengths, C), zeros where there is padding. */
export function unpackHidden(batch: RowsOfBatch, packed: Float32Array): Float32Array {
  const width = packed.length / packedRows(batch);
  const values = new Float32Array(batch.lengths.length * batch.tokens * width);
  let at = 0;
  batch.lengths.forEach((length, sample) => {
    const count = realTokens(length, batch.tokens) * width;
    values.set(packed.subarray(at, at + count), sample * batch.tokens * width);
    at += count;
  });
  return values;
}

/** (B,C), the first rows of samples that lie `rowsOf(sample)` rows apart. */
function firstRows(samples: number, width: number, values: Float32Array, rowsOf: (sample: number) => number) {
  const first = new Float32Array(samples * width);
  let at = 0;
  for (let sample = 0; sample < samples; sample++) {
    first.set(values.subarray(at, at + width), sample * width);
    at += rowsOf(sample) * width;
  }
  return first;
}

/** (B,C) of (sum of lengths, C): what the head reads. */
export function firstOfPacked(batch: RowsOfBatch, packed: Float32Array): Float32Array {
  const width = packed.length / packedRows(batch);
  return firstRows(batch.lengths.length, width, packed, (sample) => realTokens(batch.lengths[sample]!, batch.tokens));
}

/** Hidden states (B,T,C) that come from elsewhere, as an engine's input. */
export function hiddenFromValues(batch: RowsOfBatch, values: Float32Array): Hidden {
  const samples = batch.lengths.length;
  const width = values.length / (samples * batch.tokens);
  return {
    samples,
    tokens: batch.tokens,
    read: async () => values,
    readPacked: async () => packHidden(batch, values),
    readFirst: async () => firstRows(samples, width, values, () => batch.tokens),
    dispose: () => {},
  };
}

/** Packed ones. @throws RangeError where their number is not that of the batch's real tokens, `width` values each. */
export function hiddenFromPacked(batch: RowsOfBatch, packed: Float32Array, width: number): Hidden {
  const rows = packedRows(batch);
  if (packed.length !== rows * width)
    throw new RangeError(`${packed.length} packed values do not fit ${rows} tokens of ${width} values each.`);
  return {
    samples: batch.lengths.length,
    tokens: batch.tokens,
    read: async () => unpackHidden(batch, packed),
    readPacked: async () => packed,
    readFirst: async () => firstOfPacked(batch, packed),
    dispose: () => {},
  };
}

/** The first rows alone, (B,C), zeros in all others. @throws RangeError where there are more or fewer. */
export function hiddenFromFirst(batch: RowsOfBatch, first: Float32Array, width: number): Hidden {
  const samples = batch.lengths.length;
  if (first.length !== samples * width)
    throw new RangeError(`${first.length} values do not fit the first tokens of ${samples} samples of ${width} each.`);
  const packed = new Float32Array(packedRows(batch) * width);
  let at = 0;
  batch.lengths.forEach((length, sample) => {
    packed.set(first.subarray(sample * width, (sample + 1) * width), at);
    at += realTokens(length, batch.tokens) * width;
  });
  return hiddenFromPacked(batch, packed, width);
}

/** What is left of a batch for the head: one token of each sample. */
export function firstTokens(batch: TokenBatch): TokenBatch {
  const samples = batch.lengths.length;
  const ids = Int32Array.from({ length: samples }, (_, sample) => batch.ids[sample * batch.tokens] ?? 0);
  return { ...batch, ids, lengths: new Int32Array(samples).fill(1), tokens: 1 };
}
