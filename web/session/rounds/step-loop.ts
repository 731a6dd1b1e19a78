import type { Step } from '../../../signaling/protocol/round.ts';

/**
 * Runs a step: takes events one at a time and hands the effects of each to `perform`. An event that an effect brings about, such as a
 * link that breaks while it is written to, waits for its turn.
 */
export class StepLoop<State, Event, Effect> {
  readonly #step: Step<State, Event, Effect>;
  readonly #perform: (effect: Effect) => void;
  readonly #events: Event[] = [];
  #state: State;
  #busy = false;
  #stopped = false;

  constructor(step: Step<State, Event, Effect>, state: State, perform: (effect: Effect) => void) {
    this.#step = step;
    this.#state = state;
    this.#perform = perform;
  }

  get state(): State {
    return this.#state;
  }

  /** Performs what belongs to the first state. */
  begin(effects: readonly Effect[]): void {
    this.#run(effects);
  }

  take(event: Event): void {
    if (this.#stopped) return;
    this.#events.push(event);
    if (!this.#busy) this.#run([]);
  }

  /** No further event is taken, no further effect performed. */
  stop(): void {
    this.#stopped = true;
  }

  #run(first: readonly Effect[]): void {
    this.#busy = true;
    try {
      this.#performAll(first);
      for (let event = this.#events.shift(); event !== undefined && !this.#stopped; event = this.#events.shift()) {
        const { state, effects } = this.#step(this.#state, event);
        this.#state = state;
        this.#performAll(effects);
      }
    } finally {
      this.#busy = false;
    }
  }

  #performAll(effects: readonly Effect[]): void {
    for (const effect of effects) if (!this.#stopped) this.#perform(effect);
  }
}
