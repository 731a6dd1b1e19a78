import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { normalizerOf } from '../../worker/tokenizer/normalizer.ts';
import { preTokenizerOf } from '../../worker/tokenizer/pre-tokenizer.ts';
import { createTokenizer } from '../../worker/tokenizer/tokenizer.ts';

const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
/** What Hugging Face's own library makes of the texts (test/reference/make_tokenizer_kinds.py). */
const kinds: {
  texts: string[];
  normalizers: [object, string[]][];
  preTokenizers: [object, string[][]][];
  tokenizers: [{ model: { type: string } }, number[][], number[]][];
} = read('kinds.json');
const unigram = read('../fixtures/cases/model/unigram-tokenizer/tokenizer.json');
/** The table of a "Precompiled" is that of XLM-R's kind. */
const withTable = (part: unknown): unknown =>
  JSON.parse(JSON.stringify(part).replaceAll('{"type":"Precompiled"}', JSON.stringify(unigram.normalizer)));

test('XLM-R’s kind: 45 hard texts, the ids of Hugging Face’s tokenizers', () => {
  const expected: [string, number[]][] = read('../fixtures/cases/model/unigram-tokenizer/expected.json');
  const tokenizer = createTokenizer(unigram, 310);
  expect(expected).toHaveLength(45);
  for (const [text, ids] of expected) expect(tokenizer.encode(text, null, 1000), JSON.stringify(text)).toEqual(ids);
});

describe('normalisers', () => {
  test.each(kinds.normalizers)('%j', (part, expected) => {
    const normalize = normalizerOf(withTable(part));
    expect(kinds.texts.map(normalize)).toEqual(expected);
  });
});

describe('pre-tokenizers', () => {
  test.each(kinds.preTokenizers)('%j', (part, expected) => {
    const preTokenize = preTokenizerOf(part);
    const texts = kinds.texts.filter((text) => text !== '');
    expect(texts.map((text) => preTokenize({ text, atStart: true }).map((piece) => piece.text))).toEqual(expected);
  });
});

describe('whole tokenizers: WordPiece, Unigram and BPE with added tokens of all kinds', () => {
  test.each(kinds.tokenizers.map((row, i) => [i, row[0].model.type, row] as const))(
    '%i, %s',
    (_, __, [given, ids, pair]) => {
      const tokenizer = createTokenizer(given, 2000);
      for (const [i, text] of kinds.texts.entries())
        expect(tokenizer.encode(text, null, 1000), JSON.stringify(text)).toEqual(ids[i]);
      expect(tokenizer.encode(kinds.texts[2]!, kinds.texts[3]!, 1000)).toEqual(pair);
    },
  );
});

describe('what is not read exactly is named', () => {
  const changed = (change: object) => () => createTokenizer({ ...unigram, ...change }, 310);
  test.each([
    ['a normaliser', { normalizer: { type: 'Novel' } }, 'its normalizer is "Novel"'],
    ['one inside of a sequence', { normalizer: { type: 'Sequence', normalizers: [{ type: 'Novel' }] } }, '"Novel"'],
    ['a pre-tokenizer', { pre_tokenizer: { type: 'UnicodeScripts' } }, 'its pre-tokenizer is "UnicodeScripts"'],
    ['a post-processor', { post_processor: { type: 'Novel' } }, 'its post-processor is "Novel"'],
    ['no special tokens', { post_processor: null }, 'adds no token before a text'],
    ['a model', { model: { type: 'WordLevel', vocab: {} } }, 'its model is "WordLevel"'],
    ['a damaged table', { normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } }, 'is damaged'],
    ['a table that is no base64', { normalizer: { type: 'Precompiled', precompiled_charsmap: '?' } }, 'is not base64'],
    [
      'an expression',
      { pre_tokenizer: { type: 'Split', pattern: { Regex: '(?<a>x)\\k<a>(?&b)' }, behavior: 'Isolated' } },
      'regular expression',
    ],
    ['no pieces', { model: { type: 'Unigram', vocab: [], unk_id: null } }, '0 pieces'],
    ['a piece without a score', { model: { type: 'Unigram', vocab: [['a']], unk_id: 0 } }, 'cannot be read'],
    ['a merge of nothing', { model: { type: 'BPE', vocab: {}, merges: [3] } }, 'cannot be read'],
    ['an added token without an id', { added_tokens: [{ content: 'x' }] }, 'no id'],
    ['ids beyond the embeddings', { added_tokens: [{ id: 310, content: 'x' }] }, 'has id 310'],
  ])('%s', (_, change, sentence) => {
    expect(changed(change)).toThrow(sentence);
    expect(changed(change)).toThrow(/\.$/);
  });

  test('merges left out at random are said', () => {
    const model = {
      type: 'BPE',
      vocab: { '<s>': 0, a: 1, b: 2, ab: 3 },
      merges: ['a b'],
      unk_token: null,
      dropout: 0.1,
    };
    const tokenizer = createTokenizer({ ...unigram, added_tokens: [], pre_tokenizer: null, model }, 310);
    expect(tokenizer.notices.join()).toContain('dropout 0.1');
    expect(tokenizer.encode('ab', null, 10)).toEqual([0, 3, 2]);
  });
});

test('a file that asks for it loses its first tokens, not its last', () => {
  const whole = createTokenizer(unigram, 310).encode('a good film and a bad film', null, 100);
  const left = createTokenizer({ ...unigram, truncation: { direction: 'Left', max_length: 5 } }, 310);
  expect(left.encode('a good film and a bad film', null, 5)).toEqual([0, ...whole.slice(-4)]);
});

test.each([
  ['unigram-tokenizer', 310, 'Unigram with 310 tokens'],
  ['tiny', 1000, /^Its tokenizer is byte-level BPE with \d+ tokens/],
])('%s says which kind it is, and that its ids are exact', (model, vocabSize, kind) => {
  const { about } = createTokenizer(read(`../fixtures/cases/model/${model}/tokenizer.json`), vocabSize);
  expect(about).toMatch(kind);
  expect(about).toMatch(/; token ids are exactly those of Hugging Face's tokenizers\.$/);
});

test('a tokenizer with an ingredient of chance says that it is not exact', () => {
  const tiny = read('../fixtures/cases/model/tiny/tokenizer.json');
  const { about } = createTokenizer({ ...tiny, model: { ...tiny.model, dropout: 0.1 } }, 1000);
  expect(about).toContain("; not exact: The model's tokenizer leaves out merges at random (dropout 0.1)");
});
