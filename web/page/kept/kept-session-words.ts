import { countText, listText } from '../../../signaling/protocol/words/lists.ts';
import { agoText, bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { Deleted } from '../../../worker/api/host-api.ts';
import type { KeptSession } from '../../session/view/view.ts';
import * as say from '../../words/start/kept.ts';

/** Where a kept session stands: "Round 40 of 120, kept 3 hours ago as Linen Shuttle; 2.4 MB." */
export function keptSessionText(session: KeptSession, nowMs: number): string {
  const { round, rounds, keptAtMs, deviceName, bytes } = session;
  const where = round >= rounds ? say.allRoundsAreDone(rounds) : say.roundOf(round, rounds);
  return say.keptAs(where, agoText(nowMs - keptAtMs), deviceName, bytesText(bytes));
}

/** What went: "Deleted: 2 sessions, 1 model and what this page remembered; 501 MB in all." */
export function deletedText({ sessions, models, bytes }: Deleted): string {
  const went = [
    ...(sessions > 0 ? [countText(sessions, say.session, say.sessions)] : []),
    ...(models > 0 ? [countText(models, say.model, say.models)] : []),
    say.whatThisPageRemembered,
  ];
  return say.deletedInAll(listText(went), bytesText(bytes));
}
