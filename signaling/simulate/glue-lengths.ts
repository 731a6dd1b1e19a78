/**
 * How long GLUE's training examples are in roberta-base's tokens, special tokens included, cut at 128. Measured once over the whole
 * train split (QNLI, QQP and MNLI: the first 8,999 labelled rows), in file order, with
 *
 *     npx tsx test/simulate/measure-token-lengths.ts HUB
 *
 * where HUB is a folder in the hub's layout that holds the tokenizer and GLUE as parquet.
 */
export interface GlueLength {
  readonly examples: number;
  readonly meanTokens: number;
  /** Mean over consecutive batches of 32 of the longest example: what every sample costs once a batch is padded. */
  readonly meanLongestOf32: number;
}

export const GLUE_LENGTHS = {
  cola: { examples: 8551, meanTokens: 11.4, meanLongestOf32: 18.9 },
  sst2: { examples: 67349, meanTokens: 14.4, meanLongestOf32: 40.7 },
  mrpc: { examples: 3668, meanTokens: 54.1, meanLongestOf32: 81 },
  stsb: { examples: 5749, meanTokens: 29.1, meanLongestOf32: 46.7 },
  qqp: { examples: 8999, meanTokens: 31.2, meanLongestOf32: 67.5 },
  mnli: { examples: 8999, meanTokens: 40.7, meanLongestOf32: 90 },
  qnli: { examples: 8999, meanTokens: 50.7, meanLongestOf32: 99.7 },
  rte: { examples: 2490, meanTokens: 67.5, meanLongestOf32: 127.8 },
  wnli: { examples: 635, meanTokens: 37.7, meanLongestOf32: 82.1 },
} as const satisfies Record<string, GlueLength>;

export type GlueTask = keyof typeof GLUE_LENGTHS;
