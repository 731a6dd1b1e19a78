import { countText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { Past } from '../../tab/memory/crumb.ts';

/** What became of this page the last time, where it ended without a word; null where it did not. */
export function lastEndSentence({ ended, claimBytes }: Past): string | null {
  if (ended === null) return null;
  const { what, model, bytes, samples, hidden } = ended;
  const doing = {
    load: `loading ${model}`,
    measure: `trying out whether training may take ${bytesText(bytes)}`,
    train: `training ${countText(samples, 'sample', 'samples')} at a time (${bytesText(bytes)})`,
  }[what];
  const then =
    claimBytes === null
      ? ''
      : ` Training takes ${bytesText(claimBytes)} at most now, and more again as sessions go well.`;
  return hidden
    ? `Last time this page ended in the background while it was ${doing}. Keep it in front while it trains.${then}`
    : `Last time this page ended while it was ${doing}, most likely for want of memory.${then}`;
}
