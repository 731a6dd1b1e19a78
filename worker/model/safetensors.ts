import * as v from 'valibot';

/**
 * The safetensors format (github.com/huggingface/safetensors, "Format"): a little-endian u64 header length N, N bytes of JSON, then
 * the tensors' bytes, without gaps. Everything is refused that would make a reader allocate or read what the file does not hold.
 */

const BYTES_PER_VALUE = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
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
} as const;
export type Dtype = keyof typeof BYTES_PER_VALUE;

/** Length of the fixed part before the JSON header. */
export const PREFIX_BYTES = 8;
/** The bound that the reference implementation sets, too. */
const MAX_HEADER_BYTES = 100_000_000;

export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
}

export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
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

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const EntrySchema = v.object({
  dtype: v.pipe(v.string(), v.maxLength(16)),
  shape: v.pipe(v.array(whole), v.maxLength(8)),
  data_offsets: v.strictTuple([whole, whole]),
});
const MetadataSchema = v.record(v.string(), v.string());

/**
 * Bytes of the JSON header, from the file's first PREFIX_BYTES or more bytes.
 * @throws SafetensorsError when this is no safetensors file, or the length is impossible for a file of `fileBytes`.
 */
export function headerBytes(prefix: Uint8Array, fileBytes: number): number {
  refuseOtherFormats(prefix);
  if (prefix.length < PREFIX_BYTES || fileBytes < PREFIX_BYTES)
    throw new SafetensorsError(`The file ends after ${Math.min(prefix.length, fileBytes)} bytes, inside its header.`);
  const length = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES))
    throw new SafetensorsError(
      `The file claims a header of ${length} bytes; at most ${MAX_HEADER_BYTES} are read. Is it a safetensors file?`,
    );
  if (length < 2n) throw new SafetensorsError(`The file claims a header of ${length} bytes; a JSON object takes 2.`);
  const bytes = Number(length);
  if (PREFIX_BYTES + bytes > fileBytes)
    throw new SafetensorsError(
      `The file claims a header of ${bytes} bytes but has ${fileBytes - PREFIX_BYTES} after its prefix: it is truncated or not a safetensors file.`,
    );
  return bytes;
}

function refuseOtherFormats(prefix: Uint8Array): void {
  const text = String.fromCharCode(...prefix.subarray(0, 8));
  // A header of 640 bytes begins like a pickle, but nothing follows the length's low bytes.
  const pickled =
    prefix[0] === 0x80 && prefix[1]! >= 2 && prefix[1]! <= 5 && prefix.subarray(2, 8).some((b) => b !== 0);
  if (pickled || text.startsWith('PK\x03\x04'))
    throw new SafetensorsError(
      'This is a PyTorch pickle file, which can run code when it is opened; convert it to safetensors.',
    );
  if (text.startsWith('version '))
    throw new SafetensorsError('This is a Git LFS pointer, not the weights; fetch the file itself (git lfs pull).');
  if (text.trimStart().startsWith('<')) throw new SafetensorsError('This is a web page, not a safetensors file.');
}

