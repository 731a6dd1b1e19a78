/** What can be at work on a device, and must leave it to others. */
interface Worker {
  leave(): void;
}

/**
 * Whose work is on the device. Operations of several passes may follow each other in any order: one that comes after another pass's
 * brings its own tables, and ends what that pass has in the two places that hidden states have.
 */
export class AtWork {
  #pass: Worker | null = null;
  /** An operation that is pulled piece by piece has begun and not ended. */
  #pulled = false;

  get pass(): Worker | null {
    return this.#pass;
  }

  set(pass: Worker | null): void {
    if (this.#pulled)
      throw new Error('Another pass is on its way backward: pull it to its end, or dispose of it, first.');
    if (this.#pass !== pass) this.#pass?.leave();
    this.#pass = pass;
  }

  pull(on: boolean): void {
    this.#pulled = on;
  }

  /** Nothing of this pass is at work any more. */
  end(pass: Worker): void {
    if (this.#pass !== pass) return;
    this.#pass = null;
    this.#pulled = false;
  }
}
