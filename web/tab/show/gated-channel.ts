import type { LinkChannel } from '../../session/links/channel-link.ts';
import type { Way } from './way.ts';

/** What a slow way may take at once. */
const BURST_SECONDS = 0.02;
/** A timer of a page is no finer. */
const LEAST_WAIT_MS = 4;

type MessageListener = (event: MessageEvent<unknown>) => void;

/** A data channel over a way that may be slow, or held. What waits counts as unsent, so that whoever sends waits as on a slow network. */
export class GatedChannel implements LinkChannel {
  readonly #channel: LinkChannel;
  readonly #way: Way;
  readonly #out: Uint8Array<ArrayBuffer>[] = [];
  readonly #in: (() => void)[] = [];
  readonly #low = new Set<() => void>();
  #outBytes = 0;
  bufferedAmountLowThreshold = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Bytes that the way has taken ahead of time, at `#atMs`. */
  #aheadBytes = 0;
  #atMs = performance.now();

  constructor(channel: LinkChannel, way: Way) {
    this.#channel = channel;
    this.#way = way;
    const off = way.onOpened(() => this.#opened());
    channel.addEventListener('close', () => {
      off();
      clearTimeout(this.#timer);
    });
    channel.addEventListener('bufferedamountlow', () => this.#told());
  }

  get binaryType(): BinaryType {
    return this.#channel.binaryType;
  }

  set binaryType(type: BinaryType) {
    this.#channel.binaryType = type;
  }

  get readyState(): RTCDataChannelState {
    return this.#channel.readyState;
  }

  get bufferedAmount(): number {
    return this.#outBytes + this.#channel.bufferedAmount;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#out.push(bytes);
    this.#outBytes += bytes.length;
    this.#pump();
  }

  close(): void {
    // Who is cut off cannot say that it goes.
    if (!this.#way.isCut) this.#channel.close();
  }

  addEventListener(type: 'message', listener: MessageListener): void;
  addEventListener(type: 'open' | 'close' | 'error' | 'bufferedamountlow', listener: () => void): void;
  addEventListener(type: string, listener: MessageListener | (() => void)): void {
    if (type === 'bufferedamountlow') this.#low.add(listener as () => void);
    else if (type === 'message') this.#channel.addEventListener('message', (event) => this.#hear(listener, event));
    else this.#channel.addEventListener(type as 'open', listener as () => void);
  }

  removeEventListener(_type: 'bufferedamountlow', listener: () => void): void {
    this.#low.delete(listener);
  }

  #hear(listener: MessageListener, event: MessageEvent<unknown>): void {
    if (this.#way.held || this.#in.length > 0) this.#in.push(() => listener(event));
    else listener(event);
  }

  #opened(): void {
    while (!this.#way.held) {
      const next = this.#in.shift();
      if (next === undefined) break;
      next();
    }
    this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    const { bitsPerSecond } = this.#way;
    const nowMs = performance.now();
    this.#aheadBytes = Math.max(0, this.#aheadBytes - ((nowMs - this.#atMs) * bitsPerSecond) / 8000);
    this.#atMs = nowMs;
    if (!Number.isFinite(bitsPerSecond)) this.#aheadBytes = 0;
    const burst = (bitsPerSecond * BURST_SECONDS) / 8;
    while (this.#out.length > 0 && !this.#way.held && this.#aheadBytes <= burst) {
      const bytes = this.#out.shift()!;
      this.#outBytes -= bytes.length;
      if (Number.isFinite(bitsPerSecond)) this.#aheadBytes += bytes.length;
      try {
        this.#channel.send(bytes);
      } catch {
        // It closed meanwhile; whoever sends is told by its own `close`.
        this.#out.length = 0;
        this.#outBytes = 0;
      }
    }
    if (this.#out.length > 0 && !this.#way.held) {
      const waitMs = (8000 * (this.#aheadBytes - burst)) / bitsPerSecond;
      this.#timer = setTimeout(() => this.#pump(), Math.max(LEAST_WAIT_MS, waitMs));
    }
    this.#told();
  }

  #told(): void {
    if (this.bufferedAmount > this.bufferedAmountLowThreshold) return;
    for (const listener of [...this.#low]) listener();
  }
}
