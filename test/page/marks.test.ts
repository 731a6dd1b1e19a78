import { describe, expect, it } from 'vitest';
import { markFor, markOf, seated, WEAVES, YARNS } from '../../web/page/cloth/marks.ts';

describe('markOf', () => {
  it('letters like the columns of a sheet', () => {
    expect([0, 25, 26, 51, 52, 63].map((place) => markOf(place).letter)).toEqual(['A', 'Z', 'AA', 'AZ', 'BA', 'BL']);
  });

  it('gives 64 devices 64 different pairs of yarn and weave', () => {
    const pairs = Array.from({ length: 64 }, (_, place) => `${markOf(place).yarn} ${markOf(place).weave}`);
    expect(new Set(pairs).size).toBe(64);
  });

  it('gives the first eight devices eight yarns and eight weaves', () => {
    const first = Array.from({ length: 8 }, (_, place) => markOf(place));
    expect(new Set(first.map((mark) => mark.yarn)).size).toBe(YARNS);
    expect(new Set(first.map((mark) => mark.weave)).size).toBe(WEAVES.length);
  });
});

it('yarns go round, and with each round every yarn has the next weave', () => {
  expect([7, 8, 15, 16, 63].map((place) => [markOf(place).yarn, markOf(place).weave])).toEqual([
    [7, 7],
    [0, 1],
    [7, 0],
    [0, 2],
    [7, 6],
  ]);
});

describe('WEAVES', () => {
  it('are rectangular drafts of which no two are alike', () => {
    for (const draft of WEAVES) expect(new Set(draft.map((line) => line.length)).size).toBe(1);
    expect(new Set(WEAVES.map((draft) => draft.join('/'))).size).toBe(WEAVES.length);
  });
});

describe('seated', () => {
  it('keeps who stays, frees who left, and fills the first free seat', () => {
    const first = seated([], ['a', 'b', 'c']);
    expect(first).toEqual(['a', 'b', 'c']);
    const second = seated(first, ['a', 'c']);
    expect(second).toEqual(['a', null, 'c']);
    expect(seated(second, ['a', 'c', 'd', 'e'])).toEqual(['a', 'd', 'c', 'e']);
  });

  it('is the same object when nothing changed, so that nothing is drawn again', () => {
    const seats = seated([], ['a', 'b']);
    expect(seated(seats, ['b', 'a'])).toBe(seats);
  });

  it('marks a device by its seat', () => {
    expect(markFor(['x', null, 'y'], 'y').letter).toBe('C');
    // One that has none yet is marked as who sits down next.
    expect(markFor(['x', null, 'y'], 'z').letter).toBe('D');
    expect(markFor([], 'z')).toEqual({ letter: 'A', yarn: 0, weave: 0 });
  });
});
