import { type Component, component, components, inexact, TokenizerError } from './tokenizer-error.ts';

/** Special tokens round a text, or round and between two. */
export interface SpecialTokens {
  readonly single: readonly [before: readonly number[], after: readonly number[]];
  readonly pair: readonly [before: readonly number[], between: readonly number[], after: readonly number[]];
}

const MAX_TEMPLATE = 32;

/** The `post_processor` of tokenizer.json. @throws TokenizerError when it adds none, or in a way that is not read. */
export function specialTokensOf(value: unknown): SpecialTokens {
  const given = component(value, 'its post-processor');
  const found = given === null ? null : build(given);
  if (found === null || found.single[0].length === 0)
    throw new TokenizerError(
      'tokenizer.json adds no token before a text (its post_processor), and the head of a RoBERTa model reads the first one; save the tokenizer again with AutoTokenizer of transformers.',
    );
  return found;
}

function build(given: Component): SpecialTokens | null {
  switch (given.type) {
    case 'Sequence':
      return components(given, 'processors', 'its post-processor').reduce<SpecialTokens | null>((found, part) => {
        const next = build(part);
        if (found !== null && next !== null) throw inexact('its post-processor', 'adds special tokens twice');
        return found ?? next;
      }, null);
    // Moves offsets, no ids.
    case 'ByteLevel':
      return null;
    case 'RobertaProcessing': {
      const [cls, sep] = [idOf(given.cls), idOf(given.sep)];
      return { single: [[cls], [sep]], pair: [[cls], [sep, sep], [sep]] };
    }
    case 'BertProcessing': {
      const [cls, sep] = [idOf(given.cls), idOf(given.sep)];
      return { single: [[cls], [sep]], pair: [[cls], [sep], [sep]] };
    }
    case 'TemplateProcessing':
      return template(given);
    default:
      throw inexact('its post-processor', `is "${given.type.slice(0, 40)}"`);
  }
}

/** `["<s>", 0]`. */
function idOf(value: unknown): number {
  if (Array.isArray(value) && typeof value[1] === 'number' && Number.isSafeInteger(value[1])) return value[1];
  throw new TokenizerError('tokenizer.json: its post-processor names no id for a special token.');
}

function template({ single, pair, special_tokens: known }: Component): SpecialTokens {
  const ids = (name: unknown): readonly number[] => {
    const entry: unknown = typeof known === 'object' && known !== null ? Reflect.get(known, String(name)) : null;
    if (typeof entry === 'object' && entry !== null && 'ids' in entry && Array.isArray(entry.ids))
      return entry.ids.filter((id): id is number => typeof id === 'number');
    throw new TokenizerError('tokenizer.json: its post-processor uses a special token that it does not list.');
  };
  /** Ids before, between and after the sequences. */
  const read = (items: unknown, sequences: string): number[][] => {
    const groups: number[][] = [[]];
    if (!Array.isArray(items) || items.length > MAX_TEMPLATE)
      throw new TokenizerError('tokenizer.json: its post-processor has no template.');
    for (const item of items as readonly unknown[]) {
      if (typeof item !== 'object' || item === null) continue;
      if ('SpecialToken' in item) groups.at(-1)!.push(...ids(Reflect.get(Object(item.SpecialToken), 'id')));
      else if ('Sequence' in item) {
        if (Reflect.get(Object(item.Sequence), 'id') !== sequences[groups.length - 1])
          throw inexact('its post-processor', 'puts the second text first or one of them twice');
        groups.push([]);
      }
    }
    if (groups.length !== sequences.length + 1) throw inexact('its post-processor', 'leaves a text out');
    return groups;
  };
  const [before = [], after = []] = read(single, 'A');
  const [first = [], between = [], last = []] = read(pair, 'AB');
  return { single: [before, after], pair: [first, between, last] };
}
