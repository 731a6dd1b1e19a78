import { createHash } from 'node:crypto';
import { chunkBytes, chunkCount, MODEL_CHUNK_BYTES } from '../../signaling/protocol/exchange/model-messages.ts';
import type { HashedChunk, ModelChunksApi } from '../../worker/api/chunks-api.ts';

export const FILE = 'model.safetensors';
/** Four chunks, the last of five bytes. */
export const BYTES = 3 * MODEL_CHUNK_BYTES + 5;
export const COUNT = chunkCount(BYTES);
export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
export const MODEL = Array.from({ length: COUNT }, (_, chunk) =>
  new Uint8Array(chunkBytes(BYTES, chunk)).fill(chunk + 1),
);
export const ALL = [...MODEL.keys()];

/** A device's disk, and its way to the hub. */
export class Disk implements ModelChunksApi {
  readonly kept = new Map<number, Uint8Array>();
  readonly fetched: number[] = [];
  readonly given: number[] = [];
  readonly refused: number[] = [];
  readonly #hashed: HashedChunk[] = [];
  hubBytes = (chunk: number) => MODEL[chunk]!;
  hubIsThere = true;

  open: ModelChunksApi['open'] = async () => [{ file: FILE, bytes: BYTES, held: [...this.kept.keys()] }];
  announce: ModelChunksApi['announce'] = async ({ files }) =>
    files.map(({ file, bytes }) => ({ file, bytes, held: file === FILE ? [...this.kept.keys()] : [] }));
  useFolder = async () => undefined;
  wanted: ModelChunksApi['wanted'] = async () => ALL.map((chunk) => ({ file: FILE, chunk }));
  hashed: ModelChunksApi['hashed'] = async (from) => this.#hashed.slice(from);

  async fetch(file: string, chunk: number): Promise<void> {
    if (!this.hubIsThere) throw new Error('The hub cannot be reached.');
    this.fetched.push(chunk);
    this.#put(file, chunk, this.hubBytes(chunk), false);
  }

  async keep(file: string, chunk: number, bytes: Uint8Array, expected: string): Promise<boolean> {
    if (sha256(bytes) !== expected) {
      this.refused.push(chunk);
      return false;
    }
    this.#put(file, chunk, bytes, true);
    return true;
  }

  async read(_: string, chunk: number): Promise<Uint8Array | null> {
    this.given.push(chunk);
    return this.kept.get(chunk) ?? null;
  }

  #put(file: string, chunk: number, bytes: Uint8Array, isGiven: boolean): void {
    this.kept.set(chunk, bytes);
    this.#hashed.push({ file, chunk, bytes: BYTES, sha256: sha256(bytes), isGiven });
  }
}
