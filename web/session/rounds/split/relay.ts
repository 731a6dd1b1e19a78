import type { DataMessage } from '../../../../signaling/protocol/exchange/data-messages.ts';
import { Outbox } from '../../stages/cuts/outbox.ts';
import type { DeviceLinks } from '../device-links.ts';

/** What a message takes while it waits, beside its values. */
const MESSAGE_BYTES = 512;

type Hidden = DataMessage<'hidden'>;

export interface RelayContext {
  readonly deviceLinks: DeviceLinks;
  /** Devices with a place in a pipeline now, those that took one over included. */
  readonly members: () => ReadonlySet<string>;
  /** Bytes of one device that may wait here to be handed on; whoever has more on the way is given up. */
  readonly maxBytes: number;
}

/**
 * Hands hidden states on between stages that cannot meet, unread: by the host, which has a link to everybody. Only between devices that have a
 * place in a pipeline, and only what the sender says in its own name. A receiver's link is given a few messages at once; the others wait
 * here until it has taken those, however many there are.
 */
export class Relay {
  readonly #context: RelayContext;
  readonly #outbox = new Outbox((message) => this.#forward(message));
  /** By sender; of messages that wait and of those that a link is at. */
  readonly #waitingBytes = new Map<string, number>();
  readonly #off: () => void;
  /** Bytes handed on so far, by sender and receiver. */
  readonly bytes = new Map<string, number>();

  constructor(context: RelayContext) {
    this.#context = context;
    this.#off = context.deviceLinks.onEvent((event) => {
      if (event.type === 'detached') this.#drop((message) => message.header.from === event.device);
      if (event.type === 'message' && event.message.header.type === 'hidden')
        this.#take(event.device, { header: event.message.header, tensors: event.message.tensors });
    });
  }

  close(): void {
    this.#off();
    this.#drop(() => true);
  }

  #take(device: string, message: Hidden): void {
    const { from, to } = message.header;
    const members = this.#context.members();
    if (from !== device || !members.has(device) || !members.has(to)) return;
    const waiting = (this.#waitingBytes.get(device) ?? 0) + heldBytes(message);
    if (waiting > this.#context.maxBytes) {
      this.#context.deviceLinks.detach(device);
      return;
    }
    this.#waitingBytes.set(device, waiting);
    const pair = `${from} ${to}`;
    this.bytes.set(pair, (this.bytes.get(pair) ?? 0) + valueBytes(message));
    this.#outbox.add(message);
  }

  async #forward(message: Hidden): Promise<void> {
    try {
      await this.#context.deviceLinks.forward(message);
    } finally {
      this.#waitsNoLonger(message);
    }
  }

  #drop(isDropped: (message: Hidden) => boolean): void {
    this.#outbox.keepOnly((message) => {
      if (!isDropped(message)) return true;
      this.#waitsNoLonger(message);
      return false;
    });
  }

  #waitsNoLonger(message: Hidden): void {
    const { from } = message.header;
    const left = (this.#waitingBytes.get(from) ?? 0) - heldBytes(message);
    if (left > 0) this.#waitingBytes.set(from, left);
    else this.#waitingBytes.delete(from);
  }
}

const valueBytes = ({ tensors }: Hidden): number => tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
const heldBytes = (message: Hidden): number => MESSAGE_BYTES + valueBytes(message);
