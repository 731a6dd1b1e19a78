import type { Said } from '../said.ts';

// channel-link.ts
export const theConnectionDoesNotTake = 'The connection does not take what is sent over it.';
export const theOtherSideSendsMore = 'The other side sends more messages than any device has to say.';
export const theConnectionWasClosed = 'The connection was closed.';
export const theConnectionBroke = 'The connection broke.';
export const aLinkSendsNothingBefore = 'A link sends nothing before the other side is known.';
export const theConnectionWasClosedHere = 'The connection was closed here.';
export const theOtherSideStoppedAnswering = 'The other side stopped answering.';
export const theConnectionBrokeWhileSending = 'The connection broke while sending.';
export const aPeerSentTextWhere = 'A peer sent text where bytes belong.';
export const aPeerSentTensorsBefore = 'A peer sent tensors before it was clear who it is.';
export const aPeerSentSomethingUnreadable = 'A peer sent something unreadable.';
export const theOtherSideDidNot = 'The other side did not say who it is.';

// fingerprints.ts
export const theConnectionToTheOther =
  'The connection to the other device names a certificate in a way that cannot be checked.';
export const theConnectionToTheOtherDeviceNames = 'The connection to the other device names no certificate.';

// link-address.ts
export const typeTheSixCharacters = 'Type the six characters of the code, or paste the whole link.';
export const thisLinkHasNoRoom = 'This link has no room code in it; a session link has #room= and six characters.';
export const theCodeAfterRoom = 'The code after #room= is missing; copy the link again, to its end.';
export const aCodeHasSixLetters = (code: Said): string =>
  `A code has six letters and digits; this one has ${code}. Check it against the host's screen.`;
export const copyTheLinkAgain = 'Copy the link again, to its end, or type the code alone and wait to be let in.';
export const theSecretAfterSecret = (copyAgain: Said): string => `The secret after &secret= is missing. ${copyAgain}`;
export const cannotStandInTheSecret = (stranger: Said, copyAgain: Said): string =>
  `"${stranger}" cannot stand in the secret of a link. ${copyAgain}`;
export const theSecretOfALink = (secretLength: Said, secret: Said, copyAgain: Said): string =>
  `The secret of a link has ${secretLength} characters; this one has ${secret}. ${copyAgain}`;
export const theSecretOfThisLink = (copyAgain: Said): string =>
  `The secret of this link was changed on the way. ${copyAgain}`;
export const codesHoldNo0O = (character: Said): string =>
  `Codes hold no 0, o, 1, l or i, so "${character}" must be another character. Check it against the host's screen.`;
export const cannotStandInACode = (character: Said): string =>
  `"${character}" cannot stand in a code: six letters and digits, such as abc234.`;

// link-probe.ts
export const theHostDidNotAnswer = 'The host did not answer while the link was measured.';

// message-link.ts
export const theTabClosedItsOwn = 'The tab closed its own link.';

// peer-connection.ts
export const theOtherSideOpened = 'The other side opened a channel that nobody asked for.';
export const theOtherSideSendsPictures = 'The other side sends pictures or sound, which no device does.';

// peer-links.ts
export const theNetworkIsAnother = 'The network is another one.';
export const theIntroductionServerIsNot = 'The introduction server is not connected.';
export const theSessionIsOver = 'The session is over.';
export const theOtherDeviceCouldNot = 'The other device could not be reached over WebRTC.';
export const theOtherDeviceIsNot = 'The other device is not there any more.';
export const theConnectionToTheOtherDeviceWas = 'The connection to the other device was closed.';
export const theConnectionToTheOtherDeviceFailed = 'The connection to the other device failed.';

// proof.ts
export const somebodyMaySitBetween =
  "Somebody may sit between this device and the other one, or one of them has another session's link. Ask for the link again.";
export const theOtherDeviceDidNot =
  'The other device did not show that it knows the link of this session, which it must here.';
export const theOtherDeviceSpokeBefore = 'The other device spoke before it was clear who it is.';
export const theOtherDevice = 'The other device';

// room-client.ts
export const theServerDoesNotKnow =
  'The server does not know this session’s code any more and gives it a new one. Share the new link.';
export const theServer = 'The server';
