import type { Said } from '../said.ts';

// timeline-section.tsx
export const roundSecondBySecond = (round: Said): string => `Round ${round}, second by second`;
export const anEarlierRound = 'An earlier round';
export const aLaterRound = 'A later round';
export const devicesInRoundArrowKeys = (round: Said): string =>
  `Devices in round ${round}; arrow keys go from one to the next`;
export const theHostReadsSamplesMerges = 'the host reads samples, merges, steps';
export const predictedEnd = 'predicted end';
export const whatTheRoundWaited = 'what the round waited for';

// timeline-words.ts
export const readingSamples = 'reading samples';
export const parametersDown = 'parameters down';
export const gradientsUp = 'gradients up';
export const mergeAndStep = 'merge and step';
export const hiddenStatesUp = 'hidden states up';
export const gradientsDown = 'gradients down';
export const sent = (uploadBytes: Said): string => `; ${uploadBytes} sent`;
export const predictedToEnd = (predictedEndSeconds: Said): string => `; predicted to end at ${predictedEndSeconds}`;
export const nothingInThisRound = 'nothing in this round';
export const roundTook = (round: Said, seconds: Said): string => `Round ${round} took ${seconds}`;
export const thenMergeAndStep = (endSeconds: Said): string => `, then ${endSeconds} merge and step`;
export const decidedIt = (took: Said, name: Said, parts: Said, end: Said): string =>
  `${took}. ${name} decided it: ${parts}${end}.`;

// timeline.ts
export const aDeviceThatLeft = 'a device that left';
