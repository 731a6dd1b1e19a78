import type { Said } from '../said.ts';

// cloth-legend.tsx
export const trainsThisBlock = 'trains this block';
export const gradientPassesThrough = 'gradient passes through';
export const forwardPassOnly = 'forward pass only';
export const noAdaptersPassedNotTrained = 'no adapters: passed, not trained';
export const weightMeasuredTimeLinePredicted = 'weight: measured time, line: predicted';

// cloth-picture.tsx
export const clothPicture = 'Cloth picture';
export const scrollsSidewaysWhenThere = (name: Said): string => `${name}, scrolls sideways when there are many devices`;
export const whoTrainsWhichBlock = 'Who trains which block';
export const layer = 'layer';
export const depth = 'depth';
export const loss = 'loss';
export const layerWithLayer = (layer: Said): string => `layer ${layer}`;
export const depthWithDepth = (depth: Said): string => `depth ${depth}`;
export const seconds = 'seconds';
export const aRound = 'a round';

// cloth-thread.tsx
export const theRoundWaits = 'the round waits for it';
export const trainsInThisPlan = 'trains in this plan';
export const standsBy = 'stands by';
export const getsReady = 'gets ready';
export const pausedByItsPerson = 'paused by its person';
export const noDataLink = 'no data link to the host';
export const connectionLost = 'connection lost';
export const cannotGo = 'cannot go on';
export const gettingReady = 'getting ready';
export const noLink = 'no link';
export const ofWord = (part: Said, samples: Said): string => `${part} of ${samples}`;

// host-away.ts
export const theHostIsAway = 'The host is away';
export const nothingIsLost = (room: Said): string => `Nothing is lost. ${room}`;

// late-round.ts
export const thisDevice = 'this device';
export const aDevice = 'a device';
export const whoseTab = (name: Said): string => `${name}, whose tab is in the background`;
export const itWasToTake = (latencySeconds: Said): string => ` It was to take ${latencySeconds}.`;
export const thisRoundWaits = (whom: Said, predicted: Said): string =>
  `This round waits for ${whom}.${predicted} If nothing comes, others take over.`;

// own-work.ts
export const withWord = (stage: Said): string => `with ${stage}`;
