import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import { chunkCount, MAX_SHARED_FILES } from '../../../signaling/protocol/exchange/model-messages.ts';
import { isFolder } from '../../../signaling/protocol/settings.ts';
import type { UnitRun } from '../../../signaling/protocol/split.ts';
import type { ChunkedFile, HashedChunk } from '../../../worker/api/chunks-api.ts';
import type { MessageLink } from '../links/message-link.ts';
import { AgreedHashes } from './agreed-hashes.ts';
import { AskedChunks, type WholeChunk } from './asked-chunks.ts';
import { besideHost, type ChunkSource, nextAsk, offsetOf } from './choose-chunk.ts';
import { ChunkGiving } from './chunk-giving.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { FetchedElsewhere } from './fetched-elsewhere.ts';
import { gatherFolder } from './gather-folder.ts';
import { HubPatience } from './hub-patience.ts';
import { KeptHere } from './kept-here.ts';
import {
  type ChunkPlace,
  hashMessages,
  hashOf,
  heldChunks,
  hexToHash,
  isKnown,
  learned,
  type Manifest,
  placeKey,
  without,
} from './manifest.ts';
import { uploadPace } from './upload-pace.ts';
import { Waiting } from './waiting.ts';

const LOOK_EVERY_MS = 500;
/** Tries of the hub that fail in a row before the rest is left to whoever opens the model, and says what is wrong. */
const MAX_HUB_FAILURES = 3;

/**
 * The model's files between a device and those that it has links to: it asks for chunks that it needs, gives those that it has, and takes what
 * hashes to what the host said. Only the host is heard on that. Whoever sent something else is asked for nothing any more.
 */
export class ModelExchange {
  readonly #context: ExchangeContext;
  /** Links to others, and what each says that it has. */
  readonly #others = new Map<string, { readonly link: MessageLink; readonly held: Map<string, ReadonlySet<number>> }>();
  readonly #here = new KeptHere();
  readonly #asked = new AskedChunks();
  /** Came whole, and are being looked at. */
  readonly #keeping = new Set<string>();
  readonly #distrusted = new Set<string>();
  readonly #agreed = new AgreedHashes();
  readonly #giving: ChunkGiving;
  readonly #waiting = new Waiting();
  readonly #elsewhere = new FetchedElsewhere();
  readonly #patience = new HubPatience();
  #manifest: Manifest = new Map();
  /** Chunks that the worker has told of. */
  #told = 0;
  #telling: Promise<void> = Promise.resolve();
  #fetching: ChunkPlace | null = null;
  #hubFailures = 0;
  #besideFetched = 0;
  #over = false;
  /** Bytes that are to be brought here, and are. */
  progress = { done: 0, total: 1 };
  /** Bytes that others gave. */
  takenBytes = 0;

  constructor(context: ExchangeContext) {
    this.#context = context;
    const { chunks, room, self } = context;
    this.#giving = new ChunkGiving({
      read: ({ file, chunk }) => (this.#here.has({ file, chunk }) ? chunks.read(file, chunk) : Promise.resolve(null)),
      send: async (device, message, pace = null) => this.#others.get(device)?.link.send(message, pace),
      pace: () => uploadPace(room(), self, this.#others.size),
      modelBytes: () => this.#here.modelBytes,
    });
  }

  /** Bytes that this device gave to others. */
  get givenBytes(): number {
    return this.#giving.givenBytes;
  }

