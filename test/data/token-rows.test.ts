import { expect, test } from 'vitest';
import { TokenRows } from '../../worker/data/token-rows.ts';
import type { Tokenizer } from '../../worker/tokenizer/tokenizer.ts';

function letters(): { tokenizer: Tokenizer; read: string[] } {
  const read: string[] = [];
  return {
    read,
    tokenizer: {
      encode: (text, pair, maxTokens) => {
        read.push(text);
        return [...`${text}${pair ?? ''}`].slice(0, maxTokens).map((letter) => letter.charCodeAt(0));
      },
      notices: [],
      about: '',
    },
  };
}
const example = (text: string, pair: string | null = null) => ({ text, pair, label: 0 });

test('a text is read once, and cut', () => {
  const { tokenizer, read } = letters();
  const rows = new TokenRows(tokenizer, 3);
  const one = example('abcd', 'e');
  expect(rows.of(one)).toEqual(Int32Array.of(97, 98, 99));
  expect(rows.of(one)).toBe(rows.of(one));
  expect(read).toEqual(['abcd']);
});

test('of more tokens than are kept, those go that were not asked for the longest', () => {
  const { tokenizer, read } = letters();
  const rows = new TokenRows(tokenizer, 9, 6);
  const [a, b, c] = [example('aa'), example('bb'), example('ccc')];
  for (const one of [a, b, a, c]) rows.of(one);
  expect(read).toEqual(['aa', 'bb', 'ccc']);
  // Seven were too many: b went, which was older than a's second time.
  rows.of(a);
  rows.of(c);
  expect(read).toHaveLength(3);
  rows.of(b);
  expect(read).toEqual(['aa', 'bb', 'ccc', 'bb']);
});
