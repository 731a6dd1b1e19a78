import {
  type DataMessage,
  encodeMessage,
  readMessage,
  type TensorSizes,
} from '../../../signaling/protocol/exchange/data-messages.ts';
import { decodeFrame, Reassembler, slices } from '../../../signaling/protocol/exchange/frames.ts';
import { Emitter } from '../world/emitter.ts';
import type { MessageLink, SendPace } from './message-link.ts';

/** Above this much unsent data the sender waits. A first burst of 256 KiB overflows common UDP receive buffers and stalls for seconds. */
const HIGH_WATER_BYTES = 128 * 1024;
const LOW_WATER_BYTES = 32 * 1024;
/** A paced sender may run ahead of its share by so much, so that timers need not be exact. */
const BURST_BYTES = 64 * 1024;
const PING_EVERY_MS = 1000;
/** `close` often does not fire when a tab dies, so silence counts. */
const SILENCE_MS = 7000;
/** Where there is another reason to believe that the peer is gone. */
const DOUBTFUL_SILENCE_MS = 2500;

/**
 * A MessageLink over one negotiated RTCDataChannel: slices with back-pressure and pacing on the way out, checksums and validation on
 * the way in. A peer that sends what does not validate loses its link, not the session.
 */
export class ChannelLink implements MessageLink {
  readonly #channel: RTCDataChannel;
  readonly #sizes: TensorSizes;
  readonly #message = new Emitter<DataMessage>();
  readonly #close = new Emitter<string>();
  readonly #reassembler = new Reassembler();
  readonly #heartbeat: ReturnType<typeof setInterval>;
  readonly onMessage = this.#message.on;
  readonly onClose = this.#close.on;
  #nextNumber = 1;
  #closed = false;
  #heardMs = performance.now();
  #bulk: Promise<void> = Promise.resolve();
  #silenceMs = SILENCE_MS;
  /** Bytes handed to the channel, for reports. */
  sentBytes = 0;

  /** The channel must be open. */
  constructor(channel: RTCDataChannel, sizes: TensorSizes) {
    this.#channel = channel;
    this.#sizes = sizes;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = LOW_WATER_BYTES;
    channel.addEventListener('message', (event: MessageEvent<unknown>) => this.#receive(event.data));
    channel.addEventListener('close', () => this.#end('The connection was closed.'));
    channel.addEventListener('error', () => this.#end('The connection broke.'));
    this.#heartbeat = setInterval(() => this.#beat(), PING_EVERY_MS);
  }

  send(message: DataMessage, pace: SendPace | null = null): Promise<void> {
    if (message.tensors.length === 0) {
      // Short messages overtake bulk ones: their single slice goes straight out.
      this.#put(message);
      return Promise.resolve();
    }
    const sent = this.#bulk.then(() => this.#sendSlices(message, pace));
    this.#bulk = sent.catch(() => undefined);
    return sent;
  }

  close(): void {
    this.#end('The connection was closed here.');
  }

  /** Whether the peer is known to have lost the server: then it is given up after a shorter silence. */
  doubt(doubtful: boolean): void {
    this.#silenceMs = doubtful ? DOUBTFUL_SILENCE_MS : SILENCE_MS;
  }

  #put(message: DataMessage): void {
    if (this.#closed) return;
    for (const slice of slices(encodeMessage(message), this.#nextNumber++)) this.#write(slice);
  }

  async #sendSlices(message: DataMessage, pace: SendPace | null): Promise<void> {
    const startMs = performance.now();
    let paced = -BURST_BYTES;
    for (const slice of slices(encodeMessage(message), this.#nextNumber++)) {
      if (this.#channel.bufferedAmount > HIGH_WATER_BYTES) await this.#drained();
      if (this.#closed) return;
      if (pace !== null) {
        paced += slice.length;
        const dueMs = startMs + (paced * 8 * 1000) / pace.bitsPerSecond;
        const waitMs = dueMs - performance.now();
        if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
      this.#write(slice);
    }
  }

  #write(slice: Uint8Array<ArrayBuffer>): void {
    if (this.#closed) return;
    try {
      this.#channel.send(slice);
      this.sentBytes += slice.length;
    } catch {
      this.#end('The connection broke while sending.');
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#channel.removeEventListener('bufferedamountlow', done);
        off();
        resolve();
      };
      const off = this.onClose(done);
      this.#channel.addEventListener('bufferedamountlow', done);
    });
  }

  #receive(data: unknown): void {
    if (this.#closed) return;
    this.#heardMs = performance.now();
    try {
      if (!(data instanceof ArrayBuffer)) throw new Error('A peer sent text where bytes belong.');
      const bytes = this.#reassembler.add(new Uint8Array(data));
      if (bytes === null) return;
      const message = readMessage(decodeFrame(bytes), this.#sizes);
      if (message.header.type === 'ping')
        this.#put({ header: { type: 'pong', sentMs: message.header.sentMs }, tensors: [] });
      else if (message.header.type !== 'pong') this.#message.emit(message);
    } catch (error) {
      this.#end(error instanceof Error ? error.message : 'A peer sent something unreadable.');
    }
  }

  #beat(): void {
    if (performance.now() - this.#heardMs > this.#silenceMs) this.#end('The other side stopped answering.');
    else this.#put({ header: { type: 'ping', sentMs: performance.now() }, tensors: [] });
  }

  #end(why: string): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#close.emit(why);
    this.#channel.close();
  }
}
