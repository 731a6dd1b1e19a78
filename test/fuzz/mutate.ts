import { seededRandom } from '../../worker/data/seeded-random.ts';

/** Draws from 0 up to, not including, `below`. */
export type Draw = (below: number) => number;

export function drawing(seed: number): Draw {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
}

const NUMBERS = [
  '0',
  '-0',
  '-1',
  '1',
  '2147483648',
  '4294967295',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '1e308',
  '1e400',
  '-1e400',
  '5e-324',
  '1e-400',
  '0.1',
  '1e21',
  '65536',
  'NaN',
  'Infinity',
  '0x10',
  '1n',
] as const;
const TEXTS = [
  '',
  ' ',
  '\u0000',
  '\u0001'.repeat(40),
  '\u001b[31m',
  '\u202e',
  '\u200b\ufeff',
  '\ud800',
  '\udc00x',
  'e\u0301\u0323'.repeat(20),
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
  'ﷺ'.repeat(50),
  '__proto__',
  'constructor',
  'toString',
  'a'.repeat(5000),
  '"',
  '\\',
  '\r\n',
  '%00',
  '../../../etc/passwd',
  '<script>',
  "'; --",
  'ǅ',
  'İ',
  'ß',
] as const;
const VALUES = [
  'null',
  'true',
  'false',
  '[]',
  '{}',
  '""',
  '[[]]',
  '[null]',
  '{"":0}',
  '{"__proto__":{"x":1}}',
] as const;
const BYTES = [
  0, 1, 0x09, 0x0a, 0x0d, 0x22, 0x2c, 0x3b, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xed, 0xf8, 0xfe, 0xff,
] as const;
const MAX_DEPTH = 3000;
/** What grows through mutations of mutations stays short: bounds on size have tests of their own. */
const MAX_BYTES = 64 * 1024;

const pick = <T>(draw: Draw, from: readonly T[]): T => from[draw(from.length)]!;

/** One to four changes of the bytes; `other` is another seed, to splice. */
export function mutatedBytes(draw: Draw, seed: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  let bytes = Uint8Array.from(seed);
  for (let changes = 1 + draw(4); changes > 0; changes--) bytes = changedBytes(draw, bytes, other);
  return bytes.length > MAX_BYTES + seed.length ? bytes.slice(0, MAX_BYTES + seed.length) : bytes;
}

function changedBytes(draw: Draw, bytes: Uint8Array<ArrayBuffer>, other: Uint8Array): Uint8Array<ArrayBuffer> {
  // Heads are where formats are decided.
  const at = draw(2) === 0 ? draw(Math.min(bytes.length, 64) + 1) : draw(bytes.length + 1);
  const length = draw(3) === 0 ? draw(bytes.length - at + 1) : draw(Math.min(16, bytes.length - at) + 1);
  const spliced = (middle: Uint8Array, from = at + length) => {
    const out = new Uint8Array(at + middle.length + bytes.length - from);
    out.set(bytes.subarray(0, at));
    out.set(middle, at);
    out.set(bytes.subarray(from), at + middle.length);
    return out;
  };
  switch (draw(9)) {
    case 0:
      if (at < bytes.length) bytes[at]! ^= 1 << draw(8);
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = pick(draw, BYTES);
      return bytes;
    case 2:
      return bytes.slice(0, at);
    case 3:
      return spliced(new Uint8Array());
    case 4: {
      const from = draw(other.length + 1);
      return spliced(other.subarray(from, from + draw(64)));
    }
    case 5:
      return spliced(bytes.slice(at, at + length), at);
    case 6: {
      // A number of four or eight bytes, extreme.
      const value = pick(draw, [0, 1, 0x7f, 0xff, 0x80]);
      for (let i = at; i < Math.min(bytes.length, at + (draw(2) === 0 ? 4 : 8)); i++) bytes[i] = value;
      return bytes;
    }
    case 7:
      return spliced(new TextEncoder().encode(pick(draw, TEXTS)), at);
    default:
      return spliced(new Uint8Array(1 + draw(64)).fill(pick(draw, BYTES)), at);
  }
}

/** One to three changes of a JSON value, as text: most of them still are JSON. */
export function mutatedJson(draw: Draw, seed: unknown): string {
  let text = JSON.stringify(seed);
  for (let changes = 1 + draw(3); changes > 0; changes--) {
    const spans = spansOf(text);
    const span = spans[draw(spans.length)];
    if (span === undefined) break;
    text =
      text.slice(0, span.start) +
      replacement(draw, text.slice(span.start, span.end), span.isKey) +
      text.slice(span.end);
    if (text.length > MAX_BYTES) break;
  }
  // Now and then the text itself.
  return draw(8) === 0 ? new TextDecoder().decode(mutatedBytes(draw, new TextEncoder().encode(text), BRACKETS)) : text;
}

const BRACKETS = new TextEncoder().encode('[{"a":[1,2,{"b":null}]}]');

function replacement(draw: Draw, was: string, isKey: boolean): string {
  if (isKey) {
    const name = JSON.stringify(pick(draw, TEXTS));
    // The same key twice.
    return draw(2) === 0 ? name : `${was}:${pick(draw, VALUES)},${was}`;
  }
  switch (draw(7)) {
    case 0:
      return pick(draw, NUMBERS);
    case 1:
      return JSON.stringify(pick(draw, TEXTS));
    case 2:
      return pick(draw, VALUES);
    case 3: {
      const depth = 1 + draw(draw(4) === 0 ? MAX_DEPTH : 12);
      return draw(2) === 0
        ? `${'['.repeat(depth)}${was}${']'.repeat(depth)}`
        : `${'{"a":'.repeat(depth)}${was}${'}'.repeat(depth)}`;
    }
    case 4:
      return `[${Array.from({ length: 1 + draw(draw(4) === 0 ? 2000 : 8) }, () => was)
        .slice(0, Math.ceil(MAX_BYTES / Math.max(1, was.length)))
        .join(',')}]`;
    case 5:
      return was.startsWith('"') ? `"${pick(draw, TEXTS).replace(/["\\\p{Cc}]/gu, ' ')}${was.slice(1)}` : `-${was}`;
    default:
      return was.startsWith('"') ? was.slice(1, -1) || '0' : `"${was.replace(/["\\]/g, '')}"`;
  }
}

/** Values and keys of a JSON text; of one that is broken those before the break. */
function spansOf(text: string): readonly { readonly start: number; readonly end: number; readonly isKey: boolean }[] {
  const spans: { start: number; end: number; isKey: boolean }[] = [];
  const open: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '{' || c === '[') open.push(i);
    else if (c === '}' || c === ']') {
      const start = open.pop();
      if (start !== undefined) spans.push({ start, end: i + 1, isKey: false });
    } else if (c === '"') {
      const start = i++;
      while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
      spans.push({ start, end: i + 1, isKey: text[i + 1] === ':' });
    } else if (/[-\w.]/.test(c)) {
      const start = i;
      while (i + 1 < text.length && /[-+\w.]/.test(text[i + 1]!)) i++;
      spans.push({ start, end: i + 1, isKey: false });
    }
  }
  return spans;
}
