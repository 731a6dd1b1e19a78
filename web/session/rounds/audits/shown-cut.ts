import { type CutValues, cutDigest, valuesDigest } from '../../../../signaling/protocol/exchange/cut-digest.ts';
import { unpacked } from '../../../../signaling/protocol/exchange/hidden-codec.ts';

/** What went one way over a cut in a round, as it is shown micro-batch by micro-batch. */
export class ShownCut {
  readonly #values = new Map<number, CutValues>();
  /** Values that each micro-batch must have. */
  readonly #lengths: readonly number[];

  constructor(lengths: readonly number[]) {
    this.#lengths = lengths;
  }

  take(values: CutValues): void {
    if (values.tensor.length === this.#lengths[values.microBatch]) this.#values.set(values.microBatch, values);
  }

  get isWhole(): boolean {
    return this.#values.size === this.#lengths.length;
  }

  get all(): readonly CutValues[] {
    return [...this.#values.values()];
  }

  digest(): string | null {
    const digests = new Map(this.all.map((one) => [one.microBatch, valuesDigest(one)]));
    return cutDigest(digests, this.#lengths.length);
  }

  /** One after the other. */
  joined(): Float32Array {
    const all = new Float32Array(this.#lengths.reduce((sum, length) => sum + length, 0));
    let at = 0;
    for (const [j, length] of this.#lengths.entries()) {
      const values = this.#values.get(j);
      if (values !== undefined) all.set(unpacked(values.tensor, values), at);
      at += length;
    }
    return all;
  }
}
