/** What a datagram meets on its way from one peer to another. */
export interface Conditions {
  /** One way; a round trip takes those of both directions. */
  readonly delayMs: number;
  /** Up to so much more, evenly drawn. Datagrams stay in order, as on one path. */
  readonly jitterMs: number;
  /** Share that is lost, 0 to 1. */
  readonly loss: number;
  readonly bitsPerSecond: number;
  /** Waiting for a path that is no faster; what would make it more is lost. */
  readonly queueBytes: number;
  /** Nothing arrives, what is on its way included. */
  readonly cut: boolean;
}

export const CLEAR: Conditions = {
  delayMs: 0,
  jitterMs: 0,
  loss: 0,
  bitsPerSecond: Number.POSITIVE_INFINITY,
  queueBytes: 256 * 1024,
  cut: false,
};

/** Conditions from one peer to another; an end that is null is everybody. Where several speak of the same thing, the last one counts. */
export interface Rule {
  readonly from: string | null;
  readonly to: string | null;
  readonly change: Partial<Conditions>;
}

export function conditionsOf(rules: readonly Rule[], from: string, to: string): Conditions {
  let found = CLEAR;
  for (const rule of rules)
    if ((rule.from ?? from) === from && (rule.to ?? to) === to) found = { ...found, ...rule.change };
  return found;
}

/**
 * What becomes of the datagrams of one direction, one after the other: when each arrives, or null where it does not. Two numbers are drawn
 * for each, whatever the conditions are: with the same seed and name it is the same datagrams that are lost, counted from the first.
 */
export class Fates {
  readonly #draw: () => number;
  #freeMs = 0;
  #lastMs = 0;

  constructor(seed: number, name: string) {
    this.#draw = generator(seed, name);
  }

  next(bytes: number, nowMs: number, conditions: Conditions): number | null {
    const [lost, late] = [this.#draw() < conditions.loss, this.#draw() * conditions.jitterMs];
    if (conditions.cut) return null;
    const startMs = Math.max(nowMs, this.#freeMs);
    const waitingBytes = ((startMs - nowMs) / 1000) * (conditions.bitsPerSecond / 8);
    if (waitingBytes + bytes > conditions.queueBytes) return null;
    // What is lost on the way has taken its time on it.
    this.#freeMs = startMs + (bytes * 8000) / conditions.bitsPerSecond;
    if (lost) return null;
    this.#lastMs = Math.max(this.#lastMs, this.#freeMs + conditions.delayMs + late);
    return this.#lastMs;
  }
}

/** Evenly in [0, 1): mulberry32, begun at an FNV-1a hash. */
function generator(seed: number, name: string): () => number {
  let state = 0x811c9dc5;
  for (const character of `${seed} ${name}`) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
