import type { PairTraffic } from '../view/view.ts';

const NOTHING: PairTraffic = { sentBytes: 0, receivedBytes: 0, relayedSentBytes: 0, relayedReceivedBytes: 0 };

/** Bytes between this device and each of the others. */
export class Traffic {
  readonly #pairs = new Map<string, PairTraffic>();

  sent(device: string, bytes: number, isRelayed: boolean): void {
    this.#add(device, isRelayed ? 'relayedSentBytes' : 'sentBytes', bytes);
  }

  received(device: string, bytes: number, isRelayed: boolean): void {
    this.#add(device, isRelayed ? 'relayedReceivedBytes' : 'receivedBytes', bytes);
  }

  /** By device. */
  get pairs(): ReadonlyMap<string, PairTraffic> {
    return this.#pairs;
  }

  #add(device: string, field: keyof PairTraffic, bytes: number): void {
    const pair = this.#pairs.get(device) ?? NOTHING;
    this.#pairs.set(device, { ...pair, [field]: pair[field] + bytes });
  }
}
