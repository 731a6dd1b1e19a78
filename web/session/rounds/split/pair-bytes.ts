import type { DataMessage } from '../../../../signaling/protocol/exchange/data-messages.ts';
import type { SentBytes } from '../../view/view.ts';
import type { DeviceLinks } from '../device-links.ts';

/** Pairs of devices, each way by itself, that are counted; devices that come and go make more. */
const MAX_PAIRS = 256;

export interface PairBytesContext {
  readonly deviceLinks: Pick<DeviceLinks, 'onEvent'>;
  /** The room's devices now. */
  readonly members: () => ReadonlySet<string>;
}

/** What stages have sent each other since the session began here, by their own word, which comes with their reports. */
export class PairBytes {
  readonly #pairs = new Map<string, SentBytes>();
  readonly close: () => void;

  constructor({ deviceLinks, members }: PairBytesContext) {
    this.close = deviceLinks.onEvent((event) => {
      if (event.type === 'message' && event.message.header.type === 'done')
        this.#count(event.device, event.message.header.sent ?? [], members());
    });
  }

  /** By sender, then receiver. */
  get pairs(): readonly SentBytes[] {
    const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
    return [...this.#pairs.values()].sort((a, b) => order(a.from, b.from) || order(a.to, b.to));
  }

  #count(from: string, sent: NonNullable<DataMessage<'done'>['header']['sent']>, members: ReadonlySet<string>): void {
    for (const { to, bytes, relayedBytes } of sent) {
      const pair = `${from} ${to}`;
      const known = this.#pairs.get(pair) ?? { from, to, bytes: 0, relayedBytes: 0 };
      if (!members.has(to) || to === from || (!this.#pairs.has(pair) && this.#pairs.size >= MAX_PAIRS)) continue;
      this.#pairs.set(pair, {
        ...known,
        bytes: known.bytes + bytes,
        relayedBytes: known.relayedBytes + relayedBytes,
      });
    }
  }
}
