import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers';

export class TokenizerError extends Error {
  override readonly name = 'TokenizerError';
}

/** A model's tokenizer: text, or two texts, to the ids that its embeddings are indexed with. */
export interface Tokenizer {
  /**
   * `<s> A </s>`, or `<s> A </s></s> B </s>` for a pair; at most `maxTokens` ids. What is too long loses its last tokens; of a pair the
   * longer text first, as with `truncation="longest_first"` in Hugging Face's tokenizers.
   */
  encode(text: string, pair: string | null, maxTokens: number): number[];
  /** The text of some ids, without special tokens. */
  decode(ids: readonly number[]): string;
}

/** `<s>`, `</s>` of one text; two more `</s>` ends of a pair. */
const SPECIAL_TOKENS = 2;
const SPECIAL_TOKENS_OF_PAIR = 4;

/**
 * Reads a model's `tokenizer.json`, parsed as JSON. `vocabSize` is the number of rows of its embeddings.
 * @throws TokenizerError when it is not a tokenizer of the RoBERTa family, or belongs to a larger model.
 */
export function createTokenizer(json: unknown, vocabSize: number): Tokenizer {
  if (typeof json !== 'object' || json === null || !('model' in json))
    throw new TokenizerError('tokenizer.json does not describe a tokenizer: it has no "model".');
  let hub: HubTokenizer;
  try {
    hub = new HubTokenizer(json, {});
  } catch (error) {
    throw new TokenizerError(`tokenizer.json cannot be read (${error instanceof Error ? error.message : error}).`);
  }
  const start = hub.token_to_id('<s>');
  const end = hub.token_to_id('</s>');
  if (start === undefined || end === undefined)
    throw new TokenizerError(
      'tokenizer.json has no <s> and </s>; only tokenizers of the RoBERTa family are supported.',
    );
  let largest = 0;
  for (const id of hub.get_vocab().values()) largest = Math.max(largest, id);
  if (largest >= vocabSize)
    throw new TokenizerError(`tokenizer.json has id ${largest}; the model embeds only ids below ${vocabSize}.`);

  /**
   * Hugging Face's library stops reading a text that will be truncated after the word in which `maxTokens` is reached, and compares what
   * it has read; it decides which of two long texts gets an odd token.
   */
  const tokensRead = (text: string, length: number, maxTokens: number): number => {
    if (length <= maxTokens || !hub.pre_tokenizer || !hub.model) return length;
    let read = 0;
    for (const word of hub.pre_tokenizer.pre_tokenize(text)) {
      if (read >= maxTokens) break;
      read += hub.model.encode([word]).length;
    }
    return read;
  };
  const ids = (text: string) => hub.encode(text, { add_special_tokens: false }).ids;
  return {
    encode: (text, pair, maxTokens) => {
      if (pair === null) {
        return [start, ...ids(text).slice(0, Math.max(0, maxTokens - SPECIAL_TOKENS)), end];
      }
      const [a, b] = [ids(text), ids(pair)];
      const [keepA, keepB] = longestFirst(
        tokensRead(text, a.length, maxTokens),
        tokensRead(pair, b.length, maxTokens),
        Math.max(0, maxTokens - SPECIAL_TOKENS_OF_PAIR),
      );
      return [start, ...a.slice(0, keepA), end, end, ...b.slice(0, keepB), end];
    },
    // The library refuses to decode nothing.
    decode: (tokens) =>
      tokens.length === 0
        ? ''
        : hub.decode([...tokens], { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
  };
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
