import type { Said } from '../said.ts';

// device-report.ts
export const tabloomADevicesReport = 'Tabloom, a device’s report';
export const messagesOfVersion = (protocolVersion: Said, role: Said): string =>
  `messages of version ${protocolVersion}, as ${role}`;
export const log = 'Log';
export const browser = 'Browser';
export const coresScreenTouchPoints = (cores: Said, screen: Said, touchPoints: Said): string =>
  `  ${cores} cores, screen ${screen}, ${touchPoints} touch points`;
export const secureContextIsolatedTrainingMay = (secure: Said, isolated: Said, claimBytes: Said): string =>
  `  secure context: ${secure}; isolated: ${isolated}; training may take ${claimBytes}`;
export const inTheBackground = ' in the background';
export const endedLastInSamples = (hidden: Said, what: Said, samples: Said, bytes: Said): string =>
  `  ended last${hidden} in: ${what}, ${samples} samples, ${bytes}`;
export const graphicsProcessorNoneThatWebGPU = '  graphics processor: none that WebGPU gives';
export const notNamed = 'not named';
export const inSoftware = ', in software';
export const graphicsProcessor = (name: Said, software: Said): string => `  graphics processor: ${name}${software}`;
export const features = (features: Said): string => `  features: ${features}`;
export const failed = (sentence: Said): string => `  failed: ${sentence}`;
export const measured = 'Measured';
export const nothingYet = '  nothing yet';
export const on = (engine: Said, backend: Said): string => `  ${engine} on ${backend}`;
export const toTheHost = (flopsPerSecond: Said, memoryBytesPerSecond: Said, linkBitsPerSecond: Said): string =>
  `  ${flopsPerSecond}, ${memoryBytesPerSecond}, ${linkBitsPerSecond} to the host`;
export const memoryMayTakeWeights = (limitBytes: Said, weightsBytes: Said): string =>
  `  memory: may take ${limitBytes}, weights ${weightsBytes}`;
export const modelLayersOfWeights = (layers: Said, hiddenSize: Said, weights: Said): string =>
  `  model ${layers} layers of ${hiddenSize}, weights ${weights}`;
export const predictedAnd = (computeSeconds: Said, uploadSeconds: Said): string =>
  `, predicted ${computeSeconds} and ${uploadSeconds}`;
export const roundComputedSentSamplesDown = (
  round: Said,
  sum: Said,
  sum2: Said,
  against: Said,
  sum3: Said,
  max: Said,
): string => `  round ${round}: computed ${sum}, sent ${sum2}${against}; ${sum3} samples, down to depth ${max}`;
export const itsRounds = 'Its rounds';
export const msThereAndBack = (roundTripMs: Said): string => `, ${roundTripMs} ms there and back`;
export const linksOfDevices = (devices: Said): string => `Links, of ${devices} devices`;
export const aDevice = '[a device]';

// numbers-fold.tsx
export const thisDeviceInNumbers = 'This device in numbers';

// own-numbers.ts
export const graphicsProcessorTitle = 'Graphics processor';
export const computesOn = 'Computes on';
export const speedInTraining = 'Speed in training';
export const copiesInMemory = 'Copies in memory';
export const oneSample = 'One sample';
export const aLayerForwardAndBackward = (
  forwardPerLayer: Said,
  backwardPerLayer: Said,
  embed: Said,
  head: Said,
): string => `a layer ${forwardPerLayer} forward and ${backwardPerLayer} backward, embeddings ${embed}, head ${head}`;
export const aPassBesides = 'A pass besides';
export const memory = 'Memory';
export const atMostAreWeights = (limitBytes: Said, weightsBytes: Said): string =>
  `${limitBytes} at most, ${weightsBytes} are weights`;
export const linkToTheHost = 'Link to the host';
export const noneNeeded = 'none needed: it is the host';
export const download = 'Download';
export const noneThatWebGPUGives = 'none that WebGPU gives';
export const notNamedByTheBrowser = 'not named by the browser';
export const inSoftwareWithName = (name: Said): string => `${name}, in software`;

// report-on-device.tsx
export const reportOnThisDevice = 'Report on this device';
export const whatThisDeviceIsWhat =
  'What this device is, what it measured of itself and how its rounds went, as a text to paste where somebody asks for it. It has no names, codes or addresses in it, and is sent nowhere.';
export const makeTheReport = 'Make the report';
export const makeItAnew = 'Make it anew';
export const copied = 'Copied';
export const copy = 'Copy';
