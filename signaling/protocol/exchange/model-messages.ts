import * as v from 'valibot';
import type { FrameTensor } from './frames.ts';

/**
 * The model's own files on their way between devices, in chunks. The host says what each chunk hashes to; whoever has one says so and is asked
 * for it; a chunk travels in pieces, and counts when its hash is the one that the host said.
 */

/** Files are kept, hashed and exchanged in chunks of so many bytes; the last of a file may be shorter. */
export const MODEL_CHUNK_BYTES = 4 * 2 ** 20;
/** Of all files of a model that devices give to each other; of a larger one everybody fetches what it needs. */
export const MAX_SHARED_BYTES = 2 ** 31;
export const MAX_SHARED_FILES = 64;
export const MODEL_PIECE_BYTES = 128 * 1024;
export const HASH_BYTES = 32;

const MAX_CHUNKS = MAX_SHARED_BYTES / MODEL_CHUNK_BYTES;

export const chunkCount = (bytes: number): number => Math.ceil(bytes / MODEL_CHUNK_BYTES);
/** Bytes of a chunk of a file of `bytes`. */
export const chunkBytes = (bytes: number, chunk: number): number =>
  Math.min(MODEL_CHUNK_BYTES, bytes - chunk * MODEL_CHUNK_BYTES);

/** One of a model's files by its name beside the others; never a path. */
const name = v.pipe(
  v.string(),
  v.regex(/^([\w-][\w.-]{0,199}\.safetensors(\.index\.json)?|config\.json|tokenizer\.json)$/),
);
const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
const place = { file: name, chunk: whole(0, MAX_CHUNKS - 1) };

const HashesSchema = v.pipe(
  v.strictObject({
    type: v.literal('model-hashes'),
    file: name,
    /** Of the whole file. */
    bytes: whole(1, MAX_SHARED_BYTES),
    /** The chunk that the first hash is of. */
    first: whole(0, MAX_CHUNKS - 1),
  }),
  v.check(({ bytes, first }) => first < chunkCount(bytes), 'a chunk of the file'),
);

export const MODEL_MESSAGES = [
  /** From the host, with the SHA-256 of chunks that follow each other. */
  HashesSchema,
  /** The chunks of a file that the sender has, as bits: of each hexadecimal digit the lowest first. */
  v.strictObject({
    type: v.literal('model-held'),
    file: name,
    held: v.pipe(v.string(), v.regex(/^[0-9a-f]*$/), v.maxLength(MAX_CHUNKS / 4)),
  }),
  v.strictObject({ type: v.literal('model-wanted'), ...place }),
  /** A part of a chunk that was asked for; `offset` is within the chunk. In order. */
  v.strictObject({ type: v.literal('model-piece'), ...place, offset: whole(0, MODEL_CHUNK_BYTES - 1) }),
  /** The sender does not have the chunk that it was asked for, or gives no more. */
  v.strictObject({ type: v.literal('model-lacking'), ...place }),
  /** The sender fetches this chunk from the hub now: nobody else needs to. */
  v.strictObject({ type: v.literal('model-fetching'), ...place }),
  /** To the host: what a chunk hashes to that the sender fetched from the hub itself. */
  v.strictObject({
    type: v.literal('model-fetched'),
    ...place,
    bytes: whole(1, MAX_SHARED_BYTES),
    sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  }),
] as const;

export type ModelMessageType =
  | 'model-hashes'
  | 'model-held'
  | 'model-wanted'
  | 'model-piece'
  | 'model-lacking'
  | 'model-fetching'
  | 'model-fetched';

export const isModelMessage = (type: string): type is ModelMessageType => type.startsWith('model-');

/** @throws Error with one sentence when these are no hashes of chunks of the file. */
export function checkHashes(
  tensor: FrameTensor | undefined,
  { bytes, first }: v.InferOutput<typeof HashesSchema>,
): void {
  if (!(tensor instanceof Uint8Array)) throw new Error('The hashes of chunks are missing.');
  const hashes = tensor.length / HASH_BYTES;
  if (!Number.isInteger(hashes) || hashes === 0 || first + hashes > chunkCount(bytes))
    throw new Error('Hashes do not fit the chunks of their file.');
}

/** @throws Error with one sentence when this is no piece of a chunk. */
export function checkModelPiece(tensor: FrameTensor | undefined): void {
  if (!(tensor instanceof Uint8Array)) throw new Error('A piece of a chunk is missing.');
  if (tensor.length === 0 || tensor.length > MODEL_PIECE_BYTES)
    throw new Error(`A piece of a chunk has ${tensor.length} bytes; there are ${MODEL_PIECE_BYTES} at most.`);
}
