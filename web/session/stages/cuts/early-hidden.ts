import type { DataMessage } from '../../../../signaling/protocol/exchange/data-messages.ts';

export interface Early {
  readonly message: DataMessage<'hidden'>;
  /** The device that said it, and whether the host passed it on. */
  readonly sender: string;
  readonly isRelayed: boolean;
}

/** What a message takes while it waits, beside its values: without it, short ones would be without number. */
const MESSAGE_BYTES = 512;

const bytesOf = ({ message: { tensors } }: Early): number =>
  tensors.reduce((sum, { byteLength }) => sum + byteLength, MESSAGE_BYTES);

/** Hidden states for orders and chunks that are still on their way here; a neighbour may have had its own sooner. */
export class EarlyHidden {
  readonly #maxBytes: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<Early>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Those that were first there make room. */
  keep(early: Early): void {
    this.#waiting.add(early);
    this.#bytes += bytesOf(early);
    for (const first of this.#waiting) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#waiting.delete(first);
      this.#bytes -= bytesOf(first);
    }
  }

  /** Everything, to be looked at again. */
  takeAll(): readonly Early[] {
    const all = [...this.#waiting];
    this.clear();
    return all;
  }

  clear(): void {
    this.#waiting.clear();
    this.#bytes = 0;
  }
}
