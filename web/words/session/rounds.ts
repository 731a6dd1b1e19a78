import type { Said } from '../said.ts';

// answers.ts
export const anAuditCameWithout = 'An audit came without its parameters.';

// audits.ts
export const whenItCheckedAPart = (round: Said): string => `when it checked a part of round ${round}, `;
export const inRound = (round: Said): string => `in round ${round} `;
export const wasRemovedChecked = (device: Said, what: Said, mismatch: Said, who: Said): string =>
  `${device} was removed: ${what}${mismatch} (checked by ${who}).`;
export const forNobodyElseHas = (stage: Said): string =>
  `, for nobody else has the memory for ${stage} beside their own run, or was there in time`;
export const unauditedNoOtherDeviceCould = (device: Said, round: Said, what: Said): string =>
  `Unaudited: no other device could compute again what ${device} gave to round ${round}${what}.`;

// compare.ts
export const gradientsOfAndValues = (a: Said, b: Said): string =>
  `Gradients of ${a} and ${b} values are not of one block.`;
export const itsAnswerToExamples = 'its answer to examples of a score';
export const whatItSentUp = 'what it sent up';
export const whatItSentDown = 'what it sent down';
export const itsGradientOfTheHead = 'its gradient of the head';
export const itsGradientOfLayer = (part: Said): string => `its gradient of layer ${part}`;
export const itSaidThatItsLoss = (claimed: Said, found: Said): string =>
  `it said that its loss was ${claimed} where others computed ${found}`;
export const itDeniedWhatItHad = 'it denied what it had sent to a neighbour, or had been sent, in the host’s sight';
export const wasZeroWhereOthersFound = (its: Said): string => `${its} was zero where others found that it is not`;
export const pointedTheOtherWay = (its: Said): string => `${its} pointed the other way`;
export const wasTimesWhatOthersComputed = (its: Said, scale: Said): string =>
  `${its} was ${scale} times what others computed from the same samples`;
export const wasOffByPercent = (its: Said, percent: Said): string =>
  `${its} was off by ${percent} % of what others computed from the same samples`;

// stage-checks.ts
export const andDoNotSay = (device: Said, device2: Said, round: Said): string =>
  `${device} and ${device2} do not say the same of what went between them: round ${round} is done again, and what they say to each other goes by way of the host from now on.`;
export const didNotShowWhatHad = (device: Said, round: Said): string =>
  `${device} did not show what had gone over its cut in round ${round}.`;

// conducts.ts
export const deliveredInTime = (name: Said): string => `${name} delivered in time and is back.`;
export const didNotDeliverInTime = 'did not deliver in time';
export const andIsOnProbationNobody = (name: Said, what: Said): string =>
  `${name} ${what} and is on probation: nobody waits for it until it delivers.`;

// model-worker.ts
export const theSessionIsOver = 'The session is over.';

// received-batch.ts
export const anOrderCameWithout = 'An order came without its samples.';

// run-evaluation.ts
export const theEvaluationWasEnded = 'The evaluation was ended.';
export const failed = (device: Said, sentence: Said): string => `${device} failed: ${sentence}`;
export const itSentLogitsOfAnother = 'It sent logits of another size.';

// run-round.ts
export const theSessionEndedDuring = 'The session ended during a round.';
export const couldNotDoItsPart = (device: Said, sentence: Said): string =>
  `${device} could not do its part: ${sentence}`;
export const itDoesItsPart = (from: Said, why: Said, round: Said): string =>
  `${from} ${why}; it does its part of round ${round} again.`;
export const takesOverItsPart = (from: Said, why: Said, to: Said, round: Said): string =>
  `${from} ${why}; ${to} takes over its part of round ${round}.`;

// places.ts
export const anOrderOfASplit = 'An order of a split room has no stage.';

// run-pipeline.ts
export const sentLogitsOfAnotherSize = (device: Said): string => `${device} sent logits of another size.`;
export const theAnswerOfTheStages = 'The answer of the stages did not come in time.';

// run-split-round.ts
export const andNoDevice = (device: Said, why: Said, run: Said, bytes: Said, round: Said): string =>
  `${device} ${why}, and no device that is free can hold ${run} (${bytes}): round ${round} begins again when the others are laid out anew, or somebody with the memory joins.`;

// trainer-seat.ts
export const theSessionEndedBefore = 'The session ended before the text was tried.';
export const textsAreWaiting = (maxQuestions: Said): string =>
  `${maxQuestions} texts are waiting to be tried; wait for an answer first.`;
export const thisDeviceHasAsMuch = 'This device has as much work waiting as it takes.';
export const thisDeviceHasAsMany = 'This device has as many audits waiting as it takes.';
export const theDeviceCouldNotDo = 'The device could not do its part.';
export const workIsForVersionBut = (version: Said, versions: Said): string =>
  `Work is for version ${version}, but this device has version ${versions}.`;
