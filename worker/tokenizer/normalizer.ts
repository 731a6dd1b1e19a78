import { precompiledNormalizer } from './precompiled.ts';
import { patternOf } from './split.ts';
import { type Component, component, components, inexact, textOr } from './tokenizer-error.ts';
import { CONTROL, MARK, NONSPACING_MARK, normalForm } from './unicode.ts';

export type Normalize = (text: string) => string;

/** As Rust's `char` has it, which is not quite JavaScript's `\s`. */
const SPACE = /\p{White_Space}/u;
const IS_CONTROL = new RegExp(CONTROL, 'u');
const MARKS = new RegExp(MARK, 'gu');
const NONSPACING_MARKS = new RegExp(NONSPACING_MARK, 'gu');
const CJK =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

/** The `normalizer` of tokenizer.json. @throws TokenizerError that names what is not read. */
export function normalizerOf(value: unknown): Normalize {
  const given = component(value, 'its normalizer');
  return given === null ? (text) => text : build(given);
}

/** Whether what is left of a text begins after its start, because a normaliser takes off the white space there. */
export function startTest(value: unknown): (text: string) => boolean {
  const given = component(value, 'its normalizer');
  const strips = given !== null && stripsLeft(given);
  return (text) => strips && SPACE.test(text[0] ?? '');
}

function stripsLeft(given: Component): boolean {
  if (given.type === 'Sequence') return components(given, 'normalizers', 'its normalizer').some(stripsLeft);
  return given.type === 'Strip' && given.strip_left !== false;
}

function build(given: Component): Normalize {
  switch (given.type) {
    case 'Sequence': {
      const parts = components(given, 'normalizers', 'its normalizer').map(build);
      return (text) => parts.reduce((now, part) => part(now), text);
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = given.type;
      return (text) => normalForm(text, form);
    }
    case 'Lowercase':
      return lowercase;
    case 'Strip':
      return strip(given.strip_left !== false, given.strip_right !== false);
    case 'StripAccents':
      return (text) => text.replace(MARKS, '');
    case 'Prepend': {
      const before = textOr(given.prepend, '');
      return (text) => (text === '' ? '' : before + text);
    }
    case 'Replace': {
      const pattern = patternOf(given.pattern, 'its normalizer Replace');
      const content = textOr(given.content, '');
      return (text) => text.replace(pattern, () => content);
    }
    case 'Nmt':
      return nmt;
    case 'BertNormalizer':
      return bert(given);
    case 'Precompiled': {
      const table = textOr(given.precompiled_charsmap, '');
      return table === '' ? (text) => text : precompiledNormalizer(table);
    }
    default:
      throw inexact('its normalizer', `is "${given.type.slice(0, 40)}"`);
  }
}

/** Each character by itself: a final sigma stays a sigma. */
const lowercase: Normalize = (text) =>
  text.includes('\u03a3') ? Array.from(text, (char) => char.toLowerCase()).join('') : text.toLowerCase();

function strip(left: boolean, right: boolean): Normalize {
  return (text) => {
    const chars = [...text];
    let [start, end] = [0, chars.length];
    while (left && start < end && SPACE.test(chars[start]!)) start++;
    while (right && end > start && SPACE.test(chars[end - 1]!)) end--;
    return chars.slice(start, end).join('');
  };
}

const within = (code: number, ranges: readonly (readonly [number, number])[]) =>
  ranges.some(([first, last]) => code >= first && code <= last);
const NMT_DROPPED = [
  [0x01, 0x08],
  [0x0b, 0x0b],
  [0x0e, 0x1f],
  [0x7f, 0x7f],
  [0x8f, 0x8f],
  [0x9f, 0x9f],
] as const;
const NMT_SPACES = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x1680, 0x1680],
  [0x200b, 0x200f],
  [0x2028, 0x2029],
  [0x2581, 0x2581],
  [0xfeff, 0xfeff],
  [0xfffd, 0xfffd],
] as const;

/** Of SentencePiece's rule `nmt_nfkc`. */
const nmt: Normalize = (text) => {
  let out = '';
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (within(code, NMT_SPACES)) out += ' ';
    else if (!within(code, NMT_DROPPED)) out += char;
  }
  return out;
};

function bert({
  clean_text: clean,
  handle_chinese_chars: cjk,
  lowercase: lower,
  strip_accents: accents,
}: Component): Normalize {
  const stripsAccents = accents ?? lower ?? true;
  return (text) => {
    let out = text;
    if (clean !== false) out = cleaned(out);
    if (cjk !== false) out = out.replace(CJK, ' $& ');
    if (stripsAccents) out = normalForm(out, 'NFD').replace(NONSPACING_MARKS, '');
    return lower === false ? out : lowercase(out);
  };
}

function cleaned(text: string): string {
  let out = '';
  for (const char of text) {
    if (char === '\t' || char === '\n' || char === '\r') out += ' ';
    else if (char !== '\ufffd' && !IS_CONTROL.test(char)) out += SPACE.test(char) ? ' ' : char;
  }
  return out;
}
