import type { LinkChannel } from '../../web/session/links/channel-link.ts';

/** One end of a channel whose rate and delay are known. It runs on timers, so a fake clock drives it. */
export class FakeChannel implements LinkChannel {
  binaryType: BinaryType = 'blob';
  bufferedAmountLowThreshold = 0;
  bufferedAmount = 0;
  /** Sizes of the slices that were sent, in order. */
  readonly sentBytes: number[] = [];
  /** While it is stuck nothing drains; what was sent before still arrives. */
  stuck = false;
  peer: FakeChannel | null = null;
  open = true;
  get readyState(): RTCDataChannelState {
    return this.open ? 'open' : 'closed';
  }
  readonly #bitsPerSecond: number;
  readonly #delayMs: number;
  readonly #listeners = new Map<string, Set<(event: MessageEvent<unknown>) => void>>();
  #freeMs = 0;

  constructor(bitsPerSecond: number, delayMs: number) {
    this.#bitsPerSecond = bitsPerSecond;
    this.#delayMs = delayMs;
  }

  addEventListener(type: string, listener: (event: MessageEvent<unknown>) => void): void {
    const of = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, of.add(listener));
  }

  removeEventListener(type: string, listener: (event: MessageEvent<unknown>) => void): void {
    this.#listeners.get(type)?.delete(listener);
  }

  fire(type: string, data: unknown = null): void {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) listener(new MessageEvent(type, { data }));
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.open) throw new Error('InvalidStateError');
    this.sentBytes.push(bytes.length);
    this.bufferedAmount += bytes.length;
    if (this.stuck) return;
    this.#freeMs = Math.max(this.#freeMs, performance.now()) + (bytes.length * 8000) / this.#bitsPerSecond;
    const copy = bytes.slice();
    setTimeout(() => {
      this.drain(copy.length);
      setTimeout(() => this.peer?.open && this.peer.fire('message', copy.buffer), this.#delayMs);
    }, this.#freeMs - performance.now());
  }

  /** The network took so many bytes. */
  drain(bytes: number): void {
    const before = this.bufferedAmount;
    this.bufferedAmount -= bytes;
    const threshold = this.bufferedAmountLowThreshold;
    if (before > threshold && this.bufferedAmount <= threshold) this.fire('bufferedamountlow');
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.fire('close');
    this.peer?.close();
  }
}

export function fakeChannels(bitsPerSecond = 1e9, delayMs = 1): [FakeChannel, FakeChannel] {
  const [a, b] = [new FakeChannel(bitsPerSecond, delayMs), new FakeChannel(bitsPerSecond, delayMs)];
  a.peer = b;
  b.peer = a;
  return [a, b];
}
