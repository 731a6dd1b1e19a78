import { soonSentence } from '../../../signaling/protocol/words/forecast.ts';
import { measureText, metricName } from '../../../signaling/protocol/words/metrics.ts';
import type { SessionView } from '../../session/view/view.ts';

/** "Best dev accuracy so far: 88.8 %, after round 100."; null before a score that training has reached, and where the result says it. */
export function bestText({ best, room, scores }: Pick<SessionView, 'best' | 'room' | 'scores'>): string | null {
  if (best === null || room === null || scores.length < 2) return null;
  if (room.phase === 'finished' && scores.at(-1)?.round === best.round) return null;
  const when = best.round === 0 ? 'before training' : `after round ${best.round}`;
  const soFar = room.phase === 'finished' ? '' : ' so far';
  return `Best dev ${metricName(best.by)}${soFar}: ${measureText(best.by, best.value)}, ${when}.`;
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
  const further = room?.phase === 'finished' ? '' : '; whatever happens, you can go on from there';
  return `Kept on this device at round ${kept.round}${further}.`;
}
