import { Emitter, type Listeners } from './emitter.ts';

/** How something ends: once, with a sentence. Who asks too late is told all the same, so that nobody waits for an end that has been. */
export class Ending {
  readonly #emitter = new Emitter<string>();
  #why: string | null = null;

  /** Null while it lasts. */
  get why(): string | null {
    return this.#why;
  }

  /** False when it had ended before. */
  end(why: string): boolean {
    if (this.#why !== null) return false;
    this.#why = why;
    this.#emitter.emit(why);
    return true;
  }

  readonly on: Listeners<string> = (listener) => {
    const why = this.#why;
    if (why === null) return this.#emitter.on(listener);
    let wanted = true;
    queueMicrotask(() => {
      if (wanted) listener(why);
    });
    return () => {
      wanted = false;
    };
  };
}

/**
 * What `work` comes to, or a rejection as soon as what it belongs to ends: a closed link answers nobody, and a worker that was
 * terminated settles no promise.
 */
export function whileOpen<T>(onEnd: Listeners<string>, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const off = onEnd((why) => reject(new Error(why)));
    work.then(resolve, reject).finally(off);
  });
}

/** Settles as `work` does, or after `limitMs`, whichever comes first; no timer is left behind. */
export function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