  /** A link to the host, to a neighbour, or of the host to a device; both ends know each other. */
  attach(device: string, link: MessageLink): void {
    if (this.#over || !this.#isShared) return;
    this.#others.set(device, { link, held: new Map() });
    const isCurrent = () => this.#others.get(device)?.link === link;
    link.onMessage((message) => {
      if (isCurrent()) this.#hear(device, message);
    });
    link.onClose(() => {
      if (!isCurrent()) return;
      this.#others.delete(device);
      this.#asked.giveUp(device);
      this.#giving.gone(device);
      this.#elsewhere.gone(device);
      this.#waiting.wake();
    });
    if (this.#isHost) for (const message of hashMessages(this.#manifest)) void link.send(message);
    for (const file of this.#here.files) void link.send(this.#here.message(file));
    void this.look();
    this.#waiting.wake();
  }

  /** The worker may have read more of the model's files. */
  look(): Promise<void> {
    if (!this.#isShared) return Promise.resolve();
    this.#telling = this.#telling.then(() => this.#tell()).catch(() => undefined);
    return this.#telling;
  }

  /** Brings onto this device what a run needs of the model's files, as far as it can; whoever loads it then fetches the rest. */
  async gather(run: UnitRun): Promise<void> {
    const { chunks, settings, origin } = this.#context;
    if (this.#over || !this.#isShared) return;
    if (this.#hasNoHub) return this.#gatherFolder(run);
    const files = await chunks.open({ model: settings.model, origin });
    if (files === null) return;
    this.#learnFiles(files);
    // The host loads it from the beginning on, and tells of it as it comes.
    if (this.#isHost) return;
    this.#patience.begin(performance.now(), this.takenBytes);
    await this.#bring(files.map(({ file }) => ({ file, chunk: 0 })));
    if (this.#over) return;
    await this.#bring(await chunks.wanted({ settings, origin, run }));
  }

  async #gatherFolder(run: UnitRun): Promise<void> {
    const { chunks, settings, origin } = this.#context;
    const model = { model: settings.model, origin };
    // Who has the folder, or had all of it before, needs nobody.
    this.#learnFiles((await chunks.open(model).catch(() => null)) ?? []);
    return gatherFolder({
      isOver: () => this.#over || this.#isHost,
      told: () => [...this.#manifest.keys()],
      announce: async () => {
        const told = [...this.#manifest].map(([file, { bytes }]) => ({ file, bytes }));
        const files = await chunks.announce({ ...model, files: told });
        this.#learnFiles(files ?? []);
        return files !== null;
      },
      chunksOf: (file) => [...(this.#manifest.get(file)?.hashes.keys() ?? [])].map((chunk) => ({ file, chunk })),
      bring: (places) => this.#bring(places),
      wanted: () => chunks.wanted({ settings, origin, run }),
      news: () => this.#waiting.until(LOOK_EVERY_MS),
    });
  }

  #learnFiles(files: readonly ChunkedFile[]): void {
    for (const file of files) {
      this.#here.learn(file);
      this.#sendAll(this.#here.message(file.file));
    }
  }

  close(): void {
    this.#over = true;
    this.#asked.clear();
    this.#waiting.wake();
  }

  /** What comes with the page, everybody has from there. */
  get #isShared(): boolean {
    return this.#context.settings.model.kind === 'hub';
  }

  get #hasNoHub(): boolean {
    return isFolder(this.#context.settings.model);
  }

  get #isHost(): boolean {
    return this.#context.isHost();
  }

  async #bring(places: readonly ChunkPlace[]): Promise<void> {
    const { room, settings } = this.#context;
    this.#hubFailures = 0;
    this.#besideFetched = 0;
    const isSplit = settings.policy === 'split';
    const offset = offsetOf(this.#context.self);
    while (!this.#over && this.#hubFailures < MAX_HUB_FAILURES) {
      const left = places.filter((place) => !this.#here.has(place));
      this.progress = {
        done: this.#here.bytesOf(places) - this.#here.bytesOf(left),
        total: this.#here.bytesOf(places),
      };
      if (left.length === 0) return;
      const nowMs = performance.now();
      for (const device of this.#asked.silent(nowMs)) this.#setAside(device);
      const isImpatient = this.#patience.isOver({
        ...{ nowMs, bytesLeft: this.#here.bytesOf(left), takenBytes: this.takenBytes },
        ...{ room: room(), links: this.#others.size },
      });
      const ask = nextAsk({
        missing: left
          .filter((place) => !this.#isComing(place))
          .map((place) => ({
            ...place,
            isKnown: isKnown(this.#manifest, place, this.#here.sizeOf(place.file)),
            // Where no host vouches for it, two have to fetch it before it counts.
            isFetched: !isSplit && this.#elsewhere.has(place, nowMs),
          })),
        sources: this.#sources(),
        hub: {
          isFree: this.#fetching === null && !this.#hasNoHub,
          // In a split room nobody else may need the same.
          isNeeded: isSplit || isImpatient,
          // Devices that have come since take their share of it.
          beside: besideHost(places.length, (room()?.devices.length ?? 1) - 1) - this.#besideFetched,
        },
        offset,
      });
      if (ask === null) {
        await this.#waiting.until(LOOK_EVERY_MS);
        // Who hears it looks whether there is more: the last chunk may be kept after the model was loaded.
        const host = this.#others.get(room()?.host ?? '');
        if (performance.now() - nowMs >= LOOK_EVERY_MS) void host?.link.send(this.#here.message(left[0]!.file));
      } else if (ask.from === 'hub') void this.#fetch(ask.place);
      else this.#askFor(ask.from.device, ask.place, nowMs);
    }
  }

  #sources(): readonly ChunkSource[] {
    const host = this.#context.room()?.host;
    const trusted = [...this.#others].filter(([device]) => !this.#distrusted.has(device));
    return trusted.map(([device, { held }]) => ({
      ...{ device, isHost: device === host, asked: this.#asked.countOf(device) },
      holds: ({ file, chunk }) => held.get(file)?.has(chunk) === true,
    }));
  }

  #askFor(device: string, place: ChunkPlace, nowMs: number): void {
    this.#asked.ask(device, place, this.#here.sizeOf(place.file), nowMs);
    void this.#others.get(device)?.link.send({ header: { type: 'model-wanted', ...place }, tensors: [] });
  }

  async #fetch(place: ChunkPlace): Promise<void> {
    this.#fetching = place;
    this.#besideFetched++;
    this.#sendAll({ header: { type: 'model-fetching', ...place }, tensors: [] });
    try {
      await this.#context.chunks.fetch(place.file, place.chunk);
      this.#hubFailures = 0;
      await this.look();
    } catch {
      this.#hubFailures++;
    } finally {
      this.#fetching = null;
      this.#waiting.wake();
    }
  }

  /** It is asked for nothing more in this session. */
  #setAside(device: string): void {
    this.#distrusted.add(device);
    this.#asked.giveUp(device);
  }

  #hear(device: string, { header, tensors }: DataMessage): void {
    switch (header.type) {
      case 'model-hashes':
        if (device === this.#context.room()?.host && tensors[0] instanceof Uint8Array)
          this.#manifest = learned(this.#manifest, header, tensors[0]);
        break;
      case 'model-held': {
        const held = this.#others.get(device)?.held;
        if (held !== undefined && (held.has(header.file) || held.size < MAX_SHARED_FILES))
          held.set(header.file, heldChunks(header.held));
        if (this.#isHost) void this.look();
        break;
      }
      case 'model-wanted':
        this.#giving.wanted(device, header);
        return;
      case 'model-lacking': {
        const held = this.#others.get(device)?.held;
        this.#asked.giveUp(device, header);
        held?.set(header.file, without(held.get(header.file), header.chunk));
        break;
      }
      case 'model-piece': {
        const whole = this.#asked.take(device, { header, tensors }, performance.now());
        this.#patience.news(performance.now());
        if (whole !== null) void this.#keep(whole);
        return;
      }
      case 'model-fetched': {
        const { file, chunk, bytes, sha256 } = header;
        if (!this.#isHost || chunk >= chunkCount(bytes) || hashOf(this.#manifest, header) !== null) return;
        if (this.#agreed.says(device, { file, chunk }, `${sha256} ${bytes}`))
          this.#learnAndTell({ file, chunk, bytes, sha256 });
        return;
      }
      case 'model-fetching':
        this.#elsewhere.says(device, header, performance.now());
        return;
      default:
        return;
    }
    this.#patience.news(performance.now());
    this.#waiting.wake();
  }

  #learnAndTell({ file, chunk, bytes, sha256 }: Omit<HashedChunk, 'isGiven'>): void {
    const header = { type: 'model-hashes' as const, file, bytes, first: chunk };
    const hash = hexToHash(sha256);
    this.#manifest = learned(this.#manifest, header, hash);
    if (hashOf(this.#manifest, { file, chunk }) === sha256) this.#sendAll({ header, tensors: [hash] });
  }

  #isComing(place: ChunkPlace): boolean {
    const key = placeKey(place);
    const fetched = this.#fetching && placeKey(this.#fetching);
    return this.#asked.has(place) || this.#keeping.has(key) || key === fetched;
  }

  async #keep({ place, device, bytes }: WholeChunk): Promise<void> {
    const { file, chunk } = place;
    this.#keeping.add(placeKey(place));
    const expected = hashOf(this.#manifest, place);
    const { length } = bytes;
    try {
      if (expected === null) return;
      if (await this.#context.chunks.keep(file, chunk, bytes, expected)) {
        this.takenBytes += length;
        await this.look();
      } else this.#setAside(device);
    } catch {
      // No room here: whoever loads the model says so.
      this.#hubFailures = MAX_HUB_FAILURES;
    } finally {
      this.#keeping.delete(placeKey(place));
      this.#waiting.wake();
    }
  }

  async #tell(): Promise<void> {
    const news = await this.#context.chunks.hashed(this.#told);
    this.#told += news.length;
    const { host } = this.#context.room() ?? { host: null };
    for (const hashed of news) {
      const { file, chunk, bytes, sha256, isGiven } = hashed;
      this.#here.learn({ file, bytes, held: [chunk] });
      if (this.#isHost) this.#learnAndTell(hashed);
      else if (host !== null && !isGiven && hashOf(this.#manifest, hashed) === null)
        void this.#others
          .get(host)
          ?.link.send({ header: { type: 'model-fetched', file, chunk, bytes, sha256 }, tensors: [] });
    }
    for (const file of new Set(news.map((hashed) => hashed.file))) this.#sendAll(this.#here.message(file));
  }

  #sendAll(message: DataMessage<'model-hashes' | 'model-held' | 'model-fetching'>): void {
    for (const { link } of this.#others.values()) void link.send(message);
  }
}
