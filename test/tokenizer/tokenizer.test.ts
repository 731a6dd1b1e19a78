import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createTokenizer, longestFirst } from '../../worker/tokenizer/tokenizer.ts';

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const mini = createTokenizer(read('../../models/roberta-mini/tokenizer.json'), 8192);
const base = createTokenizer(read('../fixtures/hub/FacebookAI/roberta-base/resolve/main/tokenizer.json'), 50265);
const ids = (text: string) => text.split(' ').map(Number);

test('known ids', () => {
  expect(base.encode('Hello world', null, 512)).toEqual([0, 31414, 232, 2]);
  expect(mini.encode("it 's a charming and often affecting journey . ", null, 128)).toEqual(
    ids('0 275 663 86 261 3340 285 1550 3791 278 3294 284 224 2'),
  );
  expect(mini.encode("Hello world! Don't stop  now", null, 128)).toEqual(
    ids('0 43 899 82 922 4 2494 382 1682 224 868 2'),
  );
});

test('a pair is <s> A </s></s> B </s>', () => {
  expect(base.encode('Hello world', 'Hello', 512)).toEqual([0, 31414, 232, 2, 2, 31414, 2]);
});

test('too long a text loses its last tokens and keeps </s>', () => {
  const whole = mini.encode('one two three four five six', null, 128);
  const cut = mini.encode('one two three four five six', null, 6);
  expect(cut).toEqual([...whole.slice(0, 5), 2]);
  expect(mini.encode('', null, 6)).toEqual([0, 2]);
});

test('longest first: the longer text is cut to the shorter one, then both', () => {
  expect(longestFirst(3, 4, 7)).toEqual([3, 4]);
  expect(longestFirst(3, 9, 8)).toEqual([3, 5]);
  expect(longestFirst(9, 3, 8)).toEqual([5, 3]);
  expect(longestFirst(9, 8, 8)).toEqual([4, 4]);
  // The odd token goes to the longer text, or to the second of two equal ones.
  expect(longestFirst(9, 8, 7)).toEqual([4, 3]);
  expect(longestFirst(8, 9, 7)).toEqual([3, 4]);
  expect(longestFirst(9, 9, 7)).toEqual([3, 4]);
  expect(longestFirst(0, 9, 7)).toEqual([0, 7]);
});

test('a truncated pair has exactly as many tokens as fit', () => {
  const long = 'a word and another word and one more word';
  const pair = mini.encode(long, 'short', 12);
  expect(pair).toHaveLength(12);
  const short = mini.encode('short', null, 12).slice(1);
  expect(pair.slice(-short.length)).toEqual(short);
});

test('what is no tokenizer of this model is refused', () => {
  expect(() => createTokenizer('text', 10)).toThrow('it has no "model"');
  expect(() => createTokenizer({ model: { type: 'Unheard' } }, 10)).toThrow('its model is "Unheard"');
  expect(() => createTokenizer(read('../../models/roberta-mini/tokenizer.json'), 8191)).toThrow(
    'has id 8191; the model embeds only ids below 8191',
  );
});

describe('roberta-base, as Hugging Face’s own library has it (test/reference/make_tokenizer_ids.py)', () => {
  const lines = readFileSync(new URL('tokenizer-ids.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
  const rows: unknown[][] = lines.map((line) => JSON.parse(line));
  const single = rows.filter((row) => row.length === 2) as [string, number[]][];
  const pairs = rows.filter((row) => row.length === 4) as [string, string, number, number[]][];

  test('750 difficult texts: the same ids', () => {
    expect(single).toHaveLength(750);
    for (const [text, expected] of single)
      expect(base.encode(text, null, 10_000), JSON.stringify(text)).toEqual(expected);
  });

  test('120 truncated pairs: the same ids', () => {
    expect(pairs).toHaveLength(120);
    for (const [text, pair, maxTokens, expected] of pairs)
      expect(base.encode(text, pair, maxTokens), JSON.stringify([text, pair, maxTokens])).toEqual(expected);
  });

  test('a truncated text is a beginning of the whole, whatever the limit', () => {
    for (const [text, expected] of single.slice(0, 200)) {
      for (const maxTokens of [2, 3, 5, 8]) {
        const ids = base.encode(text, null, maxTokens);
        expect(ids.length).toBe(Math.min(maxTokens, expected.length));
        expect(ids.slice(0, -1)).toEqual(expected.slice(0, ids.length - 1));
        expect(ids.at(-1)).toBe(2);
      }
    }
  });
});
