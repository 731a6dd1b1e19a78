import { describe, expect, it } from 'vitest';
import {
  firstOfPacked,
  firstTokens,
  hiddenFromFirst,
  hiddenFromPacked,
  hiddenFromValues,
  packedRows,
  packHidden,
  unpackHidden,
} from '../../worker/engine/hidden.ts';

/** Two samples of three tokens, the second with one of padding, rows of two values. */
const batch = { lengths: Int32Array.of(3, 2), tokens: 3 };
const values = Float32Array.from({ length: 12 }, (_, i) => i + 1);
const packed = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);

describe('hidden states on their way', () => {
  it('are the rows of real tokens, zero at padding where they arrive', () => {
    expect(packedRows(batch)).toBe(5);
    expect(packHidden(batch, values)).toEqual(packed);
    expect([...unpackHidden(batch, packed)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0]);
  });

  it('before the head are the rows of first tokens', async () => {
    expect([...firstOfPacked(batch, packed)]).toEqual([1, 2, 7, 8]);
    expect([...(await hiddenFromValues(batch, values).readFirst())]).toEqual([1, 2, 7, 8]);
    const wrapped = hiddenFromFirst(batch, Float32Array.of(1, 2, 7, 8), 2);
    expect([...(await wrapped.readPacked())]).toEqual([1, 2, 0, 0, 0, 0, 7, 8, 0, 0]);
    expect([...(await wrapped.read())]).toEqual([1, 2, 0, 0, 0, 0, 7, 8, 0, 0, 0, 0]);
  });

  it('have one row of a sample that has no token', () => {
    const empty = { lengths: Int32Array.of(0, 2), tokens: 2 };
    expect(packedRows(empty)).toBe(3);
    expect([...packHidden(empty, Float32Array.of(1, 2, 3, 4))]).toEqual([1, 3, 4]);
  });

  it('read alike, however they came', async () => {
    for (const hidden of [hiddenFromValues(batch, values), hiddenFromPacked(batch, packed, 2)]) {
      expect(hidden).toMatchObject({ samples: 2, tokens: 3 });
      expect(await hidden.readPacked()).toEqual(packed);
      expect([...(await hidden.readFirst())]).toEqual([1, 2, 7, 8]);
    }
  });

  it('are refused where they do not fit the batch', () => {
    expect(() => hiddenFromPacked(batch, packed.subarray(1), 2)).toThrow(
      '9 packed values do not fit 5 tokens of 2 values each.',
    );
    expect(() => hiddenFromFirst(batch, packed, 2)).toThrow('10 values do not fit the first tokens of 2 samples of 2');
  });
});

it('the head alone sees one token of each sample', () => {
  const whole = {
    ids: Int32Array.of(0, 7, 2, 0, 2, 1),
    lengths: Int32Array.of(3, 2),
    labels: Float32Array.of(1, 0),
    positions: Int32Array.of(4, 9),
    tokens: 3,
  };
  expect(firstTokens(whole)).toEqual({ ...whole, ids: Int32Array.of(0, 0), lengths: Int32Array.of(1, 1), tokens: 1 });
  expect(firstTokens({ ...whole, ids: new Int32Array(0) }).ids).toEqual(Int32Array.of(0, 0));
});
