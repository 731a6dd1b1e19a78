import type { Normalize } from './normalizer.ts';
import { TokenizerError } from './tokenizer-error.ts';

const MAX_ADDED = 100_000;
const WORD_AT_START = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const WORD_AT_END = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const SPACES_AT_START = /^\p{White_Space}*/u;

/** A token that is looked for in the text itself, before anything else is done with it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Only where no letter or digit stands beside it. */
  readonly singleWord: boolean;
  /** Takes the white space before it along, and after it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in the normalised text, in place of the text as it is. */
  readonly normalized: boolean;
  readonly special: boolean;
}

/** @throws TokenizerError when the list is not as Hugging Face's tokenizers write it. */
export function addedTokens(value: unknown): readonly AddedToken[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MAX_ADDED)
    throw new TokenizerError(`tokenizer.json: added_tokens is no list of at most ${MAX_ADDED} tokens.`);
  return value.map((entry: unknown) => {
    const given: Record<string, unknown> = typeof entry === 'object' && entry !== null ? { ...entry } : {};
    const { id, content, special } = given;
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0 || typeof content !== 'string')
      throw new TokenizerError('tokenizer.json: an entry of added_tokens has no id or no content.');
    return {
      id,
      content,
      singleWord: given.single_word === true,
      lstrip: given.lstrip === true,
      rstrip: given.rstrip === true,
      normalized: given.normalized === undefined ? special !== true : given.normalized === true,
      special: special === true,
    };
  });
}

/** A section of a text: an added token, or what lies between. */
export type Section =
  | { readonly kind: 'token'; readonly id: number }
  | { readonly kind: 'text'; readonly text: string; readonly atStart: boolean };

/**
 * Cuts a text at the added tokens in it, the first and of those the longest first, as `AddedVocabulary` in Hugging Face's tokenizers does.
 * `normalize` is applied to what the tokens are looked for with.
 */
export function sectionsBy(tokens: readonly AddedToken[], normalize: Normalize): (text: string) => readonly Section[] {
  const byContent = new Map<string, AddedToken>();
  for (const token of tokens) {
    const content = normalize(token.content);
    if (content !== '') byContent.set(content, token);
  }
  if (byContent.size === 0) return (text) => (text === '' ? [] : [{ kind: 'text', text, atStart: true }]);
  const escaped = [...byContent.keys()]
    .sort((a, b) => b.length - a.length)
    .map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  const pattern = new RegExp(escaped.join('|'), 'gu');
  return (text) => {
    const sections: Section[] = [];
    let done = 0;
    const putText = (end: number) => {
      if (end > done) sections.push({ kind: 'text', text: text.slice(done, end), atStart: done === 0 });
    };
    for (const { 0: content, index } of text.matchAll(pattern)) {
      const token = byContent.get(content)!;
      let [start, end] = [index, index + content.length];
      if (token.singleWord && (WORD_AT_END.test(text.slice(0, start)) || WORD_AT_START.test(text.slice(end)))) continue;
      // White space that one token took along, another one still is, but takes along no more.
      if (token.lstrip) start = Math.max(done, start - spacesAtEnd(text.slice(0, start)));
      if (token.rstrip) end += SPACES_AT_START.exec(text.slice(end))![0].length;
      putText(start);
      if (start < end) sections.push({ kind: 'token', id: token.id });
      done = end;
    }
    putText(text.length);
    return sections;
  };
}

/** All white space is one UTF-16 unit long. */
function spacesAtEnd(text: string): number {
  let count = 0;
  while (count < text.length && /\p{White_Space}/u.test(text[text.length - 1 - count]!)) count++;
  return count;
}
