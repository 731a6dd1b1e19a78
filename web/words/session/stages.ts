import type { Said } from '../said.ts';

// device-seats.ts
export const thisDeviceRanOut = (limitBytes: Said): string =>
  `This device ran out of memory, or lost its graphics processor. It goes on, and claims ${limitBytes} at most from now on.`;

// neighbour-links.ts
export const anotherLinkTookItsPlace = 'Another link took its place.';
export const aNeighbouringStageSaidWhat = 'A neighbouring stage said what only a host says.';

// run-holder.ts
export const theModelDidNotLoad = 'The model did not load.';

// stage-audits.ts
export const thisDeviceHasAsMany = 'This device has as many stages to compute again as it takes.';
export const theDeviceCouldNotCompute = 'The device could not compute the stage.';
export const thisDeviceHasNoMemory = 'This device has no memory for another run now.';
export const hiddenStatesAreNotFinite = 'Hidden states are not finite numbers any more.';

// stage-chunks.ts
export const thisDeviceHasOtherParameters = 'This device has other parameters.';
export const thisDeviceHasTooMuch = 'This device has too much to do.';
export const aNeighbouringStageSentHidden = 'A neighbouring stage sent hidden states that do not fit their samples.';
export const thisDeviceDoesNotHold = 'This device does not hold that part of the model any more.';
export const theDeviceCouldNotDo = 'The device could not do its part.';

// stage-round.ts
export const microBatchOfWhichThere = (microBatch: Said): string => `micro-batch ${microBatch}, of which there is none`;
export const hiddenStatesOfAnotherForm = 'hidden states of another form than the session has';
export const valuesOfMicroBatch = (tensor: Said, microBatch: Said, length: Said): string =>
  `${tensor} values of micro-batch ${microBatch}, which has ${length}`;
export const aNeighbouringStageSent = (what: Said): string => `A neighbouring stage sent ${what}.`;
export const aStageCameWithout = 'A stage came without its samples.';

// stage-runners.ts
export const thisDeviceHasAsMuch = 'This device has as much work waiting as it takes.';
export const thisDeviceDoesTwoStages = 'This device does two stages of this round already.';
export const thisDeviceIsAtAnother = 'This device is at another stage of this round.';

// stage-seat.ts
export const aNeighbouringStageSpoke = 'A neighbouring stage spoke for another one.';
export const thisDeviceDoesNotHave = (version: Said): string =>
  `This device does not have version ${version} of its parameters.`;
