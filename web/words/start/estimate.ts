import type { Said } from '../said.ts';

// end-choice.tsx
export const howFarOnTheseDevices = 'How far on these devices';

// estimate.ts
export const howLongItTakes = 'How long it takes is told before training starts: this device has measured nothing yet.';
export const howLongItTakesIsToldBefore = 'How long it takes is told before training starts.';
export const roughly = (plain: Said): string => `Roughly ${plain}`;
export const atMost = (time: Said): string => `At most ${time}`;
export const aRoundForTheLast = (secondsPerRound: Said, lastScoreSeconds: Said): string =>
  `: ${secondsPerRound} a round, ${lastScoreSeconds} for the last score`;
export const onThisDeviceAlone = (said: Said, parts: Said): string =>
  `${said} on this device alone${parts}; with others, less.`;
