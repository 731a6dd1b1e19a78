import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import { Emitter, type Listeners } from '../world/emitter.ts';

/** Two-way, ordered, validated messages between the host and one device; over WebRTC, or in memory between a host and itself. */
export interface MessageLink {
  /** `share` of the link's own rate that bulk messages may use; null sends at full speed. Resolves when handed to the network. */
  send(message: DataMessage, pace?: SendPace | null): Promise<void>;
  readonly onMessage: Listeners<DataMessage>;
  /** Called once, with why. */
  readonly onClose: Listeners<string>;
  close(): void;
  /** Whether there is another reason to believe that the other side is gone; a link over the network then gives up sooner. */
  doubt(doubtful: boolean): void;
}

export interface SendPace {
  readonly bitsPerSecond: number;
}

/** The two ends of a link inside one tab. Messages arrive in later microtasks, as they would from a network. */
export function localLinkPair(): [MessageLink, MessageLink] {
  const ends = [0, 1].map(() => ({ message: new Emitter<DataMessage>(), close: new Emitter<string>() }));
  let open = true;
  const end = (own: number): MessageLink => ({
    async send(message) {
      await Promise.resolve();
      if (open) ends[1 - own].message.emit(message);
    },
    onMessage: ends[own].message.on,
    onClose: ends[own].close.on,
    doubt: () => undefined,
    close() {
      if (!open) return;
      open = false;
      for (const e of ends) e.close.emit('The tab closed its own link.');
    },
  });
  return [end(0), end(1)];
}
