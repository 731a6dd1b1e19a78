import * as Comlink from 'comlink';
import { chunkCount, MAX_SHARED_BYTES, MAX_SHARED_FILES } from '../../signaling/protocol/exchange/model-messages.ts';
import { isFolder, type ModelSource } from '../../signaling/protocol/settings.ts';
import { partOf } from '../../signaling/protocol/split.ts';
import type { ChunkedFile, HashedChunk, ModelChunksApi } from '../api/chunks-api.ts';
import { SourceError } from '../files/byte-source.ts';
import { announceFile, CachedSource, type KeptChunk } from '../files/cached-source.ts';
import type { ChunkStore } from '../files/chunk-store.ts';
import type { FolderFiles } from '../files/folder-files.ts';
import type { OpenFile } from '../files/open-file.ts';
import { frozenTensors } from './description.ts';
import { modelFileUrl } from './model-files.ts';
import { modelFiles } from './open-model.ts';

/** Of two models as large as any that is shared: a device loads what it needs, and perhaps another run later. */
const MAX_HASHED = 4096;

/** What else of a folder's model others have from its host alone. */
const BESIDE_WEIGHTS = ['config.json', 'tokenizer.json', 'model.safetensors.index.json'];

/** The kept chunks of a model's files, one by one. Only files that were opened as the model's own can be read or written. */
export class ModelChunks implements ModelChunksApi {
  readonly #open: OpenFile;
  readonly #store: ChunkStore | null;
  readonly #folder: FolderFiles | null;
  #files: ReadonlyMap<string, CachedSource> = new Map();
  readonly #hashed: HashedChunk[] = [];
  readonly #known = new Set<string>();

  constructor(open: OpenFile, store: ChunkStore | null, folder: FolderFiles | null = null) {
    this.#open = open;
    this.#store = store;
    this.#folder = folder;
  }

  async open({ model, origin }: Parameters<ModelChunksApi['open']>[0]): Promise<readonly ChunkedFile[] | null> {
    this.#files = new Map();
    if (!this.#shares(model)) return null;
    const files = new Map<string, CachedSource>();
    for (const { name, source } of await this.#model(model, origin).shards())
      if (source instanceof CachedSource) files.set(name, source);
    if (isFolder(model))
      for (const name of BESIDE_WEIGHTS) {
        const source = await this.#model(model, origin)
          .open(name)
          .catch(() => null);
        if (!(source instanceof CachedSource)) continue;
        files.set(name, source);
        for (let chunk = 0; chunk < chunkCount(source.size); chunk++)
          if ((await source.keptChunk(chunk)) === null) await source.fetchChunk(chunk).catch(() => undefined);
      }
    const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0);
    if (files.size === 0 || files.size > MAX_SHARED_FILES || bytes > MAX_SHARED_BYTES) return null;
    this.#files = files;
    return [...files].map(([file, source]) => ({ file, bytes: source.size, held: source.keptChunks }));
  }

  async announce({
    model,
    origin,
    files,
  }: Parameters<ModelChunksApi['announce']>[0]): ReturnType<ModelChunksApi['announce']> {
    if (this.#store === null) return null;
    this.#folder?.tell(files.map(({ file }) => file));
    const opened = new Map<string, CachedSource>();
    for (const { file, bytes } of files) {
      await announceFile(modelFileUrl(model, origin, file), bytes, this.#store);
      const source = await this.#model(model, origin).open(file);
      if (source instanceof CachedSource) opened.set(file, source);
    }
    this.#files = opened;
    return [...opened].map(([file, source]) => ({ file, bytes: source.size, held: source.keptChunks }));
  }

  async wanted({
    settings,
    origin,
    run,
  }: Parameters<ModelChunksApi['wanted']>[0]): ReturnType<ModelChunksApi['wanted']> {
    const { model, shape } = settings;
    const weights = await this.#model(model, origin).weights();
    const chunks = weights.chunks(frozenTensors(shape, partOf(run, shape.layers)));
    return chunks.filter(({ file }) => this.#files.has(file));
  }

  async useFolder(files: readonly File[]): Promise<void> {
    this.#folder?.give(files);
  }

  async fetch(file: string, chunk: number): Promise<void> {
    await this.#file(file).fetchChunk(chunk);
  }

  async keep(file: string, chunk: number, bytes: Uint8Array, sha256: string): Promise<boolean> {
    return this.#file(file).keepGiven(chunk, bytes, sha256);
  }

  async read(file: string, chunk: number): Promise<Uint8Array | null> {
    const bytes = (await this.#files.get(file)?.keptChunk(chunk)) ?? null;
    // A view of a store's entry, or of what somebody else reads: it is copied, not transferred.
    const copy = bytes?.slice() ?? null;
    return copy && Comlink.transfer(copy, [copy.buffer]);
  }

  async hashed(from: number): Promise<readonly HashedChunk[]> {
    return this.#hashed.slice(from);
  }

  /** What is kept of a model from now on, whoever reads it, is known here. */
  readonly note = ({ url, ...kept }: KeptChunk): void => {
    const file = url.slice(url.lastIndexOf('/') + 1);
    const key = `${kept.chunk} ${kept.sha256} ${url}`;
    if (this.#known.has(key) || this.#hashed.length >= MAX_HASHED) return;
    this.#known.add(key);
    this.#hashed.push({ file, ...kept });
  };

  #shares(model: ModelSource): boolean {
    return this.#store !== null && model.kind === 'hub';
  }

  #model(model: ModelSource, origin: string) {
    return modelFiles(this.#open, this.#store, model, origin, { onKept: this.note });
  }

  #file(file: string): CachedSource {
    const found = this.#files.get(file);
    if (found === undefined) throw new SourceError(`${file} is not one of the model's files that are open.`);
    return found;
  }
}
