import type { StageHeader } from '../../../signaling/protocol/exchange/stage-messages.ts';

/** Passes are told of together: a small model has hundreds a second. */
const TOGETHER_MS = 50;
/** In one message. */
const MAX_TOGETHER = 256;

type Passes = StageHeader<'passed'>['passes'];

/** What the host is told of passes that have ended, a little later. */
export class PassReport {
  readonly #tell: (passes: Passes) => void;
  #ended: Passes = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(tell: (passes: Passes) => void) {
    this.#tell = tell;
  }

  add({ microBatch, direction, sinceSeconds, seconds, cameSeconds }: Passes[number]): void {
    const came = cameSeconds === undefined ? {} : { cameSeconds };
    this.#ended.push({ microBatch, direction, sinceSeconds, seconds, ...came });
    if (this.#ended.length >= MAX_TOGETHER) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), TOGETHER_MS);
  }

  flush(): void {
    this.stop();
    if (this.#ended.length > 0) this.#tell(this.#ended.splice(0));
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
