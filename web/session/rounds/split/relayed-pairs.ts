import { MAX_RELAYED_PAIRS } from '../../../../signaling/protocol/limits.ts';
import type { RelayedPair } from '../../../../signaling/protocol/pipeline/split-problem.ts';
import type { SentBytes } from '../../view/view.ts';

/** Rounds in a row in which all between two stages went by way of the host: until they have met it always does. */
const ROUNDS = 2;

interface Known {
  readonly pair: RelayedPair;
  /** Since the session began. */
  readonly bytes: number;
  readonly relayedBytes: number;
  /** Rounds in a row in which only the host carried something. */
  readonly rounds: number;
}

const pairOf = (a: string, b: string): RelayedPair => (a < b ? [a, b] : [b, a]);

/** Which stages cannot meet, by what they sent each other: those that have no place beside each other any more stay what they were. */
export class RelayedPairs {
  readonly #known = new Map<string, Known>();
  #told: readonly RelayedPair[] = [];

  /**
   * A round is over: `sent` is what went between stages since the session began. The pairs, where the room should hear of them; null where there are
   * none, as it knows. Who goes by way of the host to be watched may meet all the same.
   */
  roundEnds(sent: readonly SentBytes[], isWatched: (a: string, b: string) => boolean): readonly RelayedPair[] | null {
    const sums = new Map<string, { pair: RelayedPair; bytes: number; relayedBytes: number }>();
    for (const { from, to, bytes, relayedBytes } of sent) {
      const pair = pairOf(from, to);
      const sum = sums.get(pair.join(' ')) ?? { pair, bytes: 0, relayedBytes: 0 };
      sums.set(pair.join(' '), { pair, bytes: sum.bytes + bytes, relayedBytes: sum.relayedBytes + relayedBytes });
    }
    for (const [key, sum] of sums) {
      const before = this.#known.get(key);
      const handedOn = sum.relayedBytes - (before?.relayedBytes ?? 0) > 0 && !isWatched(...sum.pair);
      const met = sum.bytes - (before?.bytes ?? 0) > 0;
      this.#known.set(key, { ...sum, rounds: met ? 0 : (before?.rounds ?? 0) + (handedOn ? 1 : 0) });
    }
    const pairs = [...this.#known.values()].flatMap(({ pair, rounds }) => (rounds >= ROUNDS ? [pair] : []));
    const isNews = pairs.length > 0 || this.#told.length > 0;
    this.#told = pairs.slice(0, MAX_RELAYED_PAIRS);
    // A server that forgot the room hears of them again.
    return isNews ? this.#told : null;
  }
}
