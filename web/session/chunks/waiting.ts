import { Emitter } from '../world/emitter.ts';

/** Until something is new, or for so long. */
export class Waiting {
  readonly #news = new Emitter<void>();

  wake(): void {
    this.#news.emit();
  }

  until(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        off();
        resolve();
      };
      const timer = setTimeout(settle, ms);
      const off = this.#news.on(settle);
    });
  }
}
