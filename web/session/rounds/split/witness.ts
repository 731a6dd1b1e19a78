import { cutDigest, valuesDigest } from '../../../../signaling/protocol/exchange/cut-digest.ts';
import type { DataMessage } from '../../../../signaling/protocol/exchange/data-messages.ts';
import type { DeviceLinks } from '../device-links.ts';
import type { Order } from '../round.ts';
import { stageOf } from './places.ts';

/** Pairs of devices that are watched, at most: the oldest makes room. */
const MAX_PAIRS = 256;

export interface WitnessContext {
  readonly deviceLinks: Pick<DeviceLinks, 'onEvent'>;
  readonly term: number;
  readonly host: () => string | null;
}

const pairOf = (a: string, b: string): string => [a, b].sort().join(' ');

/**
 * What the host itself sees of the hidden states that it hands on: all that goes to or from its own device, and what two devices say to each other
 * that once disagreed about it. It keeps digests, of the round under way.
 */
export class Witness {
  readonly #context: WitnessContext;
  readonly #pairs = new Set<string>();
  /** By micro-batch, of each cut and way. */
  readonly #seen = new Map<string, Map<number, Uint8Array>>();
  readonly close: () => void;

  constructor(context: WitnessContext) {
    this.#context = context;
    this.close = context.deviceLinks.onEvent((event) => {
      if (event.type !== 'message' || event.message.header.type !== 'hidden') return;
      const { header, tensors } = event.message;
      if (header.from === event.device) this.#look(header, tensors);
    });
  }

  /** From now on all that goes between the two goes by way of the host. False where it did already. */
  watch(a: string, b: string): boolean {
    const pair = pairOf(a, b);
    if (this.#pairs.has(pair)) return false;
    this.#pairs.add(pair);
    for (const oldest of this.#pairs) if (this.#pairs.size > MAX_PAIRS) this.#pairs.delete(oldest);
    return true;
  }

  isWatched(a: string, b: string): boolean {
    return this.#pairs.has(pairOf(a, b));
  }

  /** Of what one stage sent another under these orders; null where not all of it was seen. */
  seen(round: number, from: Order, to: Order, direction: 'up' | 'down'): string | null {
    const { pipeline, microBatches } = stageOf(to);
    const key = [round, pipeline, to.epoch, from.device, to.device, direction].join(' ');
    return cutDigest(this.#seen.get(key) ?? new Map(), microBatches);
  }

  /** The round is over. */
  forget(): void {
    this.#seen.clear();
  }

  #look({ of, from, to, direction, microBatch, scale }: DataMessage<'hidden'>['header'], tensors: readonly unknown[]) {
    const { host, term } = this.#context;
    const [tensor] = tensors;
    if ('chunk' in of || of.term !== term || !(tensor instanceof Float32Array || tensor instanceof Uint16Array)) return;
    if (from !== host() && to !== host() && !this.isWatched(from, to)) return;
    const key = [of.round, of.pipeline, of.epoch, from, to, direction].join(' ');
    const known = this.#seen.get(key) ?? new Map<number, Uint8Array>();
    this.#seen.set(key, known);
    // What is said again is dropped by its receiver, too.
    if (!known.has(microBatch)) known.set(microBatch, valuesDigest({ microBatch, scale, tensor }));
  }
}
