import type { SavedSession } from '../../session/view/view.ts';
import { agoText, bytesText } from '../parts/words.ts';

/** Where a kept session stands: "Round 40 of 120, saved 3 hours ago as Linen Shuttle; 2.4 MB." */
export function savedText(session: SavedSession, nowMs: number): string {
  const { round, rounds, savedAtMs, deviceName, bytes } = session;
  const where = round >= rounds ? `All ${rounds} rounds are done` : `Round ${round} of ${rounds}`;
  return `${where}, saved ${agoText(nowMs - savedAtMs)} as ${deviceName}; ${bytesText(bytes)}.`;
}
