import type { Said } from '../said.ts';

// limits.ts
export const theOfDataThatYou = (dataMegabytes: Said): string =>
  `The ${dataMegabytes} of data that you allow are used. Raise the limit to go on.`;
export const itIsNotCharging = 'It is not charging. It goes on by itself once it is plugged in.';
export const aWholeNumberOfMegabytes = (maxDataMegabytes: Said): string =>
  `A whole number of megabytes from 1 to ${maxDataMegabytes}, or nothing.`;

// own-device.tsx
export const device = (letter: Said): string => `Device ${letter},`;
export const whatThisDeviceHasGiven = 'What this device has given';
export const goOn = 'Go on';
export const pauseMyDevice = 'Pause my device';
export const leave = 'Leave';
export const itCanBePaused = 'It can be paused as soon as it is ready.';

// own-limits.tsx
export const whatThisDeviceMayUse = 'What this device may use';
export const dataForThisSession = 'Data for this session, in MB';
export const bothDirectionsTogetherEmpty = (usedBytes: Said): string =>
  `Both directions together; empty is no limit. ${usedBytes} so far, the model’s download apart.`;
export const onlyWhileItIsCharging = 'Only while it is charging';

// own-words.ts
export const itTriesAgainByItself = 'It tries again by itself.';
export const theHost = 'The host';
export const thisDeviceCannotTrain = 'This device cannot train';
export const theOthersGoOnWithout = (sentence: Said): string => `${sentence} The others go on without it.`;
export const gettingReady = 'Getting ready';
export const thisDeviceIsLoading = (transfer: Said): string => `This device is loading the model${transfer}.`;
export const thisDeviceIsMeasuring = 'This device is measuring its speed.';
export const waitsToBeTold = 'waits to be told which part of the model to hold';
export const isToHold = (stage: Said): string => `is to hold ${stage}`;
export const measured = 'Measured';
export const thisDevice = (what: Said): string => `This device ${what}.`;
export const joining = 'Joining';
export const thisDeviceIsOnItsWayInto = 'This device is on its way into the session.';
export const yourDeviceRests = 'Your device rests';
export const theOthersDoItsPart = (restReason: Said): string => `${restReason} The others do its part.`;
export const yourDeviceIsPaused = 'Your device is paused';
export const theOthersDoItsPartGo = 'The others do its part. Go on whenever you like.';
export const thisDeviceWaits = 'This device waits for its link to the host.';
export const readyButNotLinked = 'Ready, but not linked';
export const ready = 'Ready';
export const startsTheTraining = (hostName: Said): string => `${hostName} starts the training.`;
export const itWillTrainStarts = (work: Said, hostName: Said): string =>
  `It will train ${work}. ${hostName} starts the training.`;
export const paused = 'Paused';
export const nothingIsLostTheHost = 'Nothing is lost; the host can go on at any time.';
export const standingBy = 'Standing by';
export const thisPlanIsQuickerWithout =
  'This plan is quicker without your device. It measures itself again now and then, and steps in when another one leaves.';
export const theOthersWait = 'The others wait for your device';
export const thisRoundTakesMoreThan =
  'This round takes more than twice its time. Keep this tab in front; if nothing comes, others take over.';
export const doneWithItsPart = 'Done with its part';
export const itWaitsForTheOthers = (timeLeft: Said): string => `It waits for the others. ${timeLeft}`;
export const training = (work: Said): string => `Training ${work}`;
export const isLoaded = (share: Said): string => `${share} is loaded`;
export const round = 'round';
export const rounds = 'rounds';
export const toCome = (total: Said): string => `${total} to come`;
export const ofWord = (total: Said): string => `of ${total}`;
export const roundIs = 'round is';
export const roundsAre = 'rounds are';
export const ofDone = (done: Said, total: Said): string => `${done} of ${total} done`;
export const ofAllTheWork = 'Of all the work';
export const ofTheWorkSinceYou = 'Of the work since you came';
export const samples = 'Samples';
export const computing = 'Computing';
export const sent = 'Sent';
export const yourDeviceWasThere = 'Your device was there for the others, even if no round needed it yet.';
export const yourDeviceWorked = (samples: Said, rounds: Said, share: Said, seconds: Said): string =>
  `Your device worked on ${samples} in ${rounds}: ${share} of all the work, ${seconds} of computing.`;
export const charging = ', charging';
export const batteryPercent = (level: Said, charging: Said): string => `Battery ${level} %${charging}`;
export const plugItInOrPause = (text: Said): string => `${text}: plug it in, or pause it`;
export const yourDeviceHasBecomeTimes = (times: Said): string =>
  `Your device has become ${times} times slower since it began; it may be hot. Give it air, or pause it for a while.`;
export const theScreenStays = 'The screen stays on by itself.';
export const thisBrowserDidNotKeep =
  'This browser did not keep the screen on (a low battery does that): touch it now and then, or plug it in.';
export const thisBrowserCannotKeep =
  'This browser cannot keep the screen on: set it to stay on in the device’s settings. A locked device stops training.';
