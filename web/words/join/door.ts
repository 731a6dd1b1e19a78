import type { Said } from '../said.ts';

// compare-digits.tsx
export const notProvenSomebodyCouldSit = (name: Said): string =>
  `Not proven: somebody could sit between you. Does ${name} show`;
export const too = ', too?';
export const theSame = (name: Said): string => `The same on ${name}`;
export const theSameTitle = 'The same';
export const others = 'Others';
export const showsOtherDigits = (name: Said): string => `${name} shows other digits`;
export const thenRemoveSomebodyMaySit = (name: Said): string => `Then remove ${name}: somebody may sit between you.`;
export const remove = (name: Said): string => `Remove ${name}`;
export const lookAgain = 'Look again';

// door-choice.tsx
export const whoMayCome = 'Who may come in';
export const devicesAtMost = 'Devices at most';
export const yoursIsAmongThemNobody = 'Yours is among them. Nobody who is in has to go.';
export const chooseANumber = (minDevices: Said, maxDevicesInRoom: Said): string =>
  `Choose a number from ${minDevices} to ${maxDevicesInRoom}.`;

// door-words.ts
export const whoeverHasTheLink = 'Whoever has the link';
export const theLinkOrItsQr =
  'The link, or its QR code, lets a device in at once. The code alone brings it to your door, and you decide.';
export const whomILet = 'Whom I let in';
export const linkOrCodeBring = 'Link or code bring a device to your door, and you decide.';
export const whoeverHasTheCode = 'Whoever has the code';
export const linkOrCodeLet = 'Link or code let a device in at once. A code can be guessed in time.';
export const nobodyNew = 'Nobody new';
export const neitherLinkNorCodeLets = 'Neither link nor code lets a new device in. Who was in may come back.';
export const toReadOutWhoeverTypes = 'to read out: whoever types it waits until you let them in';
export const toReadOutItLets = 'to read out: it lets a device in at once';
export const isOfNoUseWhile = 'is of no use while nobody new may come in';
export const deviceWaits = 'device waits';
export const devicesWait = 'devices wait';
export const atYourDoor = (count: Said): string => `${count} at your door`;
export const ofAtMost = (count: Said, cap: Said, count2: Said): string => `${count} of at most ${cap} ${count2} in`;
export const hasYourLink = 'has your link';
export const hasTheCodeAloneNot = 'has the code alone, not your link';
export const andWantsToWatchOnly = ', and wants to watch only';
export const aDeviceThatYouRemoved = '. A device that you removed came from the same address';

// invite.tsx
export const inviteDevices = 'Invite devices';
export const fillTheScreen = 'Fill the screen';
export const code = 'Code';
export const sessionLink = 'Session link';
export const copy = 'Copy';
export const tabloomSession = 'Tabloom session';
export const share = 'Share';
export const copied = 'Copied.';
export const theLinkIsMarkedCopy = 'The link is marked; copy it with your keyboard.';
export const thisLinkOpens =
  'This link opens on this computer only. To invite others, start the server with --host 0.0.0.0 and open the page under the address that it prints.';

// qr-code.tsx
export const qrCodeOfTheSessions = 'QR code of the session’s link';

// reading-words.ts
export const ofYourTable = ' of your table';
export const everyDeviceThatTrainsReads = (ownTable: Said): string =>
  `Every device that trains reads the rows that it trains on or scores, labels included. It gets them as token ids, which anybody can turn back into text, and one device may get every row${ownTable}.`;
export const everyoneInTheSessionSees =
  'Everyone in the session sees the devices’ names and what they measured of themselves, the plan, the losses and scores, and what the task and its classes are called.';
export const theServerSeesThoseNames =
  'The server sees those names, measurements, plans, losses and scores. Rows, weights and gradients do not pass through it.';
export const becauseTheTableIsYours =
  'Because the table is yours, you let each device in by hand, until you choose otherwise in the session.';
export const theyAreTheHostsOwn = ' They are the host’s own; treat them so.';
export const yourDeviceGetsRows = (ownTable: Said): string =>
  `Your device gets rows to train on, labels included, as token ids: they are text that it could read.${ownTable}`;
export const everyoneInTheSessionSeesYourDevices =
  'Everyone in the session sees your device’s name, and what it measured of itself: speed, memory, connection.';
export const theHostGetsTheGradients =
  'The host gets the gradients that your device computes. Nothing else of your device is read, and nothing is installed.';
export const theServerSeesNamesMeasurements =
  'The server sees names, measurements, plans, losses and scores. Rows, weights and gradients do not pass through it.';

// reading.tsx
export const whatOthersCanRead = 'What others can read';

// waiting-list.tsx
export const headless = 'headless';
export const letIn = (name: Said): string => `Let in: ${name}`;
export const letInTitle = 'Let in';
export const notNow = (name: Said): string => `Not now: ${name}`;
export const notNowTitle = 'Not now';
export const letInAllWhoHave = (invited: Said): string => `Let in all ${invited} who have your link`;

// wall.tsx
export const joinWithYourPhone = 'Join with your phone';
export const openTheDoorAgain = 'Open the door again';
export const lockTheDoor = 'Lock the door';
export const close = 'Close';
