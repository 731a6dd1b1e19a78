import { type Conditions, Fates } from './conditions.ts';

/** Datagrams that came to it; of these, how many arrived, were lost by chance or for want of room, and met a cut. */
export interface Counts {
  readonly came: number;
  readonly arrived: number;
  readonly lost: number;
  readonly cut: number;
  readonly bytes: number;
}

/** Timers are no finer. */
const SOON_MS = 0.5;

/** The way from one peer to another. */
export class OneWay {
  readonly #fates: Fates;
  readonly #waiting: { readonly atMs: number; readonly deliver: () => void }[] = [];
  #first = 0;
  #timer: NodeJS.Timeout | null = null;
  #conditions: Conditions;
  #counts = { came: 0, arrived: 0, lost: 0, cut: 0, bytes: 0 };

  constructor(seed: number, name: string, conditions: Conditions) {
    this.#fates = new Fates(seed, name);
    this.#conditions = conditions;
  }

  get counts(): Counts {
    return { ...this.#counts };
  }

  set conditions(conditions: Conditions) {
    this.#conditions = conditions;
    if (conditions.cut) this.drop();
  }

  carry(bytes: number, deliver: () => void): void {
    const nowMs = performance.now();
    const counts = this.#counts;
    counts.came++;
    counts.bytes += bytes;
    const atMs = this.#fates.next(bytes, nowMs, this.#conditions);
    if (atMs === null) counts[this.#conditions.cut ? 'cut' : 'lost']++;
    else if (atMs <= nowMs && this.#first === this.#waiting.length) {
      counts.arrived++;
      deliver();
    } else {
      this.#waiting.push({ atMs, deliver });
      this.#timer ??= setTimeout(() => this.#release(), atMs - nowMs);
    }
  }

  /** What is on its way does not arrive. */
  drop(): void {
    this.#counts.cut += this.#waiting.length - this.#first;
    this.#waiting.length = 0;
    this.#first = 0;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #release(): void {
    this.#timer = null;
    const nowMs = performance.now();
    for (;;) {
      const next = this.#waiting[this.#first];
      if (next === undefined) {
        this.#waiting.length = 0;
        this.#first = 0;
        return;
      }
      if (next.atMs > nowMs + SOON_MS) {
        this.#waiting.splice(0, this.#first);
        this.#first = 0;
        this.#timer = setTimeout(() => this.#release(), next.atMs - nowMs);
        return;
      }
      this.#first++;
      this.#counts.arrived++;
      next.deliver();
    }
  }
}
