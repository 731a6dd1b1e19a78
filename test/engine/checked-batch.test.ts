import { describe, expect, it } from 'vitest';
import { randomModel } from '../../worker/check/random-model.ts';
import { checkedBatch } from '../../worker/engine/checked-batch.ts';

describe('a batch for an engine', async () => {
  const { shape, batch } = await randomModel({ samples: 2, tokens: 4, lengths: [4, 0] });

  it('has at least one token in every sample, and at most all', () => {
    expect([...checkedBatch(batch, shape, 2).lengths]).toEqual([4, 1]);
    expect([...checkedBatch({ ...batch, lengths: Int32Array.of(9, 2) }, shape, 2).lengths]).toEqual([4, 2]);
  });

  it.each([
    ['more tokens than positions', { tokens: 5, ids: new Int32Array(10) }, /takes 1 to 4/],
    ['no tokens', { tokens: 0, ids: new Int32Array(0) }, /takes 1 to 4/],
    ['no samples', { ids: new Int32Array(0), lengths: new Int32Array(0) }, /0 samples/],
    ['too few ids', { ids: new Int32Array(7) }, /has 7 ids/],
    ['too few labels', { labels: new Float32Array(1) }, /1 labels/],
    ['too few positions', { positions: new Int32Array(1) }, /1 positions/],
    ['an id outside the vocabulary', { ids: new Int32Array(8).fill(31) }, /Token id 31/],
    ['a negative id', { ids: new Int32Array(8).fill(-1) }, /Token id -1/],
    ['a class that does not exist', { labels: Float32Array.of(0, 2) }, /Label 2/],
    ['half a class', { labels: Float32Array.of(0, 0.5) }, /Label 0.5/],
  ])('is refused with %s', (_, change, why) => {
    expect(() => checkedBatch({ ...batch, ...change }, shape, 2)).toThrow(why);
  });

  it('may have any finite value as the label of a regression', () => {
    expect(() => checkedBatch({ ...batch, labels: Float32Array.of(-1.5, 4.25) }, shape, 1)).not.toThrow();
    expect(() => checkedBatch({ ...batch, labels: Float32Array.of(Number.NaN, 0) }, shape, 1)).toThrow(/NaN/);
  });
});
