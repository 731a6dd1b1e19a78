import { addedTokens, sectionsBy } from './added-tokens.ts';
import { normalizerOf, startTest } from './normalizer.ts';
import { preTokenizerOf } from './pre-tokenizer.ts';
import { specialTokensOf } from './special-tokens.ts';
import { TokenizerError } from './tokenizer-error.ts';
import { modelKind, wordModelOf } from './word-model.ts';

/** A model's tokenizer: text, or two texts, to the ids that its embeddings are indexed with. */
export interface Tokenizer {
  /**
   * `<s> A </s>`, or `<s> A </s></s> B </s>` for a pair, or whatever the model's template is; at most `maxTokens` ids. What is too long
   * loses its last tokens; of a pair the longer text first, as with `truncation="longest_first"` in Hugging Face's tokenizers.
   */
  encode(text: string, pair: string | null, maxTokens: number): number[];
  /** Sentences: what is not as in Hugging Face's tokenizers. */
  readonly notices: readonly string[];
  /** One sentence: which kind it is, and whether its ids are exact. */
  readonly about: string;
}

/**
 * Reads a model's `tokenizer.json`, parsed as JSON. `vocabSize` is the number of rows of its embeddings. The steps are those of Hugging
 * Face's tokenizers: added tokens, normaliser, pre-tokenizer, model, special tokens.
 * @throws TokenizerError when it has a part that is not read exactly, or belongs to a larger model.
 */
export function createTokenizer(json: unknown, vocabSize: number): Tokenizer {
  if (typeof json !== 'object' || json === null || !('model' in json))
    throw new TokenizerError('tokenizer.json does not describe a tokenizer: it has no "model".');
  const part = (key: string): unknown => Reflect.get(json, key);
  const model = wordModelOf(json.model);
  const normalize = normalizerOf(part('normalizer'));
  const losesStart = startTest(part('normalizer'));
  const preTokenize = preTokenizerOf(part('pre_tokenizer'));
  const { single, pair: round } = specialTokensOf(part('post_processor'));
  const added = addedTokens(part('added_tokens'));
  const inText = sectionsBy(
    added.filter(({ normalized }) => !normalized),
    (text) => text,
  );
  const inNormalized = sectionsBy(
    added.filter(({ normalized }) => normalized),
    normalize,
  );
  const keepsEnd = isLeft(part('truncation'));
  const largest = [model.largestId, ...added.map(({ id }) => id), ...round.flat()].reduce((a, b) => Math.max(a, b), 0);
  if (largest >= vocabSize)
    throw new TokenizerError(`tokenizer.json has id ${largest}; the model embeds only ids below ${vocabSize}.`);

  /** Ids of each word, and of each added token. */
  function* wordsOf(text: string): Generator<readonly number[], void> {
    for (const section of inText(text)) {
      if (section.kind === 'token') {
        yield [section.id];
        continue;
      }
      const atStart = section.atStart && !losesStart(section.text);
      for (const inner of inNormalized(normalize(section.text))) {
        if (inner.kind === 'token') yield [inner.id];
        else
          for (const piece of preTokenize({ text: inner.text, atStart: atStart && inner.atStart }))
            yield model.ids(piece.text);
      }
    }
  }
  /** Up to the word in which `enough` ids are reached, where the end is what would be cut off: no more of them are ever used. */
  const words = (text: string, enough: number): (readonly number[])[] => {
    const found: (readonly number[])[] = [];
    let read = 0;
    for (const word of wordsOf(text)) {
      found.push(word);
      read += word.length;
      if (read >= enough && !keepsEnd) break;
    }
    return found;
  };
  const cut = (ids: readonly number[], keep: number) => (keepsEnd ? ids.slice(ids.length - keep) : ids.slice(0, keep));
  const roomFor = (maxTokens: number, special: readonly (readonly number[])[]) =>
    Math.max(0, maxTokens - special.reduce((sum, { length }) => sum + length, 0));
  return {
    notices: model.notices,
    about: aboutText(json.model, part('pre_tokenizer'), largest + 1, model.notices),
    encode: (text, pair, maxTokens) => {
      const a = words(text, maxTokens);
      if (pair === null) {
        const ids = a.flat();
        return [...single[0], ...cut(ids, Math.min(ids.length, roomFor(maxTokens, single))), ...single[1]];
      }
      const b = words(pair, maxTokens);
      const [keepA, keepB] = longestFirst(
        tokensRead(a, maxTokens, keepsEnd),
        tokensRead(b, maxTokens, keepsEnd),
        roomFor(maxTokens, round),
      );
      return [...round[0], ...cut(a.flat(), keepA), ...round[1], ...cut(b.flat(), keepB), ...round[2]];
    },
  };
}

function aboutText(model: unknown, preTokenizer: unknown, tokens: number, notices: readonly string[]): string {
  const overBytes = /"type":"ByteLevel"/.test(JSON.stringify(preTokenizer) ?? '');
  const kind = `${overBytes ? 'byte-level ' : ''}${String(modelKind(model))}`;
  const exact =
    notices.length === 0
      ? "token ids are exactly those of Hugging Face's tokenizers"
      : `not exact: ${notices.join(' ')}`;
  return `Its tokenizer is ${kind} with ${tokens.toLocaleString('en-US')} tokens; ${exact.replace(/\.$/, '')}.`;
}

/**
 * Hugging Face's library stops reading a text that will be truncated after the word in which `maxTokens` is reached, and compares what
 * it has read; it decides which of two long texts gets an odd token.
 */
function tokensRead(words: readonly (readonly number[])[], maxTokens: number, fromEnd: boolean): number {
  let read = 0;
  for (const { length } of fromEnd ? words.toReversed() : words) {
    if (read >= maxTokens) break;
    read += length;
  }
  return read;
}

/** Whether the file asks for the beginning to be cut off, which transformers then does. */
function isLeft(truncation: unknown): boolean {
  return (
    typeof truncation === 'object' &&
    truncation !== null &&
    'direction' in truncation &&
    truncation.direction === 'Left'
  );
}

/**
 * How much of two texts of `a` and `b` tokens is kept within `limit`: the longer one is cut down to the shorter one's length first,
 * then both; an odd token goes to the longer one, or to the second when they are equal.
 */
export function longestFirst(a: number, b: number, limit: number): readonly [number, number] {
  if (a + b <= limit) return [a, b];
  const shorter = Math.min(a, b);
  const half = Math.floor(limit / 2);
  const [short, long] = shorter <= limit - shorter ? [shorter, limit - shorter] : [half, limit - half];
  return a > b ? [long, short] : [short, long];
}
