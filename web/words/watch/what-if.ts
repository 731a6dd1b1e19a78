import type { Said } from '../said.ts';

// what-if-fold.tsx
export const thePlannerDidNotAnswer = 'The planner did not answer.';
export const copiedSave = 'Copied: save it as a file, and “tabloom plan FILE” plans it on a terminal.';
export const thisBrowserDoesNotLet = 'This browser does not let pages copy here.';
export const whatWould =
  'What would be if the room were another: for trying out. Nothing here touches the room, and nobody else sees it.';
export const samplesARound = (samples: Said): string => `Samples a round: ${samples}`;
export const policyInThisTrial = 'Policy, in this trial';
export const asIt = 'As it is';
export const copyAsAPlanFile = 'Copy as a plan file';
export const thePlanOfTheRoom = 'The plan of the room that would be; cells that moved are outlined.';
export const speed = 'Speed';
export const memory = 'Memory';
export const uplink = 'Uplink';

// what-if.ts
export const phone = 'Phone';
export const laptop = 'Laptop';
export const notHere = (kind: Said): string => `${kind} (not here)`;
export const notHereWithKind = (kind: Said, value: Said): string => `${kind} ${value} (not here)`;
export const aRound = (then: Said): string => `${then} a round.`;
export const aRoundAsNow = (then: Said): string => `${then} a round, as now.`;
export const aRoundInsteadOfPercent = (then: Said, now: Said, change: Said, change2: Said): string =>
  `${then} a round instead of ${now}: ${change} % ${change2}.`;
export const asItWithin = 'as it is';
export const clothPictureOfWhatWouldBe = 'Cloth picture of what would be';
export const sliderOf = (slider: Said, name: Said): string => `${slider} of ${name}`;
