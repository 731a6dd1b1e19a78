import * as say from '../../words/session/training.ts';

/** So many rounds in a row without a usable gradient end the training. */
const MAX_IN_A_ROW = 3;

/** Rounds that no device had a finite gradient for, as data. */
export interface SkippedRounds {
  /** Of them, up to the latest round; empty when that one was stepped. */
  readonly inARow: readonly number[];
}

export const NONE_SKIPPED: SkippedRounds = { inARow: [] };

export const afterSkipped = ({ inARow }: SkippedRounds, round: number): SkippedRounds => ({
  inARow: [...inARow, round],
});

export const endsTraining = ({ inARow }: SkippedRounds): boolean => inARow.length >= MAX_IN_A_ROW;

/** What people are told after a skipped round. */
export function skippedSentence(skipped: SkippedRounds): string {
  const { inARow } = skipped;
  const [first = 0, last = 0] = [inARow[0], inARow.at(-1)];
  if (!endsTraining(skipped)) return say.roundWasSkippedItsGradient(last);
  return say.trainingEndsTheGradients(first, last) + say.keptStartAgain;
}
