import type { TokenBatch } from '../../api/batch.ts';
/**
 * A batch without its padding: the real tokens of all samples, one after the other, are the rows that kernels work on. Padding costs
 * nothing then, and needs no mask.
 */
export interface PackedBatch {
  readonly samples: number;
  readonly tokens: number;
  /** (B) */
  readonly lengths: Int32Array;
  /** Packed rows. */
  readonly rows: number;
  /** Tokens of the longest sample. */
  readonly longest: number;
  /** (rows,4): position id, token, position of the sample in its round, token id. */
  readonly rowTable: Uint32Array;
  /** (B,4): first row, length, position in the round, 0. */
  readonly sampleTable: Uint32Array;
}

/** `batch` is checked: every length is at least 1. Positions follow RoBERTa: padding id + 1 + token. */
export function packBatch({ ids, lengths, positions, tokens }: TokenBatch, padTokenId: number): PackedBatch {
  const rows = lengths.reduce((sum, length) => sum + length, 0);
  const rowTable = new Uint32Array(rows * 4);
  const sampleTable = new Uint32Array(lengths.length * 4);
  let row = 0;
  lengths.forEach((length, sample) => {
    const position = positions[sample]!;
    sampleTable.set([row, length, position], sample * 4);
    for (let token = 0; token < length; token++, row++) {
      // A sample of nothing but padding keeps its first token, which is one of padding.
      const id = ids[sample * tokens + token] ?? 0;
      rowTable.set([padTokenId + 1 + token, token, position, id], row * 4);
    }
  });
  return {
    samples: lengths.length,
    tokens,
    lengths,
    rows,
    longest: lengths.reduce((most, length) => Math.max(most, length), 1),
    rowTable,
    sampleTable,
  };
}

/** The row of each sample's first token. */
export const firstRowsOf = ({ samples, sampleTable }: PackedBatch): readonly number[] =>
  Array.from({ length: samples }, (_, sample) => sampleTable[sample * 4]!);
