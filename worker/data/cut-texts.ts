import type { CutTexts } from '../api/tables.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Example, ExampleSplits } from './example.ts';

/** Texts that are looked at; of more, these are said to be the first ones. */
const MAX_COUNTED = 20_000;

/**
 * How many texts, or pairs of texts, are longer than a session's samples and lose their ends. A token is a byte at least, so that most
 * short texts need not be tokenised to know.
 */
export function countCutTexts(
  { train, dev }: ExampleSplits,
  tokenizer: Pick<Tokenizer, 'encode'>,
  maxTokens: number,
): CutTexts {
  const total = train.length + dev.length;
  const isCut = ({ text, pair }: Example): boolean =>
    mostTokens(text, pair) > maxTokens && tokenizer.encode(text, pair, maxTokens + 1).length > maxTokens;
  const counted = [...train.slice(0, MAX_COUNTED), ...dev.slice(0, Math.max(0, MAX_COUNTED - train.length))];
  return { cut: counted.filter(isCut).length, counted: counted.length, total, maxTokens };
}

/** UTF-8 has at most 3 bytes for each of JavaScript's units; a space may be put before a text; a pair has 4 special tokens. */
const mostTokens = (text: string, pair: string | null): number =>
  pair === null ? 3 * text.length + 3 : 3 * (text.length + pair.length) + 6;
