import type { Said } from '../said.ts';

// asking.ts
export const theModelIsStillLoading = 'The model is still loading on this device; try again in a moment.';
export const thisDeviceCannotRun = (sentence: Said): string => `This device cannot run the model: ${sentence}`;

// checkpoints.ts
export const trainingGoes = (sentence: Said): string => `${sentence} Training goes on.`;

// host-key.ts
export const ofAnotherSession = 'of another session';
export const noKey = 'no key';
export const theKeyBesideTheCheckpoint = (success: Said): string =>
  `The key beside the checkpoint is ${success}. Move it away to go on in a new session.`;

// host-links.ts
export const theLinkToIsDown = (device: Said, why: Said): string => `The link to ${device} is down: ${why}`;
export const theSessionIsOver = 'The session is over.';
export const aDeviceCouldNot = (error: Said): string => `A device could not be linked: ${error}`;
export const aDevice = 'a device';

// own-door.ts
export const aDeviceTitle = 'A device';
export const wasRemovedItShowedOther = (name: Said): string =>
  `${name} was removed: it showed other digits, so somebody may sit between the two of you.`;

// own-keeping.ts
export const theSessionIsNotOpen = 'The session is not open yet; there is nothing to save.';

// session-note.ts
export const theCheckpointDoesNotSay =
  'The checkpoint does not say of which session it is; only what a session kept can be gone on with.';

// table-giving.ts
export const itHasAtMostCan = (bytes: Said, maxGivenTableBytes: Said): string =>
  `It has ${bytes}; at most ${maxGivenTableBytes} can be given.`;
export const theNamesOfItsColumns = 'The names of its columns are too long.';
export const theTableStays = (why: Said): string => `The table stays on this device alone. ${why}`;
