import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import { MODEL_PIECE_BYTES } from '../../../signaling/protocol/exchange/model-messages.ts';
import type { SendPace } from '../links/message-link.ts';
import { MAX_ASKED } from './choose-chunk.ts';
import type { ChunkPlace } from './manifest.ts';

/** Chunks that are in memory at once to be sent, whoever asked for them. */
const MAX_GIVING = 8;
/** Bytes that one device is given in a session, as multiples of the model's: it may have lost what it had. */
const MAX_TIMES = 4;

export type SendModel = (
  device: string,
  message: DataMessage<
    'model-hashes' | 'model-held' | 'model-wanted' | 'model-piece' | 'model-lacking' | 'model-fetched'
  >,
  pace?: SendPace | null,
) => Promise<void>;

interface GivingContext {
  /** A chunk that this device has; null where it has not. */
  readonly read: (place: ChunkPlace) => Promise<Uint8Array | null>;
  readonly send: SendModel;
  /** Null for all that the link takes. */
  readonly pace: () => SendPace | null;
  /** Of all files of the model. */
  readonly modelBytes: () => number;
}

interface Taker {
  readonly waiting: ChunkPlace[];
  isBusy: boolean;
  givenBytes: number;
}

/** Gives chunks to devices that ask for them: one after the other to each, a piece at a time, so that whatever is more urgent gets in between. */
export class ChunkGiving {
  readonly #context: GivingContext;
  readonly #takers = new Map<string, Taker>();
  #giving = 0;
  /** Bytes that were sent. */
  givenBytes = 0;

  constructor(context: GivingContext) {
    this.#context = context;
  }

  wanted(device: string, { file, chunk }: ChunkPlace): void {
    const place = { file, chunk };
    const taker = this.#takers.get(device) ?? { waiting: [], isBusy: false, givenBytes: 0 };
    this.#takers.set(device, taker);
    const isTooMuch = taker.givenBytes > MAX_TIMES * this.#context.modelBytes();
    if (isTooMuch || taker.waiting.length >= MAX_ASKED) this.#lacks(device, place);
    else taker.waiting.push(place);
    this.#next();
  }

  /** Its link is gone. What it was given counts on. */
  gone(device: string): void {
    this.#takers.get(device)?.waiting.splice(0);
  }

  #next(): void {
    for (const [device, taker] of this.#takers) {
      if (this.#giving >= MAX_GIVING) return;
      const place = taker.isBusy ? undefined : taker.waiting.shift();
      if (place === undefined) continue;
      taker.isBusy = true;
      this.#giving++;
      this.#give(device, taker, place)
        .catch(() => this.#lacks(device, place))
        .finally(() => {
          taker.isBusy = false;
          this.#giving--;
          this.#next();
        });
    }
  }

  async #give(device: string, taker: Taker, place: ChunkPlace): Promise<void> {
    const { read, send, pace } = this.#context;
    const bytes = await read(place);
    if (bytes === null) return this.#lacks(device, place);
    for (let offset = 0; offset < bytes.length; offset += MODEL_PIECE_BYTES) {
      const piece = bytes.subarray(offset, offset + MODEL_PIECE_BYTES);
      taker.givenBytes += piece.length;
      this.givenBytes += piece.length;
      await send(device, { header: { type: 'model-piece', ...place, offset }, tensors: [piece] }, pace());
    }
  }

  #lacks(device: string, { file, chunk }: ChunkPlace): void {
    void this.#context.send(device, { header: { type: 'model-lacking', file, chunk }, tensors: [] });
  }
}
