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
  const [first, last] = [inARow[0], inARow.at(-1)];
  if (!endsTraining(skipped))
    return `Round ${last} was skipped: its gradient is not finite, also when computed again. Nothing was changed, and the learning rate stays where it was.`;
  return (
    `Training ends: the gradients of rounds ${first} to ${last} were not finite, also when computed again. What was trained before them is ` +
    'kept. Start again with a lower learning rate, a longer warm-up or gradients clipped to norm 1; with 16-bit weights, try 32 bit.'
  );
}
