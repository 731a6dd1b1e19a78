import { describe, expect, it } from 'vitest';
import { shared } from '../../web/page/parts/shared.ts';

const made = () => ({
  rows: [{ depth: 0 }, { depth: 1 }],
  threads: [
    { id: 'a', cells: [1, 2] },
    { id: 'b', cells: [] as number[] },
  ],
  none: null,
});

describe('what did not change', () => {
  it('keeps its identity, all the way up where nothing did', () => {
    const before = made();
    expect(shared(before, made())).toBe(before);
  });

  it('keeps it beside what did', () => {
    const before = made();
    const after = made();
    after.threads[0]!.cells[1] = 3;
    const kept = shared(before, after);
    expect(kept).toEqual(after);
    expect(kept).not.toBe(before);
    expect(kept.rows).toBe(before.rows);
    expect(kept.threads[1]).toBe(before.threads[1]);
    expect(kept.threads[0]).not.toBe(before.threads[0]);
    // Neither side is written to.
    expect([before, after]).toEqual([made(), { ...made(), threads: after.threads }]);
  });

  it.each([
    ['a key more', { a: 1 }, { a: 1, b: undefined }],
    ['a key less', { a: 1, b: 2 }, { a: 1 }],
    ['an entry more', [1], [1, 2]],
    ['an entry less', [1, 2], [1]],
    ['a list for an object', { 0: 1 }, [1]],
    ['null for an object', { a: {} }, { a: null }],
    ['nothing before', undefined, { a: 1 }],
    ['NaN for a number', { a: 1 }, { a: Number.NaN }],
  ])('is not found in %s', (_what, before, after) => {
    expect(shared<unknown>(before, after)).toEqual(after);
    expect(shared<unknown>(before, after)).not.toBe(before);
  });

  it('is found in NaN, which is not equal to itself', () => {
    const before = { a: Number.NaN };
    expect(shared(before, { a: Number.NaN })).toBe(before);
  });
});
