import type { Encoding } from '../../api/tables.ts';
import { TableError } from './table-error.ts';

/**
 * Which characters the bytes of a text file are. Whatever the file has, what follows reads UTF-8: there delimiters, quotes and line breaks
 * are single bytes that occur in no other character, so a byte that belongs to none spoils the cell that it stands in and nothing else.
 */

export interface DecodedText {
  /** The file's text without its byte-order mark; a view of the file itself where that is UTF-8. */
  readonly utf8: Uint8Array;
  readonly encoding: Encoding;
  /** Characters of more than one byte in UTF-8, of more than ASCII in Windows-1252, code units in UTF-16. */
  readonly wideCharacters: number;
  /** Bytes that are no character's; each shows as U+FFFD. */
  readonly unreadableBytes: number;
  /** Where the first of them are, lines from 1. */
  readonly unreadableLines: readonly number[];
}

const MAX_UNREADABLE_LINES = 20;

/**
 * A byte-order mark decides; without one, zeros beside ASCII mean UTF-16; any valid character of several bytes means UTF-8, and high bytes
 * of which none makes such a character mean Windows-1252.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  if (bytes[0] === 0xff && bytes[1] === 0xfe && bytes[2] === 0 && bytes[3] === 0) throw utf32();
  if (bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 0xfe && bytes[3] === 0xff) throw utf32();
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return fromUtf16(bytes.subarray(2), true);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return fromUtf16(bytes.subarray(2), false);
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  if (!marked) {
    const little = utf16Order(bytes);
    if (little !== null) return fromUtf16(bytes, little);
  }
  const text = withoutPadding(marked ? bytes.subarray(3) : bytes);
  const scan = scanUtf8(text.bytes);
  if (!marked && scan.wideCharacters === 0 && scan.unreadableBytes > 0) return fromWindows1252(text);
  return {
    utf8: text.bytes,
    encoding: 'utf-8',
    wideCharacters: scan.wideCharacters,
    unreadableBytes: scan.unreadableBytes + text.zeros,
    unreadableLines: linesOf(text.bytes, scan.unreadableAt),
  };
}

const utf32 = () => new TableError('It is text in UTF-32; save it as UTF-8.');

/** What a broken copy or an old DOS program leaves at a file's end: zeros, or a Control-Z. */
function withoutPadding(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly zeros: number } {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  const zeros = bytes.length - end;
  if (end > 0 && bytes[end - 1] === 0x1a) end -= 1;
  return { bytes: bytes.subarray(0, end), zeros };
}

interface Utf8Scan {
  readonly wideCharacters: number;
  readonly unreadableBytes: number;
  /** Offsets of the first of them. */
  readonly unreadableAt: readonly number[];
}

/** Counts by the same rules as `TextDecoder` (no overlong forms, no surrogates, nothing beyond U+10FFFF). */
export function scanUtf8(bytes: Uint8Array): Utf8Scan {
  const unreadableAt: number[] = [];
  let wideCharacters = 0;
  let unreadableBytes = 0;
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at]!;
    if (lead < 0x80) {
      at += 1;
      continue;
    }
    const length = sequenceLength(bytes, at, lead);
    if (length > 0) {
      wideCharacters += 1;
      at += length;
    } else {
      unreadableBytes += 1;
      if (unreadableAt.length < MAX_UNREADABLE_LINES) unreadableAt.push(at);
      at += 1;
    }
  }
  return { wideCharacters, unreadableBytes, unreadableAt };
}

