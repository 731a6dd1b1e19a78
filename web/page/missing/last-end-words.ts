import { countText } from '../../../signaling/protocol/words/lists.ts';
import { bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { Past } from '../../tab/memory/crumb.ts';
import * as say from '../../words/join/missing.ts';

/** What became of this page the last time, where it ended without a word; null where it did not. */
export function lastEndSentence({ ended, claimBytes }: Past): string | null {
  if (ended === null) return null;
  const { what, model, bytes, samples, hidden } = ended;
  const doing = {
    load: say.loading(model),
    measure: say.tryingOutWhetherTrainingMay(bytesText(bytes)),
    train: say.trainingAtATime(countText(samples, say.sample, say.samples), bytesText(bytes)),
  }[what];
  const then = claimBytes === null ? '' : say.trainingTakesAtMostNow(bytesText(claimBytes));
  return hidden ? say.lastTimeThisPageEnded(doing, then) : say.lastTimeThisPageEndedWhile(doing, then);
}
