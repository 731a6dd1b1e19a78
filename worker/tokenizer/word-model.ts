import { BPE, WordPiece } from '@huggingface/tokenizers';
import * as v from 'valibot';
import { brief } from '../../signaling/protocol/text/visible.ts';
import { inexact, TokenizerError } from './tokenizer-error.ts';
import { byteToken, unigramIds } from './unigram.ts';

/** The ids of a word. */
export interface WordModel {
  readonly ids: (word: string) => readonly number[];
  readonly largestId: number;
  /** Sentences. */
  readonly notices: readonly string[];
}

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Vocab = v.record(v.string(), id);
const text = v.optional(v.nullable(v.string()));
const BpeSchema = v.object({
  vocab: Vocab,
  merges: v.array(v.union([v.string(), v.strictTuple([v.string(), v.string()])])),
  unk_token: text,
  fuse_unk: v.optional(v.nullable(v.boolean())),
  byte_fallback: v.optional(v.nullable(v.boolean())),
  ignore_merges: v.optional(v.nullable(v.boolean())),
  continuing_subword_prefix: text,
  end_of_word_suffix: text,
  dropout: v.optional(v.nullable(v.number())),
});
const WordPieceSchema = v.object({
  vocab: Vocab,
  unk_token: v.string(),
  continuing_subword_prefix: v.optional(v.string(), '##'),
  max_input_chars_per_word: v.optional(v.number(), 100),
});
const UnigramSchema = v.object({
  vocab: v.array(v.strictTuple([v.string(), v.pipe(v.number(), v.finite())])),
  unk_id: v.optional(v.nullable(id)),
  byte_fallback: v.optional(v.nullable(v.boolean())),
});

/** The `model` of tokenizer.json. @throws TokenizerError that names what is not read. */
export function wordModelOf(value: unknown): WordModel {
  switch (modelKind(value)) {
    case 'BPE':
      return bpe(parsed(BpeSchema, value));
    case 'WordPiece':
      return wordPiece(parsed(WordPieceSchema, value));
    case 'Unigram': {
      const { vocab, unk_id: unknownId, byte_fallback: byteFallback } = parsed(UnigramSchema, value);
      if (unknownId != null && unknownId >= vocab.length)
        throw new TokenizerError(`tokenizer.json: unk_id ${unknownId} is not below the ${vocab.length} pieces.`);
      const ids = unigramIds({ vocab, unknownId: unknownId ?? null, byteFallback: byteFallback ?? false });
      return { ids, largestId: vocab.length - 1, notices: [] };
    }
    default:
      throw inexact('its model', `is "${String(modelKind(value)).slice(0, 40)}"`);
  }
}

/** Files of the first versions of the library leave the type out. */
export function modelKind(model: unknown): unknown {
  if (typeof model !== 'object' || model === null) return null;
  if ('type' in model) return model.type;
  if ('merges' in model) return 'BPE';
  if ('vocab' in model && Array.isArray(model.vocab)) return 'Unigram';
  return 'max_input_chars_per_word' in model ? 'WordPiece' : null;
}

function parsed<T extends v.GenericSchema>(schema: T, value: unknown): v.InferOutput<T> {
  const read = v.safeParse(schema, value);
  if (read.success) return read.output;
  const at = v.getDotPath(read.issues[0]) ?? 'it';
  throw new TokenizerError(
    `tokenizer.json: its model cannot be read (${brief(at, 80)}: ${brief(read.issues[0].message)}).`,
  );
}

function bpe(given: v.InferOutput<typeof BpeSchema>): WordModel {
  const { vocab, unk_token: unknown, fuse_unk: fuses, dropout } = given;
  if (given.continuing_subword_prefix)
    throw inexact('its model', `has the prefix ${JSON.stringify(given.continuing_subword_prefix)} inside of words`);
  const hasAllBytes = Array.from({ length: 256 }, (_, byte) => byteToken(byte)).every((token) =>
    Object.hasOwn(vocab, token),
  );
  if (given.byte_fallback && !hasAllBytes) throw inexact('its model', 'has tokens for some bytes only (byte_fallback)');
  const ids = new Map(Object.entries(vocab));
  const unknownId = unknown == null ? undefined : ids.get(unknown);
  const model = new BPE({
    type: 'BPE',
    vocab,
    merges: given.merges.map((merge): [string, string] => {
      if (typeof merge !== 'string') return merge;
      const [left = '', right = ''] = merge.split(' ', 2);
      return [left, right];
    }),
    unk_token: unknown ?? null,
    byte_fallback: given.byte_fallback ?? false,
    ignore_merges: given.ignore_merges ?? false,
    ...(given.end_of_word_suffix != null && { end_of_word_suffix: given.end_of_word_suffix }),
  });
  const keepsUnknown = unknownId !== undefined || given.byte_fallback === true || Boolean(given.end_of_word_suffix);
  const notices = dropout
    ? [
        `The model's tokenizer leaves out merges at random (dropout ${dropout}); here a text has the same tokens every time.`,
      ]
    : [];
  return {
    ids: (word) => {
      const found: number[] = [];
      // Where nothing stands for unknown characters, those beside them become neighbours.
      const known = keepsUnknown ? word : Array.from(word, (char) => (ids.has(char) ? char : '')).join('');
      for (const token of model.encode([known])) {
        const id = ids.get(token);
        if (id === undefined) continue;
        if (fuses && id === unknownId && found.at(-1) === unknownId) continue;
        found.push(id);
      }
      return found;
    },
    largestId: largest(vocab),
    notices,
  };
}

function wordPiece(given: v.InferOutput<typeof WordPieceSchema>): WordModel {
  const ids = new Map(Object.entries(given.vocab));
  const unknownId = ids.get(given.unk_token);
  if (unknownId === undefined)
    throw new TokenizerError('tokenizer.json: its model has no id for words that it does not know.');
  const model = new WordPiece({ type: 'WordPiece', ...given });
  return {
    ids: (word) => model.encode([word]).map((token) => ids.get(token) ?? unknownId),
    largestId: largest(given.vocab),
    notices: [],
  };
}

function largest(vocab: Readonly<Record<string, number>>): number {
  let most = 0;
  for (const found of Object.values(vocab)) most = Math.max(most, found);
  return most;
}
