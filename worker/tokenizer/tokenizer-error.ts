import { SentenceError } from '../../signaling/protocol/text/sentence-error.ts';

export class TokenizerError extends SentenceError {
  override readonly name = 'TokenizerError';
}

/** A part of `tokenizer.json`, its type a string. */
export interface Component {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Null where there is none. @throws TokenizerError when it is no component. */
export function component(value: unknown, where: string): Component | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'object' && 'type' in value && typeof value.type === 'string')
    return { ...value, type: value.type };
  throw new TokenizerError(`tokenizer.json: ${where} is not as Hugging Face's tokenizers write it.`);
}

/** The parts of a sequence, under the name that the kind of sequence gives them. */
export function components(sequence: Component, key: string, where: string): readonly Component[] {
  const list = sequence[key];
  if (!Array.isArray(list)) throw new TokenizerError(`tokenizer.json: ${where} has no list of ${key}.`);
  return list.flatMap((entry: unknown) => component(entry, where) ?? []);
}

/** What makes token ids other than those that the model was trained with, by its name. */
export function inexact(where: string, what: string): TokenizerError {
  return new TokenizerError(
    `tokenizer.json: ${where} ${what}, which is not read here, and without it token ids would not be the model's; choose another model.`,
  );
}

export const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);
