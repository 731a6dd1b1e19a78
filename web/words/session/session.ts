import type { Said } from '../said.ts';

// join-session.ts
export const anotherDeviceLeadsTheSession = 'Another device leads the session now.';
export const thisDeviceLeadsTheSession = 'This device leads the session now.';
export const theLinkToTheHost = (why: Said): string => `The link to the host is down (${why}) Trying again.`;
export const tryingAgain = (error: Said): string => `${error} Trying again.`;

// link-to-host.ts
export const theHost = 'the host';

// look.ts
export const theServerDoesNotAnswer = 'The server does not answer. Check the connection, then try again.';
export const theServer = 'The server';

// members.ts
export const thisDeviceWasAway =
  'This device was away, and another one leads the session now. This one takes part in it; rounds that it trained alone meanwhile do not count.';
export const withoutTheSessionsSecretNobody = 'Without the session’s secret nobody can be its host.';

// own-session.ts
export const theSessionIsOver = 'The session is over.';
export const trainingGoes = (sentence: Said): string => `${sentence} Training goes on.`;
export const theHostWentAway = 'The host went away; this device leads the session now.';
export const youEndedTheSession = 'You ended the session.';
export const thisTabLeftTheSession = 'This tab left the session.';
export const anotherDeviceLeadsThisSession = 'Another device leads this session by now.';

/** How a session is over for who left it; a page thanks whoever this is told. */
export const youLeftTheSession = 'You left the session.';
