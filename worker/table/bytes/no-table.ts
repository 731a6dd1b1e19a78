import { archiveKind } from './archive.ts';

/**
 * Files that people choose by mistake, each known by its whole form: a CSV file may well begin with the letters PK, BM or %PDF. Where the
 * form has no more than a few letters, what only a binary file has must follow them.
 */

interface Form {
  readonly what: string;
  readonly test: (bytes: Uint8Array) => boolean;
}

const at = (bytes: Uint8Array, offset: number, ...expected: readonly number[]): boolean =>
  expected.every((byte, i) => bytes[offset + i] === byte);
const says = (bytes: Uint8Array, offset: number, text: string): boolean =>
  at(bytes, offset, ...Array.from(text, (character) => character.charCodeAt(0)));
/** A control character that no text has, within the first bytes. */
const isBinary = (bytes: Uint8Array): boolean => bytes.subarray(0, 64).some(isControl);
const isControl = (byte: number): boolean =>
  byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x0c && byte !== 0x0b && byte !== 0x1a;

const starting = (what: string, ...bytes: readonly number[]): Form => ({ what, test: (all) => at(all, 0, ...bytes) });
/** Letters at the start, and binary after them. */
const letters = (what: string, text: string, offset = 0): Form => ({
  what,
  test: (bytes) => says(bytes, offset, text) && isBinary(bytes),
});

const FORMS: readonly Form[] = [
  starting('a gzip archive', 0x1f, 0x8b, 0x08),
  starting('an xz archive', 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00),
  starting('a Zstandard archive', 0x28, 0xb5, 0x2f, 0xfd),
  starting('a 7-Zip archive', 0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c),
  starting('an LZ4 archive', 0x04, 0x22, 0x4d, 0x18),
  { what: 'a bzip2 archive', test: (bytes) => /^BZh[1-9]1AY&SY/.test(latin(bytes, 0, 10)) },
  letters('a RAR archive', 'Rar!'),
  { what: 'a tar archive', test: (bytes) => says(bytes, 257, 'ustar') && bytes[100 + 7] === 0 },
  starting('an old Office document (xls, doc or ppt)', 0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1),
  { what: 'a PDF document', test: (bytes) => /^%PDF-\d\.\d[\r\n ]/.test(latin(bytes, 0, 16)) },
  { what: 'a document in RTF', test: (bytes) => /^\{\\rtf\d?[\\{]/.test(latin(bytes, 0, 16)) },
  { what: 'a PostScript document', test: (bytes) => /^%!PS(-Adobe-\d\.\d)?[\r\n ]/.test(latin(bytes, 0, 32)) },
  starting('a PNG image', 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
  starting('a JPEG image', 0xff, 0xd8, 0xff),
  { what: 'a GIF image', test: (bytes) => /^GIF8[79]a/.test(latin(bytes, 0, 6)) && isBinary(bytes) },
  { what: 'a WebP image', test: (bytes) => says(bytes, 0, 'RIFF') && says(bytes, 8, 'WEBP') },
  { what: 'a sound file (WAV)', test: (bytes) => says(bytes, 0, 'RIFF') && says(bytes, 8, 'WAVE') },
  { what: 'a video (AVI)', test: (bytes) => says(bytes, 0, 'RIFF') && says(bytes, 8, 'AVI ') },
  starting('a TIFF image', 0x49, 0x49, 0x2a, 0x00),
  starting('a TIFF image', 0x4d, 0x4d, 0x00, 0x2a),
  letters('a bitmap image', 'BM'),
  starting('an icon', 0x00, 0x00, 0x01, 0x00),
  { what: 'a HEIC or AVIF image', test: (bytes) => /^ftyp(heic|heix|mif1|avif)/.test(latin(bytes, 4, 8)) },
  { what: 'a video (MP4)', test: (bytes) => says(bytes, 4, 'ftyp') && bytes[0] === 0 },
  starting('a video (Matroska or WebM)', 0x1a, 0x45, 0xdf, 0xa3),
  letters('a sound file (MP3)', 'ID3'),
  letters('a sound file (FLAC)', 'fLaC'),
  letters('a sound file (Ogg)', 'OggS'),
  letters('a SQLite database', 'SQLite format 3'),
  starting('a program (ELF)', 0x7f, 0x45, 0x4c, 0x46),
  letters('a program (Windows)', 'MZ'),
  starting('a program (Mach-O)', 0xcf, 0xfa, 0xed, 0xfe),
  starting('a program (Mach-O) or Java class', 0xca, 0xfe, 0xba, 0xbe),
  starting('a WebAssembly module', 0x00, 0x61, 0x73, 0x6d),
  letters('an Arrow or Feather file', 'ARROW1'),
  letters('a Feather file', 'FEA1'),
  letters('an ORC file', 'ORC'),
  letters('an Avro file', 'Obj\x01'),
  starting('an HDF5 file', 0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a),
  starting('a NumPy array', 0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59),
  letters('a model in GGUF', 'GGUF'),
  {
    what: 'a pickle',
    test: (bytes) => at(bytes, 0, 0x80) && bytes[1]! >= 2 && bytes[1]! <= 5 && bytes.at(-1) === 0x2e,
  },
  { what: 'a safetensors file', test: isSafetensors },
  { what: 'a Git LFS pointer; fetch the file itself with "git lfs pull"', test: isLfsPointer },
  { what: 'an HTML page', test: isHtml },
  { what: 'an XML document', test: (bytes) => /^\s*<\?xml\s[^>]*\?>\s*</.test(head(bytes)) },
];

/** What a file is, with its article, if it is nothing that can be read as a table; null when it may be one. */
export function knownForm(bytes: Uint8Array): string | null {
  const form = archiveKind(bytes) ?? FORMS.find(({ test }) => test(bytes))?.what;
  return form ?? null;
}

const SAMPLE_BYTES = 64 * 1024;

/** Whether the beginning has more control characters than a text would. UTF-16 must have been decoded before. */
export function isBinaryData(text: Uint8Array): boolean {
  const sample = text.subarray(0, SAMPLE_BYTES);
  let controls = 0;
  for (const byte of sample) if (isControl(byte)) controls += 1;
  return controls >= 4 && controls > sample.length / 50;
}

function isSafetensors(bytes: Uint8Array): boolean {
  if (bytes.length < 10 || bytes[8] !== 0x7b) return false;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  return length >= 2 && length <= bytes.length - 8 && /^\{\s*["}]/.test(latin(bytes, 8, 16));
}

function isLfsPointer(bytes: Uint8Array): boolean {
  const pointer = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\r?\noid sha256:[0-9a-f]{64}/;
  return bytes.length < 1024 && pointer.test(head(bytes));
}

/** A page's own beginning, comments aside; a tag that a delimiter follows is a column's name. */
function isHtml(bytes: Uint8Array): boolean {
  return /^\s*(<!--[\s\S]*?-->\s*)*(<!doctype\s+html[^>]*>|<(html|head|body)(\s[^>]*)?>\s*(<|$))/i.test(head(bytes));
}

const head = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.subarray(0, 4096));

const latin = (bytes: Uint8Array, from: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(from, from + length));
