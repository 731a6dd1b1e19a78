import { MODEL_CHUNK_BYTES as CHUNK_BYTES } from '../../signaling/protocol/exchange/model-messages.ts';
import type { WeightStorage } from '../../signaling/protocol/settings.ts';
import { selfTest } from '../check/self-test.ts';
import type { ByteSource } from '../files/byte-source.ts';
import type { ChunkStore } from '../files/chunk-store.ts';
import type { OpenFile } from '../files/open-file.ts';
import { modelFileUrl } from '../model/model-files.ts';
import { modelFiles } from '../model/open-model.ts';
import { ENGINES, type EngineKind } from './engines.ts';

/** A larger model is fetched when a person has joined, not while they read. */
const MAX_WARM_BYTES = 32 * 2 ** 20;
const WEIGHTS = 'model.safetensors';

/**
 * What a device can have ready before anybody knows the session's settings: the engine that it would train with, tried, and the weights of
 * the model that comes with the page, held until they are loaded, since not every browser keeps what it fetched. What goes wrong here goes
 * wrong again when it is needed, and is told then.
 */
export class Warmth {
  readonly #open: OpenFile;
  readonly #store: ChunkStore | null;
  readonly #tests = new Map<string, Promise<void>>();
  #begun: Promise<unknown> | null = null;
  #held: { readonly url: string; readonly source: ByteSource } | null = null;

  constructor(open: OpenFile, store: ChunkStore | null) {
    this.#open = open;
    this.#store = store;
  }

  /** Once; `model` is the embedded model's name, or null. Settles when all is there. */
  async begin(model: string | null, origin: string): Promise<void> {
    this.#begun ??= Promise.all([
      model === null ? null : this.#fetch(model, origin).catch(() => undefined),
      this.#engine('f32'),
    ]);
    await this.#begun;
  }

  /** Opens what is held from here, all else where it lies. */
  readonly open: OpenFile = async (url) => {
    await this.#begun;
    return this.#held?.url === url ? this.#held.source : this.#open(url);
  };

  /** The model is loaded: nothing is held any more. */
  release(): void {
    this.#held = null;
  }

  /** A self-test of an engine, made once, whoever asks first. Rejects with what it got wrong. */
  readonly test = (kind: EngineKind, storage: WeightStorage): Promise<void> => {
    const key = `${kind.id} ${storage}`;
    const made = this.#tests.get(key) ?? selfTest(kind.create, storage);
    this.#tests.set(key, made);
    return made;
  };

  async #engine(storage: WeightStorage): Promise<void> {
    for (const kind of ENGINES) {
      if ((await kind.absent()) !== null || (await kind.slower()) !== '') continue;
      const works = await this.test(kind, storage).then(
        () => true,
        () => false,
      );
      if (works) return;
    }
  }

  async #fetch(model: string, origin: string): Promise<void> {
    const source = { kind: 'embedded', id: model } as const;
    const kept = await modelFiles(this.#open, this.#store, source, origin, { peek: true }).open(WEIGHTS);
    if (kept.size > MAX_WARM_BYTES || kept.keptBytes?.(0, kept.size) === kept.size) return;
    const url = modelFileUrl(source, origin, WEIGHTS);
    const file = await this.#open(url);
    const bytes = new Uint8Array(file.size);
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
      bytes.set(await file.read(at, Math.min(at + CHUNK_BYTES, bytes.length)), at);
    const read = async (start: number, end: number) => bytes.subarray(start, end);
    this.#held = { url, source: { size: bytes.length, etag: file.etag ?? null, read } };
  }
}