/** Bytes of the valid character of several bytes that begins here, or 0 (Unicode's table 3-7). */
function sequenceLength(bytes: Uint8Array, at: number, lead: number): number {
  const follows = (offset: number, low = 0x80, high = 0xbf): boolean => {
    const byte = bytes[at + offset];
    return byte !== undefined && byte >= low && byte <= high;
  };
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const first = lead === 0xe0 ? follows(1, 0xa0) : lead === 0xed ? follows(1, 0x80, 0x9f) : follows(1);
    return first && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const first = lead === 0xf0 ? follows(1, 0x90) : lead === 0xf4 ? follows(1, 0x80, 0x8f) : follows(1);
    return first && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/** The line of each offset, ascending, each line once. */
function linesOf(bytes: Uint8Array, offsets: readonly number[]): readonly number[] {
  const lines: number[] = [];
  let line = 1;
  let at = 0;
  for (const offset of offsets) {
    for (; at < offset; at++) if (bytes[at] === 0x0a || (bytes[at] === 0x0d && bytes[at + 1] !== 0x0a)) line += 1;
    if (lines.at(-1) !== line) lines.push(line);
  }
  return lines;
}

/** Enough to tell UTF-16 by. */
const SAMPLE_BYTES = 256 * 1024;

/**
 * Whether a text without a byte-order mark is UTF-16, and with the low byte first; null when it is not. UTF-8 text has no zeros; UTF-16 has
 * one beside every ASCII character, line breaks and delimiters among them.
 */
function utf16Order(bytes: Uint8Array): boolean | null {
  const sample = bytes.subarray(0, Math.min(bytes.length & ~1, SAMPLE_BYTES));
  if (!sample.includes(0)) return null;
  const [little, big] = [asciiUnits(sample, 0), asciiUnits(sample, 1)];
  if (little === null && big === null) return null;
  return (little ?? 0) >= (big ?? 0);
}

/** How many 16-bit units are ASCII, the low byte at `low` of each pair; null where the units make no text. */
function asciiUnits(sample: Uint8Array, low: 0 | 1): number | null {
  let ascii = 0;
  let wrong = 0;
  for (let at = 0; at < sample.length; at += 2) {
    const unit = sample[at + low]! | (sample[at + 1 - low]! << 8);
    if ((unit >= 0x20 && unit < 0x7f) || unit === 0x0a || unit === 0x0d || unit === 0x09) ascii += 1;
    else if (unit < 0x20 || unit >= 0xfff0 || (unit >= 0xe000 && unit < 0xf900)) wrong += 1;
  }
  const units = sample.length / 2;
  return ascii > units / 100 && wrong <= units / 500 ? ascii : null;
}

function fromUtf16(bytes: Uint8Array, little: boolean): DecodedText {
  const decoder = new TextDecoder(little ? 'utf-16le' : 'utf-16be', { ignoreBOM: true });
  const encoder = new TextEncoder();
  // A unit of 2 bytes is 3 in UTF-8 at most.
  const out = new Uint8Array((bytes.length >> 1) * 3 + 3);
  let written = 0;
  const CHUNK = 1 << 18;
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const text = decoder.decode(bytes.subarray(at, at + CHUNK), { stream: at + CHUNK < bytes.length });
    written += encoder.encodeInto(text, out.subarray(written)).written;
  }
  const utf8 = out.subarray(0, written);
  const { lone, wide } = loneSurrogates(bytes, little ? 1 : 0);
  const odd = bytes.length % 2;
  return {
    utf8,
    encoding: little ? 'utf-16le' : 'utf-16be',
    wideCharacters: wide,
    unreadableBytes: 2 * lone + odd,
    unreadableLines: lone + odd === 0 ? [] : linesOf(utf8, replacements(utf8)),
  };
}

/** Halves of a pair without the other half, and units that are more than ASCII; the high byte at `high` of each unit. */
function loneSurrogates(bytes: Uint8Array, high: 0 | 1): { lone: number; wide: number } {
  let lone = 0;
  let wide = 0;
  const end = bytes.length & ~1;
  for (let at = 0; at < end; at += 2) {
    const top = bytes[at + high]! & 0xfc;
    if (bytes[at + high]! !== 0 || bytes[at + 1 - high]! >= 0x80) wide += 1;
    if (top === 0xd8) {
      if (at + 2 < end && (bytes[at + 2 + high]! & 0xfc) === 0xdc) at += 2;
      else lone += 1;
    } else if (top === 0xdc) lone += 1;
  }
  return { lone, wide };
}

/** Offsets of the first U+FFFD. */
function replacements(utf8: Uint8Array): readonly number[] {
  const found: number[] = [];
  for (let at = utf8.indexOf(0xef); at >= 0 && found.length < MAX_UNREADABLE_LINES; at = utf8.indexOf(0xef, at + 1))
    if (utf8[at + 1] === 0xbf && utf8[at + 2] === 0xbd) found.push(at);
  return found;
}

/** Windows-1252 from 0x80 to 0x9f; five of its bytes are no character. */
const HIGH_1252 = '€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ';

function fromWindows1252({ bytes, zeros }: ReturnType<typeof withoutPadding>): DecodedText {
  const encoder = new TextEncoder();
  const characters = Array.from({ length: 128 }, (_, i) =>
    encoder.encode(i < 32 ? HIGH_1252[i] : String.fromCharCode(0x80 + i)),
  );
  let length = bytes.length;
  for (const byte of bytes) if (byte >= 0x80) length += characters[byte - 0x80]!.length - 1;
  const utf8 = new Uint8Array(length);
  let written = 0;
  let wideCharacters = 0;
  let unreadableBytes = zeros;
  const unreadableAt: number[] = [];
  for (const byte of bytes) {
    if (byte < 0x80) {
      utf8[written++] = byte;
      continue;
    }
    wideCharacters += 1;
    if (byte < 0xa0 && HIGH_1252[byte - 0x80] === '\ufffd') {
      unreadableBytes += 1;
      if (unreadableAt.length < MAX_UNREADABLE_LINES) unreadableAt.push(written);
    }
    const character = characters[byte - 0x80]!;
    utf8.set(character, written);
    written += character.length;
  }
  return {
    utf8,
    encoding: 'windows-1252',
    wideCharacters,
    unreadableBytes,
    unreadableLines: linesOf(utf8, unreadableAt),
  };
}
