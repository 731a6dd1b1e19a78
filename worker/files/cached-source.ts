import * as v from 'valibot';
import {
  MODEL_CHUNK_BYTES as CHUNK_BYTES,
  chunkBytes,
  chunkCount,
} from '../../signaling/protocol/exchange/model-messages.ts';
import type { KeptModel } from '../api/host-api.ts';
import { type ByteSource, MissingFileError, SourceError } from './byte-source.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { OpenFile } from './open-file.ts';

/**
 * A file behind an address whose chunks stay on this device as they are read, so that a download that broke off goes on where it was, and
 * the next one needs no network. A chunk counts as kept when it is there, has its length and agrees with the SHA-256 that was stored with
 * it; any other is fetched again. Chunks belong to a version of the file, as the server's ETag and the file's size tell it: when that
 * changes, what was kept is deleted. Where the server cannot be reached, what is kept serves.
 */

const DIGEST_BYTES = 32;
const ABOUT = 'about';

const AboutSchema = v.strictObject({
  url: v.string(),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  etag: v.nullable(v.string()),
  chunkBytes: v.literal(CHUNK_BYTES),
});
type About = v.InferOutput<typeof AboutSchema>;

export interface CacheOptions {
  /** Told once, in a sentence, when what is read cannot be kept; reading goes on. */
  readonly onProblem?: (sentence: string) => void;
  /** Reads what is asked for and keeps nothing: for a look at a header. */
  readonly peek?: boolean;
  /** Told of each chunk that was kept, or was kept before and found right. */
  readonly onKept?: (kept: KeptChunk) => void;
}

export interface KeptChunk {
  readonly url: string;
  /** Of the whole file. */
  readonly bytes: number;
  readonly chunk: number;
  readonly sha256: string;
  /** It was given by another device, and not fetched. */
  readonly isGiven: boolean;
}

/** Throws as the file's own source does; whatever is wrong with the store only costs a download. */
export async function cachedSource(
  url: string,
  open: OpenFile,
  store: ChunkStore,
  options: CacheOptions = {},
): Promise<CachedSource> {
  const folder = (await hexDigest(url)).slice(0, 32);
  const known = await readAbout(store, folder);
  let source: ByteSource | null = null;
  try {
    source = await open(url);
  } catch (error) {
    if (known === null || error instanceof MissingFileError || !(error instanceof SourceError)) throw error;
  }
  const about: About = source
    ? { url, size: source.size, etag: source.etag ?? null, chunkBytes: CHUNK_BYTES }
    : (known as About);
  const found = await store.list(`${folder}/`).catch(() => []);
  const stored = new Map(found.map(({ key, bytes }) => [key, bytes]));
  if (known === null || known.size !== about.size || known.etag !== about.etag) {
    if (options.peek !== true) await store.delete([...stored.keys()]).catch(() => undefined);
    stored.clear();
  }
  const version = (await hexDigest(`${about.size} ${about.etag}`)).slice(0, 8);
  return new CachedSource(folder, version, about, source, store, stored, options);
}

export class CachedSource implements ByteSource {
  readonly size: number;
  readonly #folder: string;
  /** Of the file: chunks of another one have other keys, should they outlive it. */
  readonly #version: string;
  readonly #about: About;
  readonly #source: ByteSource | null;
  readonly #store: ChunkStore;
  /** Bytes of the entries that the store had when the file was opened, and of those that were added here. */
  readonly #stored: Map<string, number>;
  readonly #options: CacheOptions;
  #last: { readonly index: number; readonly bytes: Promise<Uint8Array> } | null = null;
  /** Settles when the last chunk has been kept: one is written at a time. */
  #keeping: Promise<void> = Promise.resolve();
  #keeps: boolean;
  #announced = false;

