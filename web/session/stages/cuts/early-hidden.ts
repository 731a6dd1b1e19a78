import type { DataMessage } from '../../../../signaling/protocol/exchange/data-messages.ts';

export interface Early {
  readonly message: DataMessage<'hidden'>;
  /** The device that said it, and whether the host passed it on. */
  readonly sender: string;
  readonly isRelayed: boolean;
}

const bytesOf = ({ tensors }: DataMessage<'hidden'>): number =>
  tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);

/** Hidden states for orders and chunks that are still on their way here; a neighbour may have had its own sooner. */
export class EarlyHidden {
  readonly #maxBytes: number;
  #waiting: Early[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Those that were first there make room. */
  keep(early: Early): void {
    this.#waiting.push(early);
    let bytes = this.#waiting.reduce((sum, { message }) => sum + bytesOf(message), 0);
    while (bytes > this.#maxBytes) bytes -= bytesOf(this.#waiting.shift()!.message);
  }

  /** Everything, to be looked at again. */
  takeAll(): readonly Early[] {
    return this.#waiting.splice(0);
  }

  clear(): void {
    this.#waiting = [];
  }
}
