import { MAX_DATA_MESSAGE_BYTES, SLICE_PAYLOAD_BYTES } from '../limits.ts';
import { crc32 } from './checksum.ts';

/**
 * How training messages travel on a data channel. A message is a JSON header and some tensors:
 *
 *   u32 header bytes | header (UTF-8 JSON, padded with spaces to 4) | tensors, each 4-byte little-endian values, back to back
 *
 * and is cut into slices, each its own channel message, so that messages can be paced and interleaved:
 *
 *   u32 message number | u32 total bytes | u32 offset | u32 crc32 of the whole message | payload
 */
export type FrameTensor = Float32Array | Int32Array;

export interface DataFrame {
  /** Not validated yet. */
  readonly header: unknown;
  readonly tensors: readonly FrameTensor[];
}

export const SLICE_HEADER_BYTES = 16;
const MAX_HEADER_BYTES = 64 * 1024;
const MAX_TENSORS = 16;

const utf8 = new TextEncoder();

/** Little-endian machines only, as every machine that runs WebGPU or WASM engines is. */
export function encodeFrame(header: object, tensors: readonly FrameTensor[]): Uint8Array<ArrayBuffer> {
  const shapes = tensors.map((t) => [t instanceof Float32Array ? 'f32' : 'i32', t.length]);
  const json = JSON.stringify({ header, tensors: shapes });
  const unpadded = utf8.encode(json).length;
  const head = utf8.encode(json + ' '.repeat((4 - (unpadded % 4)) % 4));
  const out = new Uint8Array(4 + head.length + tensors.reduce((sum, t) => sum + t.byteLength, 0));
  new DataView(out.buffer).setUint32(0, head.length, true);
  out.set(head, 4);
  let offset = 4 + head.length;
  for (const t of tensors) {
    out.set(new Uint8Array(t.buffer, t.byteOffset, t.byteLength), offset);
    offset += t.byteLength;
  }
  return out;
}

/** Throws an Error with one sentence when the bytes are not a frame. The tensors are views of `bytes`. */
export function decodeFrame(bytes: Uint8Array<ArrayBuffer>): DataFrame {
  if (bytes.length < 4) throw new Error('A data message is shorter than its header length.');
  const headBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (headBytes > MAX_HEADER_BYTES || headBytes % 4 !== 0 || 4 + headBytes > bytes.length)
    throw new Error('A data message states an impossible header length.');
  let described: unknown;
  try {
    described = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(4, 4 + headBytes)));
  } catch {
    throw new Error("A data message's header is not JSON.");
  }
  if (typeof described !== 'object' || described === null || !('header' in described) || !('tensors' in described))
    throw new Error("A data message's header lacks its parts.");
  const shapes: unknown = described.tensors;
  if (!Array.isArray(shapes) || shapes.length > MAX_TENSORS)
    throw new Error('A data message lists its tensors wrongly.');
  let offset = 4 + headBytes;
  const tensors = shapes.map((shape: unknown): FrameTensor => {
    const [type, length]: unknown[] = Array.isArray(shape) ? shape : [];
    if ((type !== 'f32' && type !== 'i32') || typeof length !== 'number' || !Number.isInteger(length) || length < 0)
      throw new Error('A data message describes a tensor wrongly.');
    const start = bytes.byteOffset + offset;
    offset += 4 * length;
    if (offset > bytes.length) throw new Error('A data message is shorter than its tensors.');
    return type === 'f32' ? new Float32Array(bytes.buffer, start, length) : new Int32Array(bytes.buffer, start, length);
  });
  if (offset !== bytes.length) throw new Error('A data message is longer than its tensors.');
  return { header: described.header, tensors };
}

/** The slices of an encoded message, made one at a time so that a large message is never held twice. */
export function* slices(message: Uint8Array<ArrayBuffer>, number: number): Generator<Uint8Array<ArrayBuffer>> {
  const checksum = crc32(message);
  for (let offset = 0; offset < message.length; offset += SLICE_PAYLOAD_BYTES) {
    const payload = message.subarray(offset, Math.min(offset + SLICE_PAYLOAD_BYTES, message.length));
    const slice = new Uint8Array(SLICE_HEADER_BYTES + payload.length);
    const view = new DataView(slice.buffer);
    view.setUint32(0, number, true);
    view.setUint32(4, message.length, true);
    view.setUint32(8, offset, true);
    view.setUint32(12, checksum, true);
    slice.set(payload, SLICE_HEADER_BYTES);
    yield slice;
  }
}

interface Partial {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly checksum: number;
  received: number;
}

/**
 * Puts slices back together. A channel keeps order, so the slices of one message arrive in order, though messages may interleave.
 * A peer can make it hold at most `maxOpen` messages and `maxBytes` in all.
 */
export class Reassembler {
  readonly #open = new Map<number, Partial>();
  readonly #maxBytes: number;
  readonly #maxOpen: number;

  constructor(maxBytes = MAX_DATA_MESSAGE_BYTES, maxOpen = 8) {
    this.#maxBytes = maxBytes;
    this.#maxOpen = maxOpen;
  }

  /** The complete message, or null while parts are missing. Throws an Error with one sentence when a slice cannot be right. */
  add(slice: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null {
    if (slice.length <= SLICE_HEADER_BYTES || slice.length > SLICE_HEADER_BYTES + SLICE_PAYLOAD_BYTES)
      throw new Error('A slice of a data message has an impossible size.');
    const view = new DataView(slice.buffer, slice.byteOffset, slice.byteLength);
    const [number, total, offset, checksum] = [0, 4, 8, 12].map((at) => view.getUint32(at, true));
    let partial = this.#open.get(number);
    if (partial === undefined) {
      const held = [...this.#open.values()].reduce((sum, p) => sum + p.bytes.length, 0);
      if (offset !== 0) throw new Error('A data message arrived without its beginning.');
      if (total + held > this.#maxBytes || this.#open.size >= this.#maxOpen)
        throw new Error('A peer sent more data at once than is allowed.');
      partial = { bytes: new Uint8Array(total), checksum, received: 0 };
      this.#open.set(number, partial);
    }
    const payload = slice.subarray(SLICE_HEADER_BYTES);
    const fits = partial.bytes.length === total && partial.checksum === checksum && partial.received === offset;
    if (!fits || offset + payload.length > total) throw new Error('A slice of a data message is out of place.');
    partial.bytes.set(payload, offset);
    partial.received += payload.length;
    if (partial.received < total) return null;
    this.#open.delete(number);
    if (crc32(partial.bytes) !== checksum) throw new Error('A data message arrived damaged (checksum).');
    return partial.bytes;
  }
}
