import { BEHAVIOURS, type Behaviour, type Piece, patternOf, splitPiece } from './split.ts';
import { type Component, component, components, inexact, TokenizerError, textOr } from './tokenizer-error.ts';
import { PUNCTUATION } from './unicode.ts';

/** Cuts a piece of text into smaller ones, changed or not; words are what none cuts further. */
export type PreTokenize = (piece: Piece) => Piece[];

const SPACES = /\p{White_Space}/gu;
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
const WORDS = new RegExp(`[${WORD}]+|[^${WORD}\\p{White_Space}]+`, 'gu');
const PUNCTUATIONS = new RegExp(PUNCTUATION, 'gu');
const NUMERIC = /\p{N}/gu;
/** GPT-2's. */
const BYTE_LEVEL =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The `pre_tokenizer` of tokenizer.json. @throws TokenizerError that names what is not read. */
export function preTokenizerOf(value: unknown): PreTokenize {
  const given = component(value, 'its pre-tokenizer');
  return given === null ? (piece) => [piece] : build(given);
}

function build(given: Component): PreTokenize {
  switch (given.type) {
    case 'Sequence': {
      const parts = components(given, 'pretokenizers', 'its pre-tokenizer').map(build);
      return (piece) => parts.reduce((pieces, part) => pieces.flatMap(part), [piece]);
    }
    case 'ByteLevel':
      return byteLevel(given.add_prefix_space === true, given.use_regex !== false);
    case 'Metaspace':
      return metaspace(given);
    case 'WhitespaceSplit':
      return (piece) => splitPiece(piece, SPACES, 'Removed');
    case 'Whitespace':
      return (piece) => splitPiece(piece, WORDS, 'Removed', true);
    case 'BertPreTokenizer':
      return (piece) =>
        splitPiece(piece, SPACES, 'Removed').flatMap((part) => splitPiece(part, PUNCTUATIONS, 'Isolated'));
    case 'Punctuation': {
      const behaviour = behaviourOf(given.behavior ?? 'Isolated', 'Punctuation');
      return (piece) => splitPiece(piece, PUNCTUATIONS, behaviour);
    }
    case 'Digits':
      return (piece) => splitPiece(piece, NUMERIC, given.individual_digits === true ? 'Isolated' : 'Contiguous');
    case 'Split': {
      const pattern = patternOf(given.pattern, 'its pre-tokenizer Split');
      const behaviour = behaviourOf(given.behavior, 'Split');
      return (piece) => splitPiece(piece, pattern, behaviour, given.invert === true);
    }
    case 'CharDelimiterSplit': {
      const pattern = patternOf({ String: textOr(given.delimiter, '') }, 'its pre-tokenizer CharDelimiterSplit');
      return (piece) => splitPiece(piece, pattern, 'Removed');
    }
    case 'FixedLength': {
      const { length } = given;
      if (typeof length !== 'number' || !(length >= 1))
        throw new TokenizerError('tokenizer.json: FixedLength has no length.');
      const pattern = new RegExp(`[\\s\\S]{1,${Math.min(Math.floor(length), 1_000_000)}}`, 'gu');
      return (piece) => splitPiece(piece, pattern, 'Isolated');
    }
    default:
      throw inexact('its pre-tokenizer', `is "${given.type.slice(0, 40)}"`);
  }
}

function behaviourOf(value: unknown, where: string): Behaviour {
  const found = BEHAVIOURS.find((behaviour) => behaviour === value);
  if (found === undefined)
    throw new TokenizerError(`tokenizer.json: the pre-tokenizer ${where} has no behavior that is known.`);
  return found;
}

/** The characters that stand for bytes: those that print stand for themselves, the others follow from U+0100 on. */
const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  const prints = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(prints(byte) ? byte : next++));
})();

function byteLevel(prefix: boolean, splits: boolean): PreTokenize {
  const encoder = new TextEncoder();
  return (piece) => {
    const whole = prefix && !piece.text.startsWith(' ') ? { ...piece, text: ` ${piece.text}` } : piece;
    return (splits ? splitPiece(whole, BYTE_LEVEL, 'Isolated') : [whole]).map(({ text, atStart }) => ({
      text: Array.from(encoder.encode(text), (byte) => BYTE_CHARACTERS[byte]).join(''),
      atStart,
    }));
  };
}

function metaspace({
  replacement: given,
  prepend_scheme: scheme,
  add_prefix_space: prefix,
  split,
}: Component): PreTokenize {
  const replacement = textOr(given, '\u2581');
  // Before 0.15 of the library the scheme was a switch.
  const prepends = textOr(scheme, prefix === false ? 'never' : 'always');
  const pattern = patternOf({ String: replacement }, 'its pre-tokenizer Metaspace');
  return ({ text, atStart }) => {
    const marked = text.replaceAll(' ', replacement);
    const isPrepended = prepends === 'always' || (prepends === 'first' && atStart);
    const whole = { text: isPrepended && !marked.startsWith(replacement) ? replacement + marked : marked, atStart };
    return split === false ? [whole] : splitPiece(whole, pattern, 'MergedWithNext');
  };
}