/**
 * Reads the header from the file's first bytes, which must hold at least the prefix and the JSON.
 * @throws SafetensorsError naming the tensor that is wrong.
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number): SafetensorsHeader {
  const jsonBytes = headerBytes(bytes, fileBytes);
  const dataStart = PREFIX_BYTES + jsonBytes;
  if (bytes.length < dataStart)
    throw new SafetensorsError(`The file ends after ${bytes.length} bytes, inside its header of ${jsonBytes}.`);
  const tensors = new Map<string, TensorEntry>();
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of Object.entries(parseJsonObject(bytes.subarray(PREFIX_BYTES, dataStart)))) {
    if (name === '__metadata__') {
      const parsed = v.safeParse(MetadataSchema, value);
      if (!parsed.success) throw new SafetensorsError('The header\'s "__metadata__" must map names to strings.');
      metadata = new Map(Object.entries(parsed.output));
    } else tensors.set(name, parseEntry(name, value, dataStart, fileBytes));
  }
  refuseGapsAndOverlaps(tensors, dataStart, fileBytes);
  return { tensors, metadata, fileBytes };
}

function parseJsonObject(bytes: Uint8Array): object {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new SafetensorsError('The header is not JSON: the file is damaged or not a safetensors file.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SafetensorsError('The header is not a JSON object.');
  return value;
}

function isDtype(name: string): name is Dtype {
  return Object.hasOwn(BYTES_PER_VALUE, name);
}

function parseEntry(name: string, value: unknown, dataStart: number, fileBytes: number): TensorEntry {
  const label = JSON.stringify(name.slice(0, 100));
  const parsed = v.safeParse(EntrySchema, value);
  if (!parsed.success)
    throw new SafetensorsError(`Tensor ${label}: dtype, shape or data_offsets in the header are missing or not valid.`);
  const { dtype, shape, data_offsets } = parsed.output;
  if (!isDtype(dtype)) throw new SafetensorsError(`Tensor ${label} has the unknown dtype ${JSON.stringify(dtype)}.`);
  const [start, end] = [dataStart + data_offsets[0], dataStart + data_offsets[1]];
  if (start > end || end > fileBytes)
    throw new SafetensorsError(
      `Tensor ${label} lies at bytes ${start} to ${end} of a file of ${fileBytes}: the file is truncated or damaged.`,
    );
  const expected = shape.reduce((a, b) => a * b, BYTES_PER_VALUE[dtype]);
  if (expected !== end - start)
    throw new SafetensorsError(
      `Tensor ${label} of shape [${shape.join(', ')}] in ${dtype} takes ${expected} bytes, but the header gives it ${end - start}.`,
    );
  return { name, dtype, shape, start, end };
}

/** The format allows neither; a duplicate name, which JSON.parse swallows, shows up as a gap. */
function refuseGapsAndOverlaps(tensors: ReadonlyMap<string, TensorEntry>, dataStart: number, fileBytes: number): void {
  let at = dataStart;
  for (const entry of [...tensors.values()].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (entry.start !== at)
      throw new SafetensorsError(
        `Tensor ${JSON.stringify(entry.name.slice(0, 100))} ${entry.start < at ? 'overlaps the one before it' : 'follows a gap'} in the file.`,
      );
    at = entry.end;
  }
  if (at !== fileBytes) throw new SafetensorsError(`The header accounts for ${at} bytes of a file of ${fileBytes}.`);
}

/**
 * Values of a tensor as f32, from its bytes in the file. An F32 tensor at an aligned address comes back as a view of `bytes`.
 * @throws SafetensorsError when the dtype is not F32, F16 or BF16.
 */
export function decodeFloats(entry: TensorEntry, bytes: Uint8Array): Float32Array {
  if (bytes.length !== entry.end - entry.start)
    throw new SafetensorsError(
      `Tensor "${entry.name}": ${bytes.length} bytes given, ${entry.end - entry.start} needed.`,
    );
  switch (entry.dtype) {
    case 'F32': {
      const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
      return new Float32Array(aligned.buffer, aligned.byteOffset, bytes.length / 4);
    }
    case 'F16':
      return decodeHalves(bytes, float16Bits);
    case 'BF16':
      return decodeHalves(bytes, (half) => half << 16);
    default:
      throw new SafetensorsError(
        `Tensor "${entry.name}" is stored as ${entry.dtype}; only F32, F16 and BF16 are read.`,
      );
  }
}

/** @throws SafetensorsError when the dtype is not I32. */
export function decodeIntegers(entry: TensorEntry, bytes: Uint8Array): Int32Array {
  if (entry.dtype !== 'I32')
    throw new SafetensorsError(`Tensor "${entry.name}" is stored as ${entry.dtype}; I32 is expected.`);
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, bytes.length / 4);
}

/** `toBits` gives the f32 bit pattern of a 16-bit one. */
function decodeHalves(bytes: Uint8Array, toBits: (half: number) => number): Float32Array {
  const count = bytes.length / 2;
  const bits = new Int32Array(count);
  for (let i = 0; i < count; i++) bits[i] = toBits(bytes[2 * i]! | (bytes[2 * i + 1]! << 8));
  return new Float32Array(bits.buffer);
}

/** IEEE 754 binary16 to the bit pattern of the same value in binary32. */
function float16Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 31) return sign | 0x7f800000 | (mantissa << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (mantissa === 0) return sign;
  // Subnormal: shift the leading one up to the implicit bit.
  const shift = Math.clz32(mantissa) - 21;
  return sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
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
