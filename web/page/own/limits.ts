import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/own.ts';
import type { Battery } from './phone.ts';

/** What a person lets a session have of their device. */
export interface Limits {
  /** In megabytes of a million bytes, both directions together; null is no limit. */
  readonly dataMegabytes: number | null;
  readonly onlyCharging: boolean;
}

export const NO_LIMITS: Limits = { dataMegabytes: null, onlyCharging: false };

export const MAX_DATA_MEGABYTES = 1_000_000;

/** Bytes that went over this device's links, whichever they were. */
export interface Moved {
  readonly totalBytes: number;
  /** Of the link that there is. */
  readonly linkBytes: number;
}

export const NOTHING_MOVED: Moved = { totalBytes: 0, linkBytes: 0 };

/** With what the link has counted since; null while there is none. A new link counts from nothing. */
export function moved({ totalBytes, linkBytes }: Moved, countedBytes: number | null): Moved {
  if (countedBytes === null) return { totalBytes, linkBytes: 0 };
  const freshBytes = countedBytes < linkBytes ? countedBytes : countedBytes - linkBytes;
  return { totalBytes: totalBytes + freshBytes, linkBytes: countedBytes };
}

/** Bytes that stages exchanged past the host; what the host passed on went over the link to it. */
export const besideBytes = ({ beside }: Pick<SessionView, 'beside'>): number =>
  beside.reduce(
    (sum, pair) => sum + pair.sentBytes + pair.receivedBytes - pair.relayedSentBytes - pair.relayedReceivedBytes,
    0,
  );

/** Why the device rests, in words for its person; null while it may work. A browser that says nothing of the battery is not asked for it. */
export function restReason(limits: Limits, usedBytes: number, battery: Battery | null): string | null {
  const { dataMegabytes, onlyCharging } = limits;
  if (dataMegabytes !== null && usedBytes >= 1e6 * dataMegabytes)
    return say.theOfDataThatYou(bytesText(1e6 * dataMegabytes));
  if (onlyCharging && battery !== null && !battery.charging) return say.itIsNotCharging;
  return null;
}

/** What is typed into the field; null is no limit, a sentence is what is wrong. */
export function readMegabytes(text: string): { readonly megabytes: number | null } | { readonly sentence: string } {
  const trimmed = text.trim();
  if (trimmed === '') return { megabytes: null };
  const megabytes = Number(trimmed);
  if (!/^\d+$/.test(trimmed) || megabytes < 1 || megabytes > MAX_DATA_MEGABYTES)
    return {
      sentence: say.aWholeNumberOfMegabytes(MAX_DATA_MEGABYTES.toLocaleString('en-US')),
    };
  return { megabytes };
}

/** As `limitsText` wrote it; whatever else is there means no limits. */
export function parseLimits(text: string | null): Limits {
  const [, data = '', charging = ''] = /^(\d*);(charging)?$/.exec(text ?? '') ?? [];
  const read = readMegabytes(data);
  return { dataMegabytes: 'megabytes' in read ? read.megabytes : null, onlyCharging: charging !== '' };
}

export const limitsText = ({ dataMegabytes, onlyCharging }: Limits): string =>
  `${dataMegabytes ?? ''};${onlyCharging ? 'charging' : ''}`;
