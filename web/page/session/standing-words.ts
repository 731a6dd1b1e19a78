import { soonSentence } from '../../../signaling/protocol/words/forecast.ts';
import { measureText, metricName } from '../../../signaling/protocol/words/metrics.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/session.ts';

/** "Best dev accuracy so far: 88.8 %, after round 100."; null before a score that training has reached, and where the result says it. */
export function bestText({ best, room, scores }: Pick<SessionView, 'best' | 'room' | 'scores'>): string | null {
  if (best === null || room === null || scores.length < 2) return null;
  if (room.phase === 'finished' && scores.at(-1)?.round === best.round) return null;
  const when = best.round === 0 ? say.beforeTraining : say.afterRound(best.round);
  const soFar = room.phase === 'finished' ? '' : say.soFar;
  return say.bestDev(metricName(best.by), soFar, measureText(best.by, best.value), when);
}

/** What people may do about the time that is to come: before the start, and what one more device would save. The host has the ends to choose from. */
export function timeSentences(
  { room, role, ended }: Pick<SessionView, 'room' | 'role' | 'ended'>,
  another: string | null,
): readonly string[] {
  if (room === null || ended !== null || room.phase === 'finished') return [];
  const soon = room.phase === 'gathering' && role !== 'host' ? soonSentence(room) : null;
  return [soon, another].filter((sentence) => sentence !== null);
}

/** What is kept on this device; null when nothing is. */
export function keptSentence({ kept, room }: Pick<SessionView, 'kept' | 'room'>): string | null {
  if (kept === null) return null;
  const further = room?.phase === 'finished' ? '' : say.whateverHappensYouCanGo;
  return say.keptOnThisDevice(kept.round, further);
}
