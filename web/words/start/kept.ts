import type { Said } from '../said.ts';

// delete-all.tsx
export const theBrowserRefused = 'the browser refused';
export const notEverythingCouldBeDeleted = (error: Said): string => `Not everything could be deleted: ${error}`;
export const deleteEverythingKept = 'Delete everything kept on this device';
export const keptSessionsAndTheirKeys =
  'Kept sessions and their keys, models, this device’s name: delete them all for good?';
export const deleteEverything = 'Delete everything';
export const keepIt = 'Keep it';

// kept-models.tsx
export const isDeletedTheNextSession = (name: Said): string =>
  `${name} is deleted; the next session with it downloads it again.`;
export const couldNotBeDeleted = (name: Said, error: Said): string => `${name} could not be deleted: ${error}`;
export const modelsKeptOnThisDevice = 'Models kept on this device';
export const deleteWord = 'Delete';
export const deleteItItCan = 'Delete it? It can be downloaded again.';

// kept-session-words.ts
export const allRoundsAreDone = (rounds: Said): string => `All ${rounds} rounds are done`;
export const roundOf = (round: Said, rounds: Said): string => `Round ${round} of ${rounds}`;
export const keptAs = (where: Said, nowMs: Said, deviceName: Said, bytes: Said): string =>
  `${where}, kept ${nowMs} as ${deviceName}; ${bytes}.`;
export const session = 'session';
export const sessions = 'sessions';
export const model = 'model';
export const models = 'models';
export const whatThisPageRemembered = 'what this page remembered';
export const deletedInAll = (went: Said, bytes: Said): string => `Deleted: ${went}; ${bytes} in all.`;

// kept-sessions.tsx
export const isDeleted = (title: Said): string => `“${title}” is deleted.`;
export const couldNotBeDeletedWithTitle = (title: Said, error: Said): string =>
  `“${title}” could not be deleted: ${error}`;
export const goOn = (title: Said): string => `Go on: ${title}`;
export const goOnTitle = 'Go on';
export const deleteItForGood = 'Delete it for good?';
export const goOnWithASession = 'Go on with a session';
export const olderOne = 'older one';
export const olderOnes = 'older ones';
export const goOnFromACheckpoint = 'Go on from a checkpoint file';
export const aSessionsCheckpoint = 'A session’s checkpoint';
export const theFileThatAHost =
  'The file that a host took along as “Checkpoint”. This device goes on from there, as the host of a new session.';
