import type { Said } from '../said.ts';

// pipeline-picture.tsx
export const stagesOfTheModelScrolls = 'Stages of the model, scrolls sideways when there are many';
export const whichDeviceHasWhichPart = 'Which device has which part of the model';
export const loss = 'loss';
export const layer = (unit: Said): string => `layer ${unit}`;
export const memory = 'memory';
export const atWork = 'at work';
export const whatADeviceHolds = 'what a device holds, and trains of it';
export const hiddenStatesGoUp = 'hidden states go up';
export const theirGradientComesDown = 'their gradient comes down';

// pipeline-words.ts
export const ofWord = (memoryBytes: Said, limitBytes: Said): string => `${memoryBytes} of ${limitBytes}`;
export const holdsIt = 'holds it';
export const fetchesIt = 'fetches it';
export const fetchesItWithFetched = (fetched: Said): string => `fetches it, ${fetched}`;
export const measuresItself = 'measures itself';
export const noLink = 'no link';
export const cannotGo = 'cannot go on';
export const has = (name: Said, run: Said, stage: Said, stage2: Said): string =>
  `${name} has ${run}, ${stage}, ${stage2}`;
export const stage = 'stage';
export const stages = 'stages';
export const through = (own: Said, own2: Said): string => `through ${own}: ${own2}.`;
export const samplesGo = (through: Said): string => `Samples go ${through}`;
export const sample = 'sample';
export const samples = 'samples';
export const ofEachRoundGo = (samples: Said, through: Said): string => `Of each round ${samples} go ${through}`;
export const go = (samples: Said, through: Said): string => `${samples} go ${through}`;
export const deviceStands = 'device stands';
export const devicesStand = 'devices stand';
export const by = (spares: Said): string => ` ${spares} by.`;
export const pipeline = 'pipeline';
export const pipelines = 'pipelines';
export const eachWithTheWholeModel = (ways: Said, counts: Said, seconds: Said, share: Said): string =>
  `${ways}, each with the whole model, share the samples of a round: ${counts}. Each sample goes up through the stages of one and its gradient comes down again; in ${seconds} a round, devices wait for each other ${share} of the time.`;
export const microBatch = 'micro-batch';
export const microBatches = 'micro-batches';
export const noDeviceHereHoldsEach = (layers: Said, seconds: Said, microBatches: Said, share: Said): string =>
  `No device here holds ${layers}. Each sample goes up through all stages and its gradient comes down again; in ${seconds} a round, ${microBatches} of it, stages wait for each other ${share} of the time.`;
export const otherStage = 'other stage is';
export const otherStages = 'other stages are';
export const notReadyEither = (open: Said): string => ` ${open} not ready either.`;
export const isToHave = 'is to have';
export const roundsWait = (name: Said, state: Said, run: Said, others: Said): string =>
  `Rounds wait for ${name}, which ${state} ${run}.${others}`;
export const holds = (name: Said, holds: Said): string => `${name} (holds ${holds})`;

// pipeline.ts
export const aDeviceThatLeft = 'a device that left';

// split-picture.tsx
export const standingBy = (spares: Said): string => `Standing by: ${spares}.`;
