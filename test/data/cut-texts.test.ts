import { describe, expect, it } from 'vitest';
import { countCutTexts } from '../../worker/data/cut-texts.ts';
import type { Example } from '../../worker/data/example.ts';

/** A token a character, two special ones around a text and four around a pair; no more than are asked for. */
const tokenizer = {
  encode: (text: string, pair: string | null, maxTokens: number) => {
    const tokens = pair === null ? text.length + 2 : text.length + pair.length + 4;
    return new Array<number>(Math.min(tokens, maxTokens)).fill(0);
  },
};
const plain = (length: number): Example => ({ text: 'x'.repeat(length), pair: null, label: 0 });
const pair = (a: number, b: number): Example => ({ text: 'x'.repeat(a), pair: 'x'.repeat(b), label: 0 });
const MAX = 10;

describe('texts that lose their ends', () => {
  it('are those with more tokens than samples have, special ones counted', () => {
    const train = [plain(8), plain(9), pair(3, 3), pair(3, 4), plain(0)];
    const dev = [plain(30), plain(1)];
    expect(countCutTexts({ train, dev }, tokenizer, MAX)).toEqual({ cut: 3, counted: 7, total: 7, maxTokens: MAX });
  });

  it.each([
    ['all of 20,000', 19_998, 2, 20_000, 2],
    ['the first of more, dev set last', 19_999, 5, 20_000, 1],
    ['none of the dev set where training has so many', 20_003, 5, 20_000, 0],
  ])('are counted among %s', (_, trained, scored, counted, cut) => {
    const train = new Array<Example>(trained).fill(plain(1));
    const dev = new Array<Example>(scored).fill(plain(40));
    expect(countCutTexts({ train, dev }, tokenizer, MAX)).toEqual({
      cut,
      counted,
      total: trained + scored,
      maxTokens: MAX,
    });
  });

  it('in letters of three bytes may have three tokens each', () => {
    const bytes = {
      encode: (text: string, _: string | null, maxTokens: number) =>
        new Array<number>(Math.min(3 * text.length + 2, maxTokens)).fill(0),
    };
    const dev: Example[] = [{ text: '界界界', pair: null, label: 0 }];
    expect(countCutTexts({ train: [], dev }, bytes, MAX)).toMatchObject({ cut: 1, counted: 1 });
    expect(countCutTexts({ train: [], dev }, bytes, MAX + 1)).toMatchObject({ cut: 0 });
  });
});
