import { Emitter } from '../../session/world/emitter.ts';
import type { Valve } from '../home/pipe.ts';

/** What lies between a device of this page and all others: how fast it is, and whether anything gets through. */
export class Way implements Valve {
  readonly #opened = new Emitter<void>();
  readonly #cut = new Emitter<void>();
  readonly onOpened = this.#opened.on;
  readonly onCut = this.#cut.on;
  #held = false;
  #isCut = false;
  /** Of what this side sends; Infinity is as fast as the computer allows. */
  bitsPerSecond = Number.POSITIVE_INFINITY;

  get held(): boolean {
    return this.#held || this.#isCut;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** As of a phone that sleeps: nothing passes, either way, and nothing is lost. */
  hold(held: boolean): void {
    this.#held = held;
    if (!this.held) this.#opened.emit();
  }

  /** For good: whoever was connected is not told. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#cut.emit();
  }
}
