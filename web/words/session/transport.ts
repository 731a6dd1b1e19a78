import type { Said } from '../said.ts';

// read-events.ts
export const theServerSentAnEvent = 'The server sent an event that is too long.';

// unreachable.ts
export const theOtherDevice = 'the other device';
export const noAnswerCame = (other: Said): string =>
  `No answer came from ${other}. Is its tab in front, and its screen on?`;
export const thisDeviceAndDoNot = (other: Said): string => `This device and ${other} do not reach each other directly`;
export const andThisServerHasNo = (direct: Said): string =>
  `${direct}, and this server has no relay. Bring both into one network, such as the same Wi-Fi; where they are in one, allow this browser the local network in the device’s settings. Whoever runs the server can name a relay (--ice turn:…).`;
export const andThisDeviceDoesNot = (direct: Said): string =>
  `${direct}, and this device does not reach the relay. Try another network on this device.`;
export const andDoesNotReach = (direct: Said, other: Said): string =>
  `${direct}, and ${other} does not reach the relay. Try another network there.`;
export const norThroughTheRelayTry = (direct: Said): string =>
  `${direct}, nor through the relay. Try another network on one of them.`;
