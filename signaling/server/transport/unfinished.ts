/**
 * What sockets have begun to say and not ended: bytes that are held for nobody, and that no limit on messages counts. WebSocket's own
 * pings are among them; no page sends any.
 */

/** Of one connection: a message that has not come to its end after so long ends its connection. */
export const UNFINISHED_MS = 15_000;
/** Of all connections of an address together, in bytes; beyond it those that hold most are ended. */
export const MAX_UNFINISHED_BYTES = 32 * 1024 * 1024;

/** Whoever calls looks for them so often. */
export const SWEEP_MS = 1000;

export interface Speaker {
  readonly address: string;
  /** All that was ever received on its socket. */
  bytesRead(): number;
  /** Ends it at once. */
  terminate(): void;
}

interface Begun {
  /** Received when it last came to an end. */
  finishedBytes: number;
  /** When it was first seen to have begun again; null while nothing is begun. */
  sinceMs: number | null;
}

export class UnfinishedMessages {
  readonly #speakers = new Map<Speaker, Begun>();

  add(speaker: Speaker): void {
    this.#speakers.set(speaker, { finishedBytes: speaker.bytesRead(), sinceMs: null });
  }

  remove(speaker: Speaker): void {
    this.#speakers.delete(speaker);
  }

  /** A whole message was heard. */
  finished(speaker: Speaker): void {
    const begun = this.#speakers.get(speaker);
    if (begun === undefined) return;
    begun.finishedBytes = speaker.bytesRead();
    begun.sinceMs = null;
  }

  /** Ends those that have held too much, or for too long; to be called every second or so. */
  sweep(nowMs: number): void {
    const byAddress = new Map<string, { readonly speaker: Speaker; readonly bytes: number }[]>();
    for (const [speaker, begun] of this.#speakers) {
      const bytes = speaker.bytesRead() - begun.finishedBytes;
      if (bytes <= 0) continue;
      begun.sinceMs ??= nowMs;
      if (nowMs - begun.sinceMs >= UNFINISHED_MS) {
        this.#end(speaker);
        continue;
      }
      const others = byAddress.get(speaker.address) ?? [];
      byAddress.set(speaker.address, others);
      others.push({ speaker, bytes });
    }
    for (const begun of byAddress.values()) {
      let sum = begun.reduce((bytes, one) => bytes + one.bytes, 0);
      if (sum <= MAX_UNFINISHED_BYTES) continue;
      begun.sort((a, b) => b.bytes - a.bytes);
      for (const { speaker, bytes } of begun) {
        if (sum <= MAX_UNFINISHED_BYTES) break;
        this.#end(speaker);
        sum -= bytes;
      }
    }
  }

  #end(speaker: Speaker): void {
    this.#speakers.delete(speaker);
    speaker.terminate();
  }
}
