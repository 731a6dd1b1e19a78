/** Bytes of hidden states and their gradients between this device and another one; what the host passes on is counted apart. */
export interface PairTraffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly relayedSentBytes: number;
  readonly relayedReceivedBytes: number;
}

const NOTHING: PairTraffic = { sentBytes: 0, receivedBytes: 0, relayedSentBytes: 0, relayedReceivedBytes: 0 };

export class Traffic {
  readonly #pairs = new Map<string, PairTraffic>();

  count(way: 'sent' | 'received', device: string, bytes: number, isRelayed: boolean): void {
    const pair = this.#pairs.get(device) ?? NOTHING;
    const field =
      way === 'sent'
        ? isRelayed
          ? 'relayedSentBytes'
          : 'sentBytes'
        : isRelayed
          ? 'relayedReceivedBytes'
          : 'receivedBytes';
    this.#pairs.set(device, { ...pair, [field]: pair[field] + bytes });
  }

  /** By device. */
  get pairs(): ReadonlyMap<string, PairTraffic> {
    return this.#pairs;
  }
}
