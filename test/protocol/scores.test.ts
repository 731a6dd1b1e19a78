import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { FurtherScoreSchema } from '../../signaling/protocol/scores.ts';
import { furtherTexts, measureName } from '../../signaling/protocol/words/metrics.ts';

describe('a measure beside the task’s own', () => {
  it.each([[{ metric: 'f1', devSet: null, value: 0.4 }], [{ metric: 'accuracy', devSet: 'mismatched', value: 0.5 }]])(
    '%j reads as it is',
    (score) => expect(v.parse(FurtherScoreSchema, score)).toEqual(score),
  );

  it('of the task’s own dev set need not say so', () => {
    expect(v.parse(FurtherScoreSchema, { metric: 'spearman', value: -1 })).toEqual({
      metric: 'spearman',
      devSet: null,
      value: -1,
    });
  });

  it('of a checkpoint of 0.1.0, which has both in one text, reads as fields', () => {
    expect(v.parse(FurtherScoreSchema, { metric: 'accuracy, mismatched dev set', value: 0.86 })).toEqual({
      metric: 'accuracy',
      devSet: 'mismatched',
      value: 0.86,
    });
  });

  it.each([
    [{ metric: 'loss', value: 1 }],
    [{ metric: 'loss, mismatched dev set', value: 1 }],
    [{ metric: 'accuracy, dev set', value: 1 }],
    [{ metric: 'accuracy', devSet: '', value: 1 }],
    [{ metric: 'accuracy', value: Number.NaN }],
    [{ metric: 'accuracy', value: 1, more: 2 }],
  ])('%j is refused', (score) => expect(v.safeParse(FurtherScoreSchema, score).success).toBe(false));

  it('is named with its dev set where that is another', () => {
    expect(measureName({ metric: 'matthews', devSet: null })).toBe('Matthews correlation');
    expect(furtherTexts([{ metric: 'accuracy', devSet: 'matched', value: 0.551 }])).toEqual([
      'accuracy on the matched dev set 55.1 %',
    ]);
  });
});
