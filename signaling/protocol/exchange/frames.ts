import { LEAST_SLICE_PAYLOAD_BYTES, MAX_DATA_MESSAGE_BYTES, SLICE_PAYLOAD_BYTES } from '../limits.ts';
import { crc32 } from './checksum.ts';

/**
 * How training messages travel on a data channel. A message is a JSON header and some tensors:
 *
 *   u32 header bytes | header (UTF-8 JSON, padded with spaces to 4) | tensors, little-endian values of 4 bytes (f32, i32), 2 (u16) or 1 (u8), each
 *   padded with zeros to 4, back to back
 *
 * and is cut into slices of one length but for the last, each its own channel message, so that messages can be paced and interleaved:
 *
 *   u32 message number | u32 total bytes | u32 offset | u32 crc32 of the whole message | payload
 */
export type FrameTensor = Float32Array | Int32Array | Uint16Array | Uint8Array;

export interface DataFrame {
  /** Not validated yet. */
  readonly header: unknown;
  readonly tensors: readonly FrameTensor[];
}

export const SLICE_HEADER_BYTES = 16;
const MAX_HEADER_BYTES = 64 * 1024;
/** What a message has before its tensors, at most. */
export const MAX_FRAME_HEAD_BYTES = 4 + MAX_HEADER_BYTES;
const MAX_TENSORS = 16;

const utf8 = new TextEncoder();

/** Little-endian machines only, as every machine that runs WebGPU or WASM engines is. */
export function encodeFrame(header: object, tensors: readonly FrameTensor[]): Uint8Array<ArrayBuffer> {
  const shapes = tensors.map((t) => [typeOf(t), t.length]);
  const json = JSON.stringify({ header, tensors: shapes });
  const unpadded = utf8.encode(json).length;
  const head = utf8.encode(json + ' '.repeat((4 - (unpadded % 4)) % 4));
  const out = new Uint8Array(4 + head.length + tensors.reduce((sum, t) => sum + padded(t.byteLength), 0));
  new DataView(out.buffer).setUint32(0, head.length, true);
  out.set(head, 4);
  let offset = 4 + head.length;
  for (const t of tensors) {
    out.set(new Uint8Array(t.buffer, t.byteOffset, t.byteLength), offset);
    offset += padded(t.byteLength);
  }
  return out;
}

const BYTES = { f32: 4, i32: 4, u16: 2, u8: 1 } as const;
type TensorType = keyof typeof BYTES;
const isTensorType = (type: unknown): type is TensorType => typeof type === 'string' && Object.hasOwn(BYTES, type);

function typeOf(t: FrameTensor): TensorType {
  if (t instanceof Float32Array) return 'f32';
  if (t instanceof Int32Array) return 'i32';
  return t instanceof Uint16Array ? 'u16' : 'u8';
}

const padded = (bytes: number): number => 4 * Math.ceil(bytes / 4);

function viewOf(type: TensorType, buffer: ArrayBuffer, start: number, length: number): FrameTensor {
  switch (type) {
    case 'f32':
      return new Float32Array(buffer, start, length);
    case 'i32':
      return new Int32Array(buffer, start, length);
    case 'u16':
      return new Uint16Array(buffer, start, length);
    case 'u8':
      return new Uint8Array(buffer, start, length);
  }
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
    if (!isTensorType(type) || typeof length !== 'number' || !Number.isInteger(length) || length < 0)
      throw new Error('A data message describes a tensor wrongly.');
    const start = bytes.byteOffset + offset;
    offset += padded(BYTES[type] * length);
    if (offset > bytes.length) throw new Error('A data message is shorter than its tensors.');
    return viewOf(type, bytes.buffer, start, length);
  });
  if (offset !== bytes.length) throw new Error('A data message is longer than its tensors.');
  return { header: described.header, tensors };
}

