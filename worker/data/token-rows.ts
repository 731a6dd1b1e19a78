import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Example } from './example.ts';

/** Token ids that are kept, over all examples: 64 MB of them. Beyond, those that were not asked for the longest are made again. */
const MOST_KEPT_TOKENS = 16 * 2 ** 20;

/** Token ids of a session's examples, cut to its length: each text is read once, however many rounds draw it. */
export class TokenRows {
  readonly #tokenizer: Tokenizer;
  readonly #maxTokens: number;
  readonly #mostKept: number;
  /** The latest asked for last. */
  readonly #rows = new Map<Example, Int32Array>();
  #kept = 0;

  constructor(tokenizer: Tokenizer, maxTokens: number, mostKept = MOST_KEPT_TOKENS) {
    this.#tokenizer = tokenizer;
    this.#maxTokens = maxTokens;
    this.#mostKept = mostKept;
  }

  of(example: Example): Int32Array {
    const known = this.#rows.get(example);
    const row = known ?? Int32Array.from(this.#tokenizer.encode(example.text, example.pair, this.#maxTokens));
    if (known === undefined) this.#kept += row.length;
    else this.#rows.delete(example);
    this.#rows.set(example, row);
    for (const [oldest, { length }] of this.#rows) {
      if (this.#kept <= this.#mostKept) break;
      this.#rows.delete(oldest);
      this.#kept -= length;
    }
    return row;
  }
}
