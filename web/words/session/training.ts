import type { Said } from '../said.ts';

// checking.ts
export const roundIs = (from: Said): string => `Round ${from} is`;
export const roundsTo = (round: Said, from: Said): string => `Rounds ${round} to ${from} are`;
export const roundsToTookParts = (to: Said, round: Said): string =>
  ` Rounds ${to} to ${round} took parts of it too and are too long ago to be undone.`;
export const undoneAndRepeatedBecauseNobody = (rounds: Said, kept: Said): string =>
  `${rounds} undone and repeated, because nobody had checked what that device gave to them.${kept}`;

// crew.ts
export const aDevice = 'A device';

// early-stop.ts
export const theLastEvaluationWas = 'The last evaluation was';
export const theLastEvaluationsWere = (patience: Said): string => `The last ${patience} evaluations were`;
export const noBetterThan = (evaluations: Said, round: Said): string =>
  `${evaluations} no better than the one after round ${round}: training ends early.`;

// pipelines.ts
export const theEvaluationWasEnded = 'The evaluation was ended.';

// skipped-rounds.ts
export const roundWasSkippedItsGradient = (last: Said): string =>
  `Round ${last} was skipped: its gradient is not finite, also when computed again. Nothing was changed, and the learning rate stays where it was.`;
export const trainingEndsTheGradients = (first: Said, last: Said): string =>
  `Training ends: the gradients of rounds ${first} to ${last} were not finite, also when computed again. What was trained before them is `;
export const keptStartAgain =
  'kept. Start again with a lower learning rate, a longer warm-up or gradients clipped to norm 1; with 16-bit weights, try 32 bit.';

// training.ts
export const trainingWasPaused = 'Training was paused:';
export const theStagesOfThisRoom =
  'The stages of this room do not all hold their part of the model yet; try again in a moment.';
export const theLastRoundCouldNot = (error: Said): string => `The last round could not be scored: ${error}`;
