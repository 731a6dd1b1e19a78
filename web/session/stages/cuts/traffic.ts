import type { DataMessage } from '../../../../signaling/protocol/exchange/data-messages.ts';
import { MAX_SENT_TO } from '../../../../signaling/protocol/exchange/stage-messages.ts';
import { MAX_DEVICES_IN_ROOM } from '../../../../signaling/protocol/limits.ts';
import type { PairTraffic } from '../../view/view.ts';

const NOTHING: PairTraffic = { sentBytes: 0, receivedBytes: 0, relayedSentBytes: 0, relayedReceivedBytes: 0 };

/** Devices that are counted; they come and go, and a host may say of any that it said something. */
const MAX_PAIRS = 4 * MAX_DEVICES_IN_ROOM;

/** Bytes between this device and each of the others. */
export class Traffic {
  readonly #pairs = new Map<string, PairTraffic>();
  /** As `newlySent` last told of them. */
  readonly #told = new Map<string, PairTraffic>();

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

  /** What was sent since this was last asked, to a few devices; of others the next time. */
  newlySent(): NonNullable<DataMessage<'done'>['header']['sent']> {
    const all = [...this.#pairs].flatMap(([to, pair]) => {
      const told = this.#told.get(to) ?? NOTHING;
      const bytes = pair.sentBytes - told.sentBytes;
      const relayedBytes = pair.relayedSentBytes - told.relayedSentBytes;
      return bytes + relayedBytes === 0 ? [] : [{ pair, sent: { to, bytes, relayedBytes } }];
    });
    const some = all.slice(0, MAX_SENT_TO);
    for (const { pair, sent } of some) this.#told.set(sent.to, pair);
    return some.map(({ sent }) => sent);
  }

  #add(device: string, field: keyof PairTraffic, bytes: number): void {
    if (!this.#pairs.has(device) && this.#pairs.size >= MAX_PAIRS) return;
    const pair = this.#pairs.get(device) ?? NOTHING;
    this.#pairs.set(device, { ...pair, [field]: pair[field] + bytes });
  }
}
