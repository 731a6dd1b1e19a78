import type { Transfer } from '../../signaling/protocol/room-view.ts';

/** The rate is that of the last seconds. */
const WINDOW_SECONDS = 4;
/** Before that a rate would be mostly chance. */
const FIRST_SECONDS = 0.5;
/** Of fewer bytes the rate is that of answers' beginnings. */
const LEAST_BYTES = 1e6;

/** Bytes that have come of a download, how fast of late, and when the rest will be here. Times are in seconds, of any clock. */
export class TransferMeter {
  readonly #totalBytes: number;
  #bytes = 0;
  #beganSeconds: number;
  #lastSeconds: number;
  /** When there were how many bytes: the first from before the window, then ever later. */
  #marks: { readonly seconds: number; readonly bytes: number }[];

  constructor(totalBytes: number, seconds: number) {
    this.#totalBytes = totalBytes;
    this.#beganSeconds = seconds;
    this.#lastSeconds = seconds;
    this.#marks = [{ seconds, bytes: 0 }];
  }

  add(bytes: number, seconds: number): void {
    // An engine that fails gives the model to the next one, which reads it from the start.
    if (this.#bytes + bytes > this.#totalBytes) {
      this.#bytes = 0;
      this.#beganSeconds = this.#lastSeconds;
      this.#marks = [{ seconds, bytes: 0 }];
    }
    this.#bytes += bytes;
    this.#lastSeconds = seconds;
    this.#marks.push({ seconds, bytes: this.#bytes });
    while (this.#marks.length > 2 && this.#marks[1]!.seconds < seconds - WINDOW_SECONDS) this.#marks.shift();
  }

  /** From the first byte to the last that has come; null where that was too little to tell a rate by. */
  get bitsPerSecond(): number | null {
    const elapsed = this.#lastSeconds - this.#beganSeconds;
    return this.#bytes < LEAST_BYTES || elapsed <= 0 ? null : (8 * this.#bytes) / elapsed;
  }

  at(seconds: number): Transfer {
    const from = this.#marks.find((mark) => mark.seconds >= seconds - WINDOW_SECONDS) ?? this.#marks.at(-1)!;
    const elapsed = seconds - from.seconds;
    const bytesPerSecond = elapsed > 0 ? (this.#bytes - from.bytes) / elapsed : 0;
    const left = this.#totalBytes - this.#bytes;
    const told = elapsed >= FIRST_SECONDS && bytesPerSecond > 0;
    return {
      bytes: this.#bytes,
      totalBytes: this.#totalBytes,
      bytesPerSecond,
      secondsLeft: left === 0 ? 0 : told ? left / bytesPerSecond : null,
    };
  }
}
