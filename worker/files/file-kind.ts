/** So many bytes of a file's start tell every kind below; `tar` has its mark at byte 257, a torch archive names its pickle at byte 30. */
export const KIND_BYTES = 512;

/** What a file is that someone gave in place of another, by its form. */
export type FileKind =
  | 'web page'
  | 'Git LFS pointer'
  | 'pickle'
  | 'torch archive'
  | 'zip archive'
  | 'archive'
  | 'GGUF model'
  | 'NumPy array'
  | 'HDF5 file'
  | 'PDF'
  | 'image'
  | 'XML file'
  | 'JSON text'
  | 'safetensors file';

const MARKS: readonly (readonly [kind: FileKind, at: number, bytes: readonly number[]])[] = [
  ['GGUF model', 0, ascii('GGUF')],
  ['NumPy array', 0, [0x93, ...ascii('NUMPY')]],
  ['HDF5 file', 0, [0x89, ...ascii('HDF\r\n'), 0x1a, 0x0a]],
  ['PDF', 0, ascii('%PDF-')],
  ['image', 0, [0x89, ...ascii('PNG\r\n'), 0x1a, 0x0a]],
  ['image', 0, [0xff, 0xd8, 0xff]],
  ['image', 0, ascii('GIF8')],
  ['archive', 0, [0x1f, 0x8b, 0x08]],
  ['archive', 0, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['archive', 0, [0xfd, ...ascii('7zXZ'), 0]],
  ['archive', 0, [0x28, 0xb5, 0x2f, 0xfd]],
  ['archive', 0, ascii('BZh')],
  ['archive', 0, [...ascii('Rar!'), 0x1a, 0x07]],
  ['archive', 257, ascii('ustar')],
];
const ZIP: readonly (readonly number[])[] = [
  [0x50, 0x4b, 0x03, 0x04],
  [0x50, 0x4b, 0x05, 0x06],
];
/** Where a zip's local header keeps the length of the entry's name, and the name. */
const ZIP_NAME_LENGTH_AT = 26;
const ZIP_NAME_AT = 30;

function ascii(text: string): readonly number[] {
  return [...text].map((char) => char.charCodeAt(0));
}

/**
 * What a file is, from its first KIND_BYTES (or all, where it has fewer); null where no form below is there. Judged by the whole form of
 * a start, never by one byte: a safetensors file's first bytes are a length and may be any.
 */
export function fileKind(start: Uint8Array): FileKind | null {
  if (isSafetensors(start)) return 'safetensors file';
  const marked = MARKS.find(([, at, bytes]) => has(start, at, bytes));
  if (marked) return marked[0];
  if (ZIP.some((bytes) => has(start, 0, bytes))) return zipKind(start);
  if (isPickle(start)) return 'pickle';
  return textKind(new TextDecoder().decode(start));
}

/** A length of at most a gigabyte, then a JSON object: its brace, white space, and a name or the closing brace. */
function isSafetensors(start: Uint8Array): boolean {
  if (start.length < 10 || start[8] !== 0x7b) return false;
  const high = start.subarray(4, 8).every((byte) => byte === 0);
  return high && start[3]! < 0x40 && /^\{\s*["}]/.test(new TextDecoder().decode(start.subarray(8, 64)));
}

function zipKind(start: Uint8Array): FileKind {
  const length = (start[ZIP_NAME_LENGTH_AT] ?? 0) | ((start[ZIP_NAME_LENGTH_AT + 1] ?? 0) << 8);
  const name = new TextDecoder().decode(start.subarray(ZIP_NAME_AT, ZIP_NAME_AT + length));
  return /(^|\/)(data\.pkl|byteorder|version|\.format_version|\.data\/.*)$/.test(name)
    ? 'torch archive'
    : 'zip archive';
}

/** PROTO with a version that exists, then an opcode that a pickle may begin with: a frame, a mark, a container, a number, a name. */
function isPickle(start: Uint8Array): boolean {
  const [proto, version, opcode] = start;
  return (
    proto === 0x80 &&
    version! >= 2 &&
    version! <= 5 &&
    [...'\x95(}])]\x8a\x8bcKJM\x8cX'].some((c) => c.charCodeAt(0) === opcode)
  );
}

function textKind(text: string): FileKind | null {
  const content = text.replace(/^\ufeff/, '').trimStart();
  if (/^version https:\/\/git-lfs\.github\.com\/spec\//.test(content)) return 'Git LFS pointer';
  if (/^(<!--[\s\S]*?-->\s*)*(<\?xml[^>]*>\s*)?(<!doctype\s+html\b|<html\b|<head\b|<body\b)/i.test(content))
    return 'web page';
  if (/^<(\?xml\b|[a-z][\w:.-]*[\s>/])/i.test(content)) return 'XML file';
  return /^(\{\s*["}]|\[)/.test(content) ? 'JSON text' : null;
}

function has(start: Uint8Array, at: number, bytes: readonly number[]): boolean {
  return start.length >= at + bytes.length && bytes.every((byte, i) => start[at + i] === byte);
}