/** The slices of an encoded message, made one at a time so that a large message is never held twice. */
export function* slices(
  message: Uint8Array<ArrayBuffer>,
  number: number,
  payloadBytes = SLICE_PAYLOAD_BYTES,
): Generator<Uint8Array<ArrayBuffer>> {
  const checksum = crc32(message);
  for (let offset = 0; offset < message.length; offset += payloadBytes) {
    const payload = message.subarray(offset, Math.min(offset + payloadBytes, message.length));
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

/** A message of which a part has come. */
interface Partial {
  readonly totalBytes: number;
  readonly checksum: number;
  readonly begunMs: number;
  /** Payload of each slice but the last. */
  readonly sliceBytes: number;
  readonly parts: Uint8Array<ArrayBuffer>[];
  receivedBytes: number;
  heardMs: number;
}

/** A sender has one long message of each lane on its way at a time; the others fit into one slice each. */
export const MAX_OPEN_MESSAGES = 5;
/** A sender that is given the smallest share sends a slice every 10 s. */
export const STALLED_MESSAGE_MS = 30_000;
/** However steadily it comes. A gradient of 16 MB takes two minutes at 1 Mbit/s. */
export const LONGEST_MESSAGE_MS = 30 * 60_000;

/**
 * Puts slices back together. A channel keeps order, so the slices of one message arrive in order, each of them full but the last, though
 * messages may interleave. A peer makes it hold what has arrived, whatever was announced: at most `maxBytes` in `MAX_OPEN_MESSAGES`
 * messages, and none for longer than the two times above.
 */
export class Reassembler {
  readonly #open = new Map<number, Partial>();
  readonly #maxBytes: number;
  #heldBytes = 0;

  /** `maxBytes`: of the longest message that may come, and of all that are unfinished. */
  constructor(maxBytes = MAX_DATA_MESSAGE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of unfinished messages. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The complete message, or null while parts are missing. Throws an Error with one sentence when a slice cannot be right. */
  add(slice: Uint8Array<ArrayBuffer>, nowMs: number): Uint8Array<ArrayBuffer> | null {
    if (slice.length <= SLICE_HEADER_BYTES || slice.length > SLICE_HEADER_BYTES + SLICE_PAYLOAD_BYTES)
      throw new Error('A slice of a data message has an impossible size.');
    const view = new DataView(slice.buffer, slice.byteOffset, slice.byteLength);
    const [number, totalBytes, offset, checksum] = [0, 4, 8, 12].map((at) => view.getUint32(at, true));
    const payload = slice.subarray(SLICE_HEADER_BYTES);
    const partial = this.#open.get(number) ?? this.#begin(totalBytes, checksum, payload.length, nowMs);
    if (partial.receivedBytes === 0 && offset !== 0) throw new Error('A data message arrived without its beginning.');
    const inPlace =
      partial.totalBytes === totalBytes && partial.checksum === checksum && partial.receivedBytes === offset;
    // As long as the first, and that no short one, so that what is kept of each costs little beside what it carries.
    const { sliceBytes } = partial;
    if (!inPlace || payload.length !== Math.min(sliceBytes, totalBytes - offset))
      throw new Error('A slice of a data message is out of place.');
    const isLast = offset + payload.length === totalBytes;
    if (isLast && offset === 0) return checked(payload, checksum);
    if (this.#heldBytes + payload.length > this.#maxBytes)
      throw new Error('A peer sent more data at once than is allowed.');
    partial.parts.push(payload);
    partial.receivedBytes += payload.length;
    partial.heardMs = nowMs;
    this.#heldBytes += payload.length;
    this.#open.set(number, partial);
    if (!isLast) return null;
    this.#open.delete(number);
    this.#heldBytes -= totalBytes;
    return checked(joined(partial), checksum);
  }

  /** Why the peer is to be given up, in a sentence: a message that it began does not come to its end. */
  overdue(nowMs: number): string | null {
    for (const { begunMs, heardMs } of this.#open.values())
      if (nowMs - heardMs > STALLED_MESSAGE_MS || nowMs - begunMs > LONGEST_MESSAGE_MS)
        return 'The other side began a message and did not end it.';
    return null;
  }

  #begin(totalBytes: number, checksum: number, firstBytes: number, nowMs: number): Partial {
    if (totalBytes > this.#maxBytes)
      throw new Error('A peer announced a message that is longer than any of this session.');
    if (this.#open.size >= MAX_OPEN_MESSAGES) throw new Error('A peer began more messages at once than is allowed.');
    const sliceBytes = Math.max(LEAST_SLICE_PAYLOAD_BYTES, firstBytes);
    return { totalBytes, checksum, begunMs: nowMs, sliceBytes, parts: [], receivedBytes: 0, heardMs: nowMs };
  }
}

function joined({ parts, totalBytes }: Partial): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(totalBytes);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function checked(bytes: Uint8Array<ArrayBuffer>, checksum: number): Uint8Array<ArrayBuffer> {
  if (crc32(bytes) !== checksum) throw new Error('A data message arrived damaged (checksum).');
  return bytes;
}
