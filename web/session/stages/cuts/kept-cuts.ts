import { type CutValues, cutDigest, valuesDigest } from '../../../../signaling/protocol/exchange/cut-digest.ts';
import type { Side } from './neighbours.ts';

type Direction = 'up' | 'down';

/** What went over a stage's cuts in one round, by side and way. */
export class KeptCuts {
  readonly #values = new Map<string, Map<number, CutValues>>();

  add(side: Side, direction: Direction, values: CutValues): void {
    const key = `${side} ${direction}`;
    const known = this.#values.get(key) ?? new Map<number, CutValues>();
    this.#values.set(key, known.set(values.microBatch, values));
  }

  /** In the order of their micro-batches. */
  all(side: Side, direction: Direction): readonly CutValues[] {
    const known = this.#values.get(`${side} ${direction}`) ?? new Map<number, CutValues>();
    return [...known.values()].sort((a, b) => a.microBatch - b.microBatch);
  }

  /** Null where nothing, or not everything, went this way. */
  digest(side: Side, direction: Direction, microBatches: number): string | null {
    const all = this.all(side, direction);
    return cutDigest(new Map(all.map((one) => [one.microBatch, valuesDigest(one)])), microBatches);
  }
}
