import { SentenceError } from '../../signaling/protocol/text/sentence-error.ts';
import { type FileKind, fileKind, KIND_BYTES } from '../files/file-kind.ts';

/**
 * The safetensors format (github.com/huggingface/safetensors, "Format"): a little-endian u64 header length N, N bytes of JSON, then
 * the tensors' bytes, without gaps. Everything is refused that would make a reader allocate or read what the file does not hold, or take
 * longer over a header than a real one does.
 */

/** Bytes of a value, by its type's name; of other types a tensor is passed over as long as nobody needs it. */
const BYTES_PER_VALUE = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
  C64: 8,
} as const;

/** Length of the fixed part before the JSON header. */
export const PREFIX_BYTES = 8;
/** A header of MAX_TENSORS long names; the reference implementation stops at 100 MB. */
const MAX_HEADER_BYTES = 16 * 2 ** 20;
/** The largest models have some thousands of tensors a file. */
const MAX_TENSORS = 100_000;
/** The header, a tensor, its shape; a little more for keys that later versions may add. */
const MAX_DEPTH = 8;
const MAX_DIMENSIONS = 8;

export class SafetensorsError extends SentenceError {
  override readonly name = 'SafetensorsError';
}

export interface TensorEntry {
  readonly name: string;
  /** As the header has it: it may be one that nothing here reads. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Absolute byte range in the file. */
  readonly start: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Bytes of the whole file, as the header implies. */
  readonly fileBytes: number;
}

/**
 * Bytes of the JSON header, from the file's first bytes: PREFIX_BYTES of them, or KIND_BYTES to be told what else the file is where it
 * is no safetensors file.
 * @throws SafetensorsError when the length is impossible for a file of `fileBytes`, or longer than what is read.
 */
export function headerBytes(start: Uint8Array, fileBytes: number): number {
  if (start.length < PREFIX_BYTES || fileBytes < PREFIX_BYTES)
    throw new SafetensorsError(`The file ends after ${Math.min(start.length, fileBytes)} bytes, inside its header.`);
  const length = new DataView(start.buffer, start.byteOffset, start.byteLength).getBigUint64(0, true);
  const possible =
    length >= 2n && length <= BigInt(MAX_HEADER_BYTES) && BigInt(PREFIX_BYTES) + length <= BigInt(fileBytes);
  if (possible && (start.length === PREFIX_BYTES || start[PREFIX_BYTES] === BRACE)) return Number(length);
  const kind = fileKind(start.subarray(0, KIND_BYTES));
  if (kind !== null && kind !== 'safetensors file')
    throw new SafetensorsError(OTHER_KINDS[kind] ?? `This is ${article(kind)}, not a safetensors file.`);
  if (length > BigInt(MAX_HEADER_BYTES) && length > BigInt(fileBytes))
    throw new SafetensorsError(
      'This is no safetensors file: where one says how long its header is, it has something else. Choose another file, or fetch it again.',
    );
  if (length > BigInt(MAX_HEADER_BYTES))
    throw new SafetensorsError(`The file’s header has ${length} bytes; at most ${MAX_HEADER_BYTES} are read.`);
  if (length < 2n) throw new SafetensorsError(`The file claims a header of ${length} bytes; a JSON object takes 2.`);
  if (!possible)
    throw new SafetensorsError(
      `The file claims a header of ${length} bytes but has ${fileBytes - PREFIX_BYTES} after its prefix: it is truncated or not a safetensors file.`,
    );
  throw new SafetensorsError('The header is not a JSON object: the file is damaged or not a safetensors file.');
}

const BRACE = 0x7b;
const article = (kind: string) => `${/^[AH]DF|^[aeio]/i.test(kind) ? 'an' : 'a'} ${kind}`;
const PICKLED = 'which can run code when it is opened; convert it to safetensors.';
const OTHER_KINDS: Readonly<Partial<Record<FileKind, string>>> = {
  pickle: `This is a PyTorch pickle file, ${PICKLED}`,
  'torch archive': `This is a PyTorch file with a pickle in it, ${PICKLED}`,
  'Git LFS pointer': 'This is a Git LFS pointer, not the weights; fetch the file itself (git lfs pull).',
  'zip archive': 'This is a zip archive, not a safetensors file; unpack it first.',
  archive: 'This is a packed archive, not a safetensors file; unpack it first.',
  'GGUF model':
    'This is a GGUF model, whose weights are quantised for inference; take the safetensors files of the model it was made from.',
};

/** Bytes to read of a file's start for `headerBytes` to name what it is. */
export const START_BYTES = KIND_BYTES;

