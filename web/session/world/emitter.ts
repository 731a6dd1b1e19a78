export type Listeners<T> = (listener: (value: T) => void) => () => void;

export class Emitter<T> {
  readonly #listeners = new Set<(value: T) => void>();
  readonly on: Listeners<T> = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  emit(value: T): void {
    for (const listener of [...this.#listeners]) listener(value);
  }
}
