import type { Said } from '../said.ts';

// allocation.tsx
export const thePlannerDidNotAnswer = 'The planner did not answer.';
export const whoHasWhichPart = 'Who has which part of the model';
export const whoTrainsWhat = 'Who trains what';
export const askingThePlanner = (label: Said): string => `${label}: asking the planner…`;
export const cannotBeShown = (label: Said, sentence: Said): string => `${label} cannot be shown: ${sentence}`;
export const asItWould = (label: Said, latencySeconds: Said): string =>
  `${label}, as it would be: ${latencySeconds} a round. It is not in use.`;
export const useItFromTheNext = 'Use it from the next round on';
export const backToThePlan = 'Back to the plan';

// alternatives.ts
export const splittingTheSamples = 'splitting the samples';
export const withTheSamplesSplit = 'with the samples split';
export const sharingTheLayersByDepth = 'sharing the layers by depth';
export const byLayers = 'by layers';
export const splittingIntoTeams = 'splitting into teams';
export const inTeams = 'in teams';
export const splittingTheModel = 'splitting the model';
export const withTheModelSplit = 'with the model split';
export const leavingItToOneDevice = 'leaving it to one device';
export const onOneDevice = 'on one device';
export const cannotBe = (policy: Said, reason: Said): string => ` ${policy} cannot be: ${reason}`;
export const isWhatWorksHere = (what: Said, latencySeconds: Said, why: Said): string =>
  `${what} is what works here: ${latencySeconds} a round.${why}`;
export const isQuickestHere = 'is quickest here';
export const isWhatIsUsed = 'is what is used';
export const aRoundItWould = (head: Said, latencySeconds: Said, how: Said, seconds: Said): string =>
  `${head}: ${latencySeconds} a round; ${how} it would be ${seconds}.`;

// limits.ts
export const inTheLastRoundsTook = (name: Said, seconds: Said, room: Said): string =>
  `In the last rounds ${name} took longest: ${seconds}, predicted ${room}.`;

// plan-table-view.tsx
export const theSameAsATable = 'The same as a table';
export const planAsATable = 'Plan as a table';
export const device = 'Device';
export const trains = 'Trains';
export const gradient = 'Gradient';
export const holds = 'Holds';
export const samples = 'Samples';
export const predicted = 'Predicted';
export const measured = 'Measured';

// plan-table.ts
export const aDeviceThatLeft = 'a device that left';
export const downToLayer = (deepest: Said): string => `down to layer ${deepest}`;
export const headOnly = 'head only';
export const all = (total: Said): string => `all ${total}`;
export const ofWord = (start: Said, start2: Said, total: Said): string => `${start}–${start2} of ${total}`;
export const notYet = 'not yet';
export const noAdaptersAndNotTrained = (bare: Said, bare2: Said, bare3: Said): string =>
  ` ${bare} ${bare2} no adapters and ${bare3} not trained.`;
export const layersAndTheHeadNo = (layers: Said, rest: Said): string =>
  `${layers} layers and the head; no plan yet.${rest}`;
export const aDeviceThatLeftTitle = 'A device that left';
export const trainsPredicted = (name: Said, layers: Said, seconds: Said): string =>
  `${name} trains ${layers}, predicted ${seconds}`;
export const devicesShareLayers = (who: Said, layers: Said, rest: Said): string =>
  `${who} devices share ${layers} layers and the head. The table below lists them.${rest}`;

// policy-bars.tsx
export const waysOfSharingTheWork = 'Ways of sharing the work, and what a round would take';
export const inUse = 'in use';
