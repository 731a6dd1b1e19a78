import type { PastState } from '../api/host-api.ts';
import type { Learner } from './learner.ts';

/** As many rounds as can be undone. */
export const SNAPSHOT_ROUNDS = 64;
/** What snapshots may hold; of a model with more, fewer are kept, and undoing goes a few rounds further back. */
export const MAX_SNAPSHOT_BYTES = 256 * 2 ** 20;

interface Snapshot<T> extends Omit<PastState, 'version'> {
  readonly round: number;
  readonly besides: T;
}

/** What a learner was after each of the last rounds, to go back to; `T` is what else belongs to it. */
export class Snapshots<T> {
  readonly #maxBytes: number;
  #kept: Snapshot<T>[] = [];

  constructor(maxBytes = MAX_SNAPSHOT_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Of the learner after `round`, where this round is one that is kept. */
  keep(round: number, { values, optimiser }: Learner, besides: T): void {
    const every = this.#every(values.length);
    this.#kept = this.#kept.filter((one) => one.round < round && one.round > round - SNAPSHOT_ROUNDS - every);
    if (this.#kept.length > 0 && round % every !== 0) return;
    const { steps, firstMoment, secondMoment } = optimiser;
    const copies = { values: values.slice(), firstMoment: firstMoment.slice(), secondMoment: secondMoment.slice() };
    this.#kept.push({ round, steps, ...copies, besides });
  }

  /** Makes the learner what it was after `round`, or after the latest kept one before it, or the earliest that there is; null where there is none. */
  goBack(round: number, { values, optimiser }: Learner): { readonly round: number; readonly besides: T } | null {
    const found = this.#kept.findLast((one) => one.round <= round) ?? this.#kept[0];
    if (found === undefined) return null;
    values.set(found.values);
    optimiser.firstMoment.set(found.firstMoment);
    optimiser.secondMoment.set(found.secondMoment);
    optimiser.steps = found.steps;
    this.#kept = this.#kept.filter((one) => one.round <= found.round);
    return { round: found.round, besides: found.besides };
  }

  /** The learner after `round` is this: what is kept of a past that did not lead to it goes, and so does what is later. */
  follow(round: number, learner: Learner): void {
    const same = this.#kept.some((one) => one.round === round && isSame(one, learner));
    this.#kept = same ? this.#kept.filter((one) => one.round <= round) : [];
  }

  /** All that is kept, which is whose it is handed to from then on. */
  handOver(): readonly PastState[] {
    const kept = this.#kept;
    this.#kept = [];
    return kept.map(({ round, besides: _, ...state }) => ({ version: round, ...state }));
  }

  /** Takes what somebody else kept, in the order of its rounds, where there is nothing yet. */
  take(past: readonly PastState[], besides: (round: number) => T): void {
    this.#kept = past.map(({ version, ...state }) => ({ round: version, ...state, besides: besides(version) }));
  }

  /** Every so many rounds one is kept, so that all fit. */
  #every(values: number): number {
    const most = Math.max(2, Math.floor(this.#maxBytes / (3 * 4 * values)) - 1);
    return Math.max(1, Math.ceil(SNAPSHOT_ROUNDS / most));
  }
}

function isSame(one: Omit<PastState, 'version'>, { values, optimiser }: Learner): boolean {
  const { steps, firstMoment, secondMoment } = optimiser;
  const pairs = [
    [one.values, values],
    [one.firstMoment, firstMoment],
    [one.secondMoment, secondMoment],
  ] as const;
  return one.steps === steps && pairs.every(([a, b]) => a.length === b.length && a.every((x, i) => x === b[i]));
}
