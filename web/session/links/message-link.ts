import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import * as say from '../../words/session/links.ts';
import { Emitter, type Listeners } from '../world/emitter.ts';
import { Ending } from '../world/ending.ts';

/** Two-way, ordered, validated messages between the host and one device; over WebRTC, or in memory between a host and itself. */
export interface MessageLink {
  /**
   * `pace` is for bulk messages; null sends at full speed. Settles when the message was handed to the network or the link has closed,
   * whichever comes first; what was lost on the way is for `onClose` to tell.
   */
  send(message: DataMessage, pace?: SendPace | null): Promise<void>;
  readonly onMessage: Listeners<DataMessage>;
  /** Called once, with why; soon, where the link has closed already. */
  readonly onClose: Listeners<string>;
  close(): void;
  /** Whether there is another reason to believe that the other side is gone; a link over the network then gives up sooner. */
  doubt(doubtful: boolean): void;
  /** The way there may be another one by now: a link over the network that does not answer soon is given up. */
  ask(): void;
}

export interface SendPace {
  readonly bitsPerSecond: number;
}

/** The two ends of a link inside one tab. Messages arrive in later microtasks, as they would from a network. */
export function localLinkPair(): [MessageLink, MessageLink] {
  const ends = [0, 1].map(() => ({ message: new Emitter<DataMessage>(), ending: new Ending() }));
  const end = (own: number): MessageLink => ({
    async send(message) {
      await Promise.resolve();
      if (ends[own].ending.why === null) ends[1 - own].message.emit(message);
    },
    onMessage: ends[own].message.on,
    onClose: ends[own].ending.on,
    doubt: () => undefined,
    ask: () => undefined,
    close() {
      for (const { ending } of ends) ending.end(say.theTabClosedItsOwn);
    },
  });
  return [end(0), end(1)];
}
