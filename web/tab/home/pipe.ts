import { CLOSED, OPEN, StandIn } from '../../session/transport/control-socket.ts';

/** What a home does with what comes over a pipe. */
export interface PipeEnd {
  text(text: string): void;
  /** Once, however it ended. */
  closed(): void;
}

/** What lies on a pipe's way: nothing passes it while it is held, and nothing is lost. */
export interface Valve {
  readonly held: boolean;
  /** Called each time that it is opened again. */
  onOpened(listener: () => void): () => void;
}

export const OPEN_VALVE: Valve = { held: false, onOpened: () => () => undefined };

/**
 * A connection to a home in the same page, of a WebSocket's shape. Texts arrive in later microtasks, in their order, so that neither side is
 * called from within itself; a page in the background has those when it has few timers.
 */
export class Pipe extends StandIn {
  readonly #valve: Valve;
  readonly #waiting: (() => void)[] = [];
  readonly #off: () => void;
  #end: PipeEnd | null = null;
  #scheduled = false;
  /** Characters on their way to this side. */
  unread = 0;

  constructor(valve: Valve) {
    super();
    this.#valve = valve;
    this.#off = valve.onOpened(() => this.#soon());
  }

  /** Who listens from now on at the other end; then the pipe is open. */
  connect(meet: () => PipeEnd): void {
    this.#later(() => {
      if (this.readyState === CLOSED) return;
      this.opened();
      this.#end = meet();
    });
  }

  send(text: string): void {
    if (this.readyState === OPEN) this.#later(() => this.#end?.text(text));
  }

  /** A text from the home. */
  deliver(text: string): void {
    this.unread += text.length;
    this.#later(() => {
      this.unread -= text.length;
      this.heard(text);
    });
  }

  /** Closed by the home, after all that it said. */
  hangUp(): void {
    this.#later(() => this.close());
  }

  close(): void {
    if (this.readyState === CLOSED) return;
    this.#off();
    const end = this.#end;
    this.#end = null;
    queueMicrotask(() => {
      end?.closed();
      this.lost();
    });
  }

  #later(act: () => void): void {
    this.#waiting.push(act);
    this.#soon();
  }

  #soon(): void {
    if (this.#scheduled || this.#valve.held || this.#waiting.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.#valve.held) return;
      this.#waiting.shift()?.();
      this.#soon();
    });
  }
}