/**
 * Reads the header from the file's first bytes, which must hold at least the prefix and the JSON.
 * @throws SafetensorsError naming the tensor that is wrong.
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number): SafetensorsHeader {
  const jsonBytes = headerBytes(bytes.subarray(0, KIND_BYTES), fileBytes);
  const dataStart = PREFIX_BYTES + jsonBytes;
  if (bytes.length < dataStart)
    throw new SafetensorsError(`The file ends after ${bytes.length} bytes, inside its header of ${jsonBytes}.`);
  const tensors = new Map<string, TensorEntry>();
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of Object.entries(parseJsonObject(bytes.subarray(PREFIX_BYTES, dataStart)))) {
    if (name === '__metadata__') metadata = parseMetadata(value);
    else if (name === '__proto__')
      throw new SafetensorsError('The header has a tensor called "__proto__", which is no name.');
    else tensors.set(name, parseEntry(name, value, dataStart, fileBytes));
  }
  refuseGapsAndOverlaps(tensors, dataStart, fileBytes);
  return { tensors, metadata, fileBytes };
}

/** Refused before JSON.parse sees it: what is nested or has more members than a header does. It also swallows keys that come twice. */
function parseJsonObject(bytes: Uint8Array): object {
  const members = countMembers(bytes);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new SafetensorsError('The header is not JSON: the file is damaged or not a safetensors file.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SafetensorsError('The header is not a JSON object.');
  const kept = membersOf(value);
  if (kept < members) throw new SafetensorsError('The header names something twice: the file is damaged.');
  return value;
}

function membersOf(value: object): number {
  let members = 0;
  for (const inner of Object.values(value)) {
    if (!Array.isArray(value)) members++;
    if (typeof inner === 'object' && inner !== null && typeof inner[0] !== 'number') members += membersOf(inner);
  }
  return members;
}

/** Members of all objects in a JSON text, in one pass over its bytes. @throws SafetensorsError beyond MAX_DEPTH or MAX_TENSORS. */
function countMembers(bytes: Uint8Array): number {
  let members = 0;
  let outer = 0;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === BRACE || byte === 0x5b) {
      if (++depth > MAX_DEPTH)
        throw new SafetensorsError('The header is nested more deeply than that of a safetensors file.');
    } else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === 0x3a) {
      members++;
      if (depth === 1 && ++outer > MAX_TENSORS + 1)
        throw new SafetensorsError(`The header names more than ${MAX_TENSORS} tensors, the most that are read.`);
    }
  }
  return members;
}

function parseMetadata(value: unknown): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  // Some writers put null where there is none.
  if (value === null) return metadata;
  const entries: [string, unknown][] =
    typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : [['', 0]];
  for (const [key, text] of entries) {
    if (text === null) continue;
    if (typeof text !== 'string') throw new SafetensorsError('The header\'s "__metadata__" must map names to strings.');
    metadata.set(key, text);
  }
  return metadata;
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function parseEntry(name: string, value: unknown, dataStart: number, fileBytes: number): TensorEntry {
  const label = quoted(name);
  const fields: { dtype?: unknown; shape?: unknown; data_offsets?: unknown } =
    typeof value === 'object' && value !== null ? value : {};
  const { dtype, shape, data_offsets: offsets } = fields;
  const valid =
    typeof dtype === 'string' &&
    dtype.length <= 32 &&
    Array.isArray(shape) &&
    shape.length <= MAX_DIMENSIONS &&
    shape.every(isWhole) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(isWhole);
  if (!valid)
    throw new SafetensorsError(`Tensor ${label}: dtype, shape or data_offsets in the header are missing or not valid.`);
  const [start, end] = [dataStart + offsets[0]!, dataStart + offsets[1]!];
  if (start > end || end > fileBytes)
    throw new SafetensorsError(
      `Tensor ${label} lies at bytes ${start} to ${end} of a file of ${fileBytes}: the file is truncated or damaged.`,
    );
  if (isKnown(dtype)) {
    const expected = shape.reduce((a, b) => a * b, BYTES_PER_VALUE[dtype]);
    if (expected !== end - start)
      throw new SafetensorsError(
        `Tensor ${label} of shape [${shape.join(', ')}] in ${dtype} takes ${expected} bytes, but the header gives it ${end - start}.`,
      );
  }
  return { name, dtype, shape, start, end };
}

function isKnown(dtype: string): dtype is keyof typeof BYTES_PER_VALUE {
  return Object.hasOwn(BYTES_PER_VALUE, dtype);
}

const quoted = (name: string) => JSON.stringify(name.slice(0, 100));

/** The format allows neither. */
function refuseGapsAndOverlaps(tensors: ReadonlyMap<string, TensorEntry>, dataStart: number, fileBytes: number): void {
  let at = dataStart;
  for (const entry of [...tensors.values()].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (entry.start !== at)
      throw new SafetensorsError(
        `Tensor ${quoted(entry.name)} ${entry.start < at ? 'overlaps the one before it' : 'follows a gap'} in the file.`,
      );
    at = entry.end;
  }
  if (at !== fileBytes) throw new SafetensorsError(`The header accounts for ${at} bytes of a file of ${fileBytes}.`);
}

/** A tensor as a header of ours names it. */
export interface TensorHeader {
  readonly name: string;
  readonly dtype: 'F32' | 'I32' | 'U8';
  readonly shape: readonly number[];
}

/** What stands before the data in a file whose tensors follow each other in the given order: length, JSON, padding to 8 bytes. */
export function encodeHeader(
  tensors: readonly TensorHeader[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = offset + shape.reduce((a, b) => a * b, BYTES_PER_VALUE[dtype]);
    entries.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const header = new Uint8Array(PREFIX_BYTES + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - PREFIX_BYTES), true);
  header.set(json, PREFIX_BYTES);
  return header;
}

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Uint8Array;
}

const dtypeOf = (values: NamedTensor['values']): TensorHeader['dtype'] =>
  values instanceof Float32Array ? 'F32' : values instanceof Int32Array ? 'I32' : 'U8';

/** A safetensors file of F32, I32 and U8 tensors, in the given order, with its data 8-byte aligned; bytes come last to keep the rest so. */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  for (const { name, shape, values } of tensors) {
    if (shape.reduce((a, b) => a * b, 1) !== values.length)
      throw new SafetensorsError(`Tensor "${name}": ${values.length} values do not fill shape [${shape.join(', ')}].`);
  }
  const header = encodeHeader(
    tensors.map(({ name, shape, values }) => ({ name, shape, dtype: dtypeOf(values) })),
    metadata,
  );
  const file = new Uint8Array(tensors.reduce((sum, { values }) => sum + values.byteLength, header.length));
  file.set(header);
  let at = header.length;
  for (const { values } of tensors) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return file;
}
