import type { Said } from '../said.ts';

// curve.tsx
export const aDevice = 'a device';
export const devLoss = ', dev loss';
export const andDev = (metric: Said): string => `and dev ${metric}`;
export const atTheTop = 'At the top';
export const aDeviceBegan = 'a device began,';
export const oneTookNoPartAny = 'one took no part any more,';
export const aNewPlan = 'a new plan.';
export const theDottedLineIsWhat = (metric: Said): string =>
  `The dotted line is what a constant answer has: ${metric}.`;
export const whatTheCurveShows = 'What the curve shows';
export const leftAxis = 'Left axis';
export const dragOverTheCurve = 'Drag over the curve to look closer; press twice to see the whole again.';
export const earlierRunsLaidOver = 'Earlier runs, laid over it';

// finished-runs.tsx
export const theCurveOfIsDeleted = (run: Said): string => `The curve of “${run}” is deleted.`;
export const finishedRuns = 'Finished runs';
export const deleteWord = 'Delete';
export const deleteItsCurve = 'Delete its curve?';
export const keepIt = 'Keep it';

// run-marks.ts
export const aNewPlanWithin = 'a new plan';
export const takesNoPart = (id: Said): string => `${id} takes no part`;

// scores.ts
export const dev = (metric: Said, after: Said): string => ` Dev ${metric} ${after}.`;
export const devFrom = (metric: Said, before: Said, after: Said): string =>
  ` Dev ${metric} from ${before} to ${after}.`;
export const noRoundIsFinishedYet = (scoreSentence: Said): string => `No round is finished yet.${scoreSentence}`;
export const lossInRound = (loss: Said, round: Said): string => `Loss ${loss} in round ${round}.`;
export const lossFromInRound = (loss: Said, round: Said, loss2: Said, round2: Said): string =>
  `Loss from ${loss} in round ${round} to ${loss2} in round ${round2}.`;
export const loss = 'Loss';
export const gradientNorm = 'Gradient norm';
export const learningRate = 'Learning rate';
export const secondsARound = 'Seconds a round';
export const lossWithLoss = (loss: Said): string => `loss ${loss}`;
export const gradientNormWithGradientNorm = (gradientNorm: Said): string => `gradient norm ${gradientNorm}`;
export const learningRateWithLearningRate = (learningRate: Said): string => `learning rate ${learningRate}`;
export const devWithMetric = (metric: Said, metric2: Said): string => `dev ${metric} ${metric2}`;
export const devLossWithLoss = (loss: Said): string => `dev loss ${loss}`;
export const round = (round: Said, filter: Said): string => `Round ${round}: ${filter}.`;
export const theLastScoreTook = (elapsedSeconds: Said): string => ` The last score took ${elapsedSeconds}.`;
export const roundWithin = 'round';
export const rounds = 'rounds';
export const inARound = (round: Said, seconds: Said, seconds2: Said, scored: Said): string =>
  `${round} in ${seconds}, ${seconds2} a round.${scored}`;