  constructor(
    folder: string,
    version: string,
    about: About,
    source: ByteSource | null,
    store: ChunkStore,
    stored: Map<string, number>,
    options: CacheOptions,
  ) {
    this.size = about.size;
    this.#folder = folder;
    this.#version = version;
    this.#about = about;
    this.#source = source;
    this.#store = store;
    this.#stored = stored;
    this.#options = options;
    this.#keeps = options.peek !== true;
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    const first = Math.floor(start / CHUNK_BYTES);
    const last = Math.floor((end - 1) / CHUNK_BYTES);
    if (end <= start) return new Uint8Array(0);
    if (first === last) {
      const bytes = await this.#chunk(first, start, end);
      return bytes.subarray(start - first * CHUNK_BYTES, end - first * CHUNK_BYTES);
    }
    const out = new Uint8Array(end - start);
    for (let index = first; index <= last; index++) {
      const at = index * CHUNK_BYTES;
      const [from, to] = [Math.max(start, at), Math.min(end, at + CHUNK_BYTES)];
      out.set((await this.#chunk(index, from, to)).subarray(from - at, to - at), from - start);
    }
    return out;
  }

  keptBytes(start: number, end: number): number {
    let kept = 0;
    for (let index = Math.floor(start / CHUNK_BYTES); index * CHUNK_BYTES < end; index++) {
      const at = index * CHUNK_BYTES;
      if (this.#stored.get(this.#key(index)) === DIGEST_BYTES + this.#length(index))
        kept += Math.min(end, at + CHUNK_BYTES) - Math.max(start, at);
    }
    return kept;
  }

  /** The chunks that are kept, by their number. */
  get keptChunks(): readonly number[] {
    const chunks = Array.from({ length: chunkCount(this.size) }, (_, index) => index);
    return chunks.filter((index) => this.#stored.get(this.#key(index)) === DIGEST_BYTES + this.#length(index));
  }

  /** A chunk as it is kept, perhaps by another reader of the same file; null where it is not, or is not right. */
  async keptChunk(index: number): Promise<Uint8Array | null> {
    return this.#isChunk(index) ? this.#kept(index) : null;
  }

  /** Fetches a chunk and keeps it. @throws SourceError where it cannot be had; Error where it cannot be kept. */
  async fetchChunk(index: number): Promise<void> {
    if (this.#source === null || !this.#isChunk(index))
      throw new SourceError(`Chunk ${index} of ${this.#about.url} cannot be fetched.`);
    const at = index * CHUNK_BYTES;
    const bytes = await this.#source.read(at, at + this.#length(index));
    await this.#put(index, bytes, await sha256(bytes), false);
  }

  /** Keeps a chunk that somebody else had, where it hashes to what it should; false where it does not. */
  async keepGiven(index: number, bytes: Uint8Array, expected: string): Promise<boolean> {
    if (!this.#isChunk(index) || bytes.length !== this.#length(index)) return false;
    const digest = await sha256(bytes);
    if (hex(digest) !== expected) return false;
    await this.#put(index, bytes, digest, true);
    return true;
  }

  #isChunk(index: number): boolean {
    return Number.isInteger(index) && index >= 0 && index < chunkCount(this.size);
  }

  /** A chunk; of a look at a file, only the part from `start` to `end` is filled. The last one stays at hand. */
  #chunk(index: number, start: number, end: number): Promise<Uint8Array> {
    if (this.#last?.index === index) return this.#last.bytes;
    const bytes = this.#read(index, start, end);
    if (this.#options.peek !== true) {
      this.#last = { index, bytes };
      bytes.catch(() => {
        if (this.#last?.bytes === bytes) this.#last = null;
      });
    }
    return bytes;
  }

  async #read(index: number, start: number, end: number): Promise<Uint8Array> {
    const key = this.#key(index);
    const kept = this.#stored.has(key) ? await this.#kept(index) : null;
    if (kept !== null) return kept;
    if (this.#source === null)
      throw new SourceError(`${this.#about.url} cannot be reached, and this device keeps only a part of it.`);
    const at = index * CHUNK_BYTES;
    if (this.#options.peek === true) {
      const bytes = new Uint8Array(end - at);
      bytes.set(await this.#source.read(start, end), start - at);
      return bytes;
    }
    const bytes = await this.#source.read(at, at + this.#length(index));
    await this.#keeping;
    this.#keeping = this.#keep(index, bytes);
    return bytes;
  }

  async #kept(index: number): Promise<Uint8Array | null> {
    const entry = await this.#store.get(this.#key(index)).catch(() => null);
    if (entry === null || entry.length !== DIGEST_BYTES + this.#length(index)) return null;
    const bytes = entry.subarray(DIGEST_BYTES);
    const digest = await sha256(bytes);
    if (!digest.every((byte, i) => byte === entry[i])) return null;
    this.#tell(index, digest, false);
    return bytes;
  }

  async #keep(index: number, bytes: Uint8Array): Promise<void> {
    if (!this.#keeps) return;
    try {
      await this.#put(index, bytes, await sha256(bytes), false);
    } catch (error) {
      this.#keeps = false;
      this.#options.onProblem?.(problem(error));
    }
  }

  async #put(index: number, bytes: Uint8Array, digest: Uint8Array<ArrayBuffer>, isGiven: boolean): Promise<void> {
    if (!this.#announced) await this.#store.put(`${this.#folder}/${ABOUT}`, [encodeAbout(this.#about)]);
    this.#announced = true;
    await this.#store.put(this.#key(index), [digest, bytes as Uint8Array<ArrayBuffer>]);
    this.#stored.set(this.#key(index), DIGEST_BYTES + bytes.length);
    this.#tell(index, digest, isGiven);
  }

  #tell(chunk: number, digest: Uint8Array, isGiven: boolean): void {
    this.#options.onKept?.({ url: this.#about.url, bytes: this.size, chunk, sha256: hex(digest), isGiven });
  }

  #key(index: number): string {
    return `${this.#folder}/${this.#version}-${index}`;
  }

  #length(index: number): number {
    return chunkBytes(this.size, index);
  }
}

/** Says in the store what file there is at an address that nothing can be fetched from, so that what others give of it can be kept. */
export async function announceFile(url: string, size: number, store: ChunkStore): Promise<void> {
  const folder = (await hexDigest(url)).slice(0, 32);
  if ((await readAbout(store, folder))?.size === size) return;
  await store.put(`${folder}/${ABOUT}`, [encodeAbout({ url, size, etag: null, chunkBytes: CHUNK_BYTES })]);
}

/** Entries of a store by the model that they are of; remains that belong to none go under an empty name. */
async function byModel(store: ChunkStore): Promise<ReadonlyMap<string, readonly { key: string; bytes: number }[]>> {
  const names = new Map<string, string>();
  const models = new Map<string, { key: string; bytes: number }[]>();
  for (const entry of await store.list('')) {
    const folder = entry.key.split('/')[0]!;
    const name = names.get(folder) ?? modelOf((await readAbout(store, folder))?.url ?? '');
    names.set(folder, name);
    models.set(name, [...(models.get(name) ?? []), entry]);
  }
  return models;
}

/** `FacebookAI/roberta-base` of `https://hub/FacebookAI/roberta-base/resolve/main/config.json`; of `https://page/models/NAME/…` its name. */
function modelOf(url: string): string {
  return (
    /^https?:\/\/[^/]+\/(.+)\/resolve\//.exec(url)?.[1] ??
    /^https?:\/\/[^/]+\/(?:.*\/)?models\/([\w.-]+)\/[^/]+$/.exec(url)?.[1] ??
    url
  );
}

/** The models of which something is kept, and their bytes here. */
export async function keptModels(store: ChunkStore): Promise<readonly KeptModel[]> {
  const models = [...(await byModel(store))];
  return models.map(([name, entries]) => ({ name, bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0) }));
}

/** Deletes what is kept of a model, or, given null, of all. */
export async function forgetModels(store: ChunkStore, model: string | null): Promise<void> {
  for (const [name, entries] of await byModel(store))
    if (model === null || name === model) await store.delete(entries.map(({ key }) => key));
}

/** Deletes everything, with what belongs to no model any more; resolves with how many models and bytes went. */
export async function deleteAllModels(store: ChunkStore): Promise<{ readonly models: number; readonly bytes: number }> {
  const kept = await keptModels(store);
  await store.clear();
  return { models: kept.length, bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function readAbout(store: ChunkStore, folder: string): Promise<About | null> {
  try {
    const entry = await store.get(`${folder}/${ABOUT}`);
    const read = v.safeParse(AboutSchema, entry && JSON.parse(new TextDecoder().decode(entry)));
    return read.success ? read.output : null;
  } catch {
    return null;
  }
}

function encodeAbout(about: About): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(about));
}

function problem(error: unknown): string {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  const full = name === 'QuotaExceededError' || (error instanceof Error && 'code' in error && error.code === 'ENOSPC');
  return full
    ? 'There is no room on this device to keep the model; it will be downloaded again next time.'
    : `The model cannot be kept on this device (${message}); it will be downloaded again next time.`;
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}

async function hexDigest(text: string): Promise<string> {
  return hex(await sha256(new TextEncoder().encode(text)));
}

const hex = (digest: Uint8Array): string => [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
