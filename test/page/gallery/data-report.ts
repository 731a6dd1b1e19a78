import type { DataReport } from '../../../worker/api/tables.ts';

/** What a table of a person's own may have been read as. */

export const TOKENIZER =
  "Its tokenizer is byte-level BPE with 8,192 tokens; token ids are exactly those of Hugging Face's tokenizers.";

export const ownData: DataReport = {
  tables: [
    {
      name: 'film_reviews.csv',
      format: 'delimited',
      rows: 1240,
      used: 1236,
      leftOut: [
        { reason: 'fewer cells than columns', count: 1, lines: [5], example: '2 instead of 3' },
        { reason: 'a quote that is never closed', count: 1, lines: [18], example: null },
        { reason: 'an empty label', count: 2, lines: [240, 611], example: null },
      ],
      encoding: 'utf-8',
      wideCharacters: 318,
      unreadableBytes: 1,
      unreadableLines: [77],
      delimiter: ',',
      quoting: 'doubled',
      columns: ['id', 'review', 'verdict'],
      renamedColumns: [],
      classes: [
        { name: 'bad', count: 600 },
        { name: 'good', count: 636 },
      ],
    },
  ],
  cutTexts: { cut: 12, counted: 1236, total: 1236, maxTokens: 64 },
  tokenizer: TOKENIZER,
};
