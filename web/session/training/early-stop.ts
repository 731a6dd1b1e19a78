import type { ScoreReport } from '../../../signaling/protocol/room-view.ts';
import * as say from '../../words/session/training.ts';
import type { SessionView } from '../view/view.ts';

/** Whether so many evaluations came after the best one. */
export const isExhausted = (scores: readonly ScoreReport[], bestRound: number, patience: number): boolean =>
  patience > 0 && scores.filter(({ round }) => round > bestRound).length >= patience;

/** Why training ends early, as a sentence; null while it does not. */
export function earlyStop({ best, scores }: Pick<SessionView, 'best' | 'scores'>, patience: number): string | null {
  if (best === null || !isExhausted(scores, best.round, patience)) return null;
  const evaluations = patience === 1 ? say.theLastEvaluationWas : say.theLastEvaluationsWere(patience);
  return say.noBetterThan(evaluations, best.round);
}
