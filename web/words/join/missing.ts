import type { Said } from '../said.ts';

// last-end-words.ts
export const loading = (model: Said): string => `loading ${model}`;
export const tryingOutWhetherTrainingMay = (bytes: Said): string => `trying out whether training may take ${bytes}`;
export const sample = 'sample';
export const samples = 'samples';
export const trainingAtATime = (samples: Said, bytes: Said): string => `training ${samples} at a time (${bytes})`;
export const trainingTakesAtMostNow = (claimBytes: Said): string =>
  ` Training takes ${claimBytes} at most now, and more again as sessions go well.`;
export const lastTimeThisPageEnded = (doing: Said, then: Said): string =>
  `Last time this page ended in the background while it was ${doing}. Keep it in front while it trains.${then}`;
export const lastTimeThisPageEndedWhile = (doing: Said, then: Said): string =>
  `Last time this page ended while it was ${doing}, most likely for want of memory.${then}`;

// missing-words.ts
export const thisPageCameOverPlain =
  'This page came over plain http, so the browser keeps its graphics processor and storage from it: this device trains several times slower and keeps nothing.';
export const openItOverHttps = 'Open it over https';
export const whoeverStartedThisServerCan = 'Whoever started this server can offer https: tabloom serve --lan.';
export const thisBrowserHasNoWebGPU =
  'This browser has no WebGPU: this device trains on its processor, several times slower.';
export const aCurrentChromeEdgeFirefox = 'A current Chrome, Edge, Firefox or Safari has it.';
export const webGPUIsADriver =
  'WebGPU is a driver in software here, slower than WebAssembly: this device trains with WebAssembly on its processor, several times slower than a graphics processor would.';
export const ifItHasOneSwitch =
  'If it has one, switch on “hardware acceleration” in the browser’s settings. What a device computes on can be chosen under “This device”, or “More” where one joins.';
export const thisBrowserDoesNotUse =
  'This browser does not use a graphics processor here: this device trains on its processor, several times slower.';
export const ifItHasOneSwitchOnHardware = 'If it has one, switch on “hardware acceleration” in the browser’s settings.';

// missing.tsx
export const theServerDoesNotAnswer =
  'The server does not answer; this page came from what this device keeps. A session that you start now trains on this device alone, and nobody can join it.';
export const aNewerVersion = 'A newer version of this page is there.';
export const loadIt = 'Load it';
