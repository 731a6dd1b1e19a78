import type { Said } from '../said.ts';

// results-section.tsx
export const shared = 'Shared.';
export const tabloomPng = 'tabloom.png is in your downloads.';
export const thePictureCouldNot = 'The picture could not be made.';
export const copied = 'Copied.';
export const tabloomMd = 'tabloom.md is in your downloads.';
export const wovenBy = 'Woven by';
export const more = 'more';
export const ofEarlierRoundsThisPage = (untold: Said): string =>
  `Of ${untold} earlier rounds this page was not told who did what.`;
export const shareAPicture = 'Share a picture';
export const copyAsMarkdown = 'Copy as Markdown';
export const you = 'you';
export const samplesOfComputing = (samples: Said, seconds: Said): string =>
  `${samples} samples, ${seconds} of computing`;

// results.ts
export const aDeviceThatLeft = 'a device that left';
export const theHost = 'the host';
export const togetherItTook = (together: Said): string => `Together it took ${together}`;
export const aloneWouldHaveNeededAbout = (took: Said, host: Said, alone: Said): string =>
  `${took}; ${host} alone would have needed about ${alone}.`;
export const aloneWouldHaveBeen = (took: Said, host: Said, alone: Said): string =>
  `${took}. ${host} alone would have been as quick: about ${alone}.`;
export const device = 'device';
export const devices = 'devices';
export const fineTunedTogether = (devices: Said): string => `Fine-tuned together by ${devices}`;
export const dev = (metric: Said): string => `dev ${metric}`;
export const round = 'round';
export const rounds = 'rounds';
export const inWord = (seconds: Said): string => ` in ${seconds}`;
export const deviceOfTheWorkSamples = '| device | of the work | samples | computing |';

// share-picture.ts
export const thisBrowserDrawsNoPictures = 'This browser draws no pictures.';
export const tabloom = 'Tabloom';
