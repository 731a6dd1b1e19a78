import type { DataMessage } from '../../../../signaling/protocol/exchange/data-messages.ts';
import type { DeviceLinks } from '../device-links.ts';

export interface RelayContext {
  readonly deviceLinks: DeviceLinks;
  /** Devices with a place in a pipeline now, those that took one over included. */
  readonly members: () => ReadonlySet<string>;
  /** Bytes of one device that may wait here to be handed on; whoever has more on the way is given up. */
  readonly maxBytes: number;
}

/**
 * Hands hidden states on between stages that cannot meet, unread: by the host, which has a link to everybody. Only between devices that have a
 * place in a pipeline, and only what the sender says in its own name.
 */
export class Relay {
  readonly #context: RelayContext;
  readonly #waitingBytes = new Map<string, number>();
  readonly #off: () => void;
  /** Bytes handed on so far, by sender and receiver. */
  readonly bytes = new Map<string, number>();

  constructor(context: RelayContext) {
    this.#context = context;
    this.#off = context.deviceLinks.onEvent((event) => {
      if (event.type === 'detached') this.#waitingBytes.delete(event.device);
      if (event.type === 'message' && event.message.header.type === 'hidden')
        void this.#handOn(event.device, { header: event.message.header, tensors: event.message.tensors });
    });
  }

  close(): void {
    this.#off();
  }

  async #handOn(device: string, message: DataMessage<'hidden'>): Promise<void> {
    const { from, to } = message.header;
    const members = this.#context.members();
    if (from !== device || !members.has(device) || !members.has(to)) return;
    const bytes = message.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const waiting = (this.#waitingBytes.get(device) ?? 0) + bytes;
    if (waiting > this.#context.maxBytes) {
      this.#context.deviceLinks.detach(device);
      return;
    }
    this.#waitingBytes.set(device, waiting);
    const pair = `${from} ${to}`;
    this.bytes.set(pair, (this.bytes.get(pair) ?? 0) + bytes);
    try {
      await this.#context.deviceLinks.forward(message);
    } finally {
      const left = (this.#waitingBytes.get(device) ?? bytes) - bytes;
      if (left > 0) this.#waitingBytes.set(device, left);
      else this.#waitingBytes.delete(device);
    }
  }
}
