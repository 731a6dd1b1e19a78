import { agoText, bytesText } from '../../../signaling/protocol/words/quantities.ts';
import type { KeptSession } from '../../session/view/view.ts';

/** Where a kept session stands: "Round 40 of 120, kept 3 hours ago as Linen Shuttle; 2.4 MB." */
export function keptSessionText(session: KeptSession, nowMs: number): string {
  const { round, rounds, keptAtMs, deviceName, bytes } = session;
  const where = round >= rounds ? `All ${rounds} rounds are done` : `Round ${round} of ${rounds}`;
  return `${where}, kept ${agoText(nowMs - keptAtMs)} as ${deviceName}; ${bytesText(bytes)}.`;
}
