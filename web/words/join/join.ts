import type { Said } from '../said.ts';

// device-memory.ts
export const memoryForTrainingMb = 'Memory for training, MB';
export const theMostThatThisDevice =
  'The most that this device gives; empty is what its browser usually bears. A model that is too large for it is split over several devices.';
export const theMemoryMust = (leastMegabytes: Said, mostMegabytes: Said): string =>
  `The memory must be ${leastMegabytes} to ${mostMegabytes} megabytes, or empty.`;

// device-name.ts
export const androidPhone = 'Android phone';
export const androidTablet = 'Android tablet';
export const chromebook = 'Chromebook';
export const windowsComputer = 'Windows computer';
export const mac = 'Mac';
export const linuxComputer = 'Linux computer';
export const device = 'Device';
export const giveThisDeviceAName = 'Give this device a name, so that others know it in the picture.';
export const aNameHasCharacters = (maxNameLength: Said, length: Said): string =>
  `A name has ${maxNameLength} characters at most; this one has ${length}.`;

// engine-field.tsx
export const computesOn = 'Computes on';
export const whereWebGPUIsADriver =
  'Where WebGPU is a driver in software, WebAssembly does the same work several times faster.';

// join.tsx
export const joinASession = 'Join a session';
export const codeOrLink = 'Code or link';
export const theWholeLink = 'The whole link, or the six letters and digits from the host’s screen.';
export const lookAtItFirst = 'Look at it first';

// look-words.ts
export const nobodyNewMayCome = (hostName: Said): string =>
  `Nobody new may come in just now. Ask ${hostName}, then look again.`;
export const deviceWithin = 'device';
export const devices = 'devices';
export const thisSessionIsFullLets = (hostName: Said, cap: Said): string =>
  `This session is full: ${hostName} lets in ${cap} at most. Look again when one has left.`;
export const youComeInAtOnce = 'You come in at once.';
export const letsEachDevice = (hostName: Said): string => `${hostName} lets each device in by hand.`;
export const yourLinkLetsYou = 'Your link lets you in.';
export const soHasToLetYou = (hostName: Said): string => `so ${hostName} has to let you in.`;
export const thisLinkIsNot = (byHand: Said): string =>
  `This link is not this session’s: it is an old one, or was changed on the way, ${byHand}`;
export const youHaveTheCodeAlone = (byHand: Said): string =>
  `You have the code alone, ${byHand} The whole link lets a device in at once.`;
export const host = 'Host';
export const awayJustNowItMay = (hostName: Said): string => `${hostName}, away just now; it may come back`;
export const model = 'Model';
export const data = 'Data';
export const aTableOfTheHosts = 'a table of the host’s own';
export const devicesTitle = 'Devices';
export const isWord = 'is';
export const are = 'are';
export const noMore = 'no more';
export const inTheHostsAmongThem = (devices: Said, more: Said): string =>
  `${devices} in, the host’s among them; ${more} may come`;
export const download = 'Download';
export const theModelItsSize = 'the model; its size is not known here';
export const atMostOnceMoreWhere = (downloadBytes: Said, engineBytes: Said): string =>
  `${downloadBytes} at most, once; ${engineBytes} more where no graphics processor can be used`;

// look.tsx
export const theServerDidNotAnswer = 'The server did not answer.';
export const lookingAtWhat = 'Looking at what it is…';
export const asksYouToFineTune = (hostName: Said): string => `${hostName} asks you to fine-tune this together.`;
export const tryAgain = 'Try again';
export const look = 'Look';
export const theSlowDownMust = 'The slow-down must be a number from 1 to 100.';
export const thisDevicesName = 'This device’s name';
export const more = 'More';
export const slowThisDeviceDown = 'Slow this device down';
export const toTryThePlannerOut = 'To try the planner out: 3 makes this device three times slower. 1 is honest.';
export const lookAgain = 'Look again';
export const joining = 'Joining…';
export const join = 'Join';
export const askToJoin = 'Ask to join';
export const onlyWatch = 'Only watch';
export const askToWatch = 'Ask to watch';

// no-server.tsx
export const withOtherDevices = 'With other devices';
export const sessionsWithOtherDevices = 'Sessions with other devices are at';
export const thisPageCameWithout = 'This page came without a Tabloom server, which devices need to find each other.';
export const runsOneOnYourComputer = 'runs one on your computer.';
export const ifThisHostIsYours = 'If this host is yours, name a server in a file';
export const besideThePage = 'beside the page:';
