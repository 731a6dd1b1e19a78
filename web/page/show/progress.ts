import { scoreText } from '../../../signaling/protocol/words/metrics.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/show.ts';
import { recentRoundSeconds } from '../cloth/timing.ts';

/** "Round 12 · 0.81 s a round, 0.79 s predicted · 81 % right"; what is not known yet is left out. */
export function progressText({ rounds, scores, room }: Pick<SessionView, 'rounds' | 'scores' | 'room'>): string {
  const plan = room?.plan ?? null;
  const last = rounds.at(-1);
  const seconds = recentRoundSeconds(rounds, 5);
  const score = scores.at(-1);
  return [
    last === undefined ? '' : say.round(last.round),
    seconds === null ? '' : say.aRound(secondsText(seconds)),
    plan === null ? '' : `${secondsText(plan.latencySeconds)} predicted`,
    score === undefined ? '' : `${scoreText(score.metric, score.value)} right`,
  ]
    .filter((part) => part !== '')
    .join(' · ');
}
