import type { Said } from '../said.ts';

// add-device.tsx
export const noDeviceCouldBeAdded = 'No device could be added.';
export const addADevice = 'Add a device in this tab';
export const itSharesTheProcessor =
  'It shares the processor of this computer, so it makes nothing faster here: for trying things out. Predictions count with that.';

// device-lines.ts
export const hasTheTable = 'has the table';
export const isGivenTheTable = 'is given the table';
export const onProbation = 'on probation';
export const cannotGo = (sentence: Said): string => `cannot go on: ${sentence}`;
export const lostItsConnectionItMay = 'lost its connection; it may come back';
export const watchingConnectionLost = 'watching, connection lost';
export const theModel = 'the model';
export const loading = (what: Said, status: Said): string => `loading ${what}${status}`;
export const measuringItsSpeed = 'measuring its speed';
export const pausedByItsPerson = 'paused by its person; the others do its part';
export const readyButItsLink = 'ready, but its link to the host is not open';
export const lostTheServerStillLinked = '; lost the server, still linked to the host';
export const itsTab = (work: Said): string => `${work}; its tab is in the background, where browsers slow it down`;
export const measuredWaitsToBeTold = 'measured; waits to be told which part of the model to hold';
export const measuredIsToHold = (stage: Said): string => `measured; is to hold ${stage}`;
export const didNotDeliverInTime = 'did not deliver in time';
export const failedAgainAndAgain = 'failed again and again';
export const upToRoundOthersDo = (what: Said, since: Said, next: Said): string =>
  `${what} up to round ${since}: others do its part; it is tried again from round ${next} on, and back when it delivers`;
export const areHere = (totalBytes: Said): string => `${totalBytes} are here`;
export const ofWord = (bytes: Said, totalBytes: Said): string => `${bytes} of ${totalBytes}`;
export const hasSamplesGoThrough = (stage: Said): string =>
  `has ${stage}: samples go through it, nothing of it is trained`;
export const itHolds = (holds: Said): string => `; it holds ${holds}`;
export const standsByThisPlan = (holds: Said): string => `stands by: this plan is quicker without it${holds}`;
export const standsByThisPlanIsQuickerWithout = 'stands by: this plan is quicker without it';
export const forOfSamples = (count: Said, samplesPerRound: Said): string =>
  ` for ${count} of ${samplesPerRound} samples`;
export const willTrain = 'will train';
export const pausedTrains = 'paused; trains';
export const holds = (stage: Said): string => `; holds ${stage}`;
export const predicted = (computeSeconds: Said): string => `predicted ${computeSeconds}`;
export const measured = (measured: Said): string => `measured ${measured}`;
export const linkThroughARelay = 'link through a relay';
export const directLink = 'direct link';
export const msThereAndBack = (roundTripMs: Said): string => `${roundTripMs} ms there and back`;
export const mayTake = (limitBytes: Said): string => `may take ${limitBytes}`;
export const noLinkNeeded = 'no link needed';
export const toTheHost = (linkBitsPerSecond: Said): string => `${linkBitsPerSecond} to the host`;
export const on = (engine: Said, backend: Said): string => `${engine} on ${backend}`;

// device-list.tsx
export const devices = 'Devices';
export const moreStandByOrWatch = (folded: Said): string => `${folded} more stand by or watch`;
export const giveItTheTable = 'Give it the table';
export const giveEveryRow = (name: Said): string =>
  `Give ${name} every row of your table? It keeps them, and can go on when this tab is gone.`;
export const giveIt = 'Give it';
export const keepItHere = 'Keep it here';
export const remove = 'Remove';
export const removeItStaysOut = (name: Said): string => `Remove ${name}? It stays out.`;
export const keepIt = 'Keep it';
