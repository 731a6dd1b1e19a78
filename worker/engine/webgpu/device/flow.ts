/** How much may be handed to a graphics process that takes more badly. */
export interface FlowLimits {
  /** In one submission. */
  readonly dispatches: number;
  /** Handed over and not yet done. */
  readonly submissions: number;
}

/** Read, not measured on a phone: WebKit bug 311598, where many commands under way end the graphics process of iOS 26. */
const WEBKIT: FlowLimits = { dispatches: 64, submissions: 2 };

/**
 * What a browser of this name takes at a time; null for as much as there is. Every browser of iOS is WebKit, and a worker of an iPad does not
 * know itself from one of a Mac: both are spared.
 */
export const flowLimitsOf = (userAgent: string): FlowLimits | null =>
  /AppleWebKit\//.test(userAgent) && !/Chrome\//.test(userAgent) ? WEBKIT : null;

/** Node has no navigator before version 21. */
export const ownFlowLimits = (): FlowLimits | null =>
  'navigator' in globalThis ? flowLimitsOf(navigator.userAgent ?? '') : null;

/** Counts what goes to a device's queue, and lets who hands it over wait until there is room. */
export class Flow {
  readonly #limits: FlowLimits | null;
  readonly #done: () => Promise<unknown>;
  #dispatches = 0;
  /** Each settles when the device is done with it, well or not; in the order in which they were submitted. */
  readonly #underWay: Promise<void>[] = [];

  /** `done` settles when what was submitted so far is done. */
  constructor(limits: FlowLimits | null, done: () => Promise<unknown>) {
    this.#limits = limits;
    this.#done = done;
  }

  /** One more dispatch was recorded; true where the submission is full. */
  dispatched(): boolean {
    return this.#limits !== null && ++this.#dispatches >= this.#limits.dispatches;
  }

  submitted(): void {
    this.#dispatches = 0;
    if (this.#limits === null) return;
    const done = this.#done().then(
      () => undefined,
      () => undefined,
    );
    this.#underWay.push(done);
    void done.then(() => this.#underWay.splice(this.#underWay.indexOf(done), 1));
  }

  get isFull(): boolean {
    return this.#limits !== null && this.#underWay.length >= this.#limits.submissions;
  }

  /** Settles when something more may be submitted. */
  async room(): Promise<void> {
    while (this.isFull) await this.#underWay[0];
  }
}
