import type { Rate } from './allowance.ts';

/** What one server takes, and from whom. Whoever runs a server can set each of them: `serve --limit NAME=NUMBER`. */
export interface Limits {
  /** Sessions on this server, and of one address. */
  readonly rooms: number;
  readonly roomsOfAddress: number;
  /** Connections open at once on this server, and of one address. A device has two: to its room, and for introductions. */
  readonly connections: number;
  readonly connectionsOfAddress: number;
  /** Connections that an address opens. */
  readonly openingsOfAddress: Rate;
  /** Messages of one connection to a room, of one for introductions, of an address, and of all devices in a room together; its host has as much for itself. */
  readonly messagesOfConnection: Rate;
  readonly introductionsOfConnection: Rate;
  readonly messagesOfAddress: Rate;
  readonly messagesOfRoom: Rate;
  /** Looks at sessions from outside, and devices that come to a door to wait there. */
  readonly looksOfAddress: Rate;
  readonly looksOfRoom: Rate;
  /** Codes, keys and passes that were wrong. */
  readonly wrongGuessesOfAddress: Rate;
  readonly wrongGuessesOfRoom: Rate;
  /** Seats taken in a room, by new devices and by those that come back. */
  readonly seatsOfRoom: Rate;
  /** Bytes of introductions that one device is sent. */
  readonly introductionBytesOfDevice: Rate;
  /** Bytes of news that all in a room together are sent in a second; what is more waits, and only the newest is told. */
  readonly newsBytesOfRoomPerSecond: number;
  /** Messages of news of all rooms together; beyond it rooms are told less often. */
  readonly newsMessages: Rate;
}

export const DEFAULT_LIMITS: Limits = {
  rooms: 1000,
  roomsOfAddress: 40,
  connections: 20_000,
  connectionsOfAddress: 2000,
  openingsOfAddress: { perSecond: 50, burst: 1500 },
  messagesOfConnection: { perSecond: 60, burst: 200 },
  introductionsOfConnection: { perSecond: 50, burst: 2000 },
  messagesOfAddress: { perSecond: 2000, burst: 6000 },
  messagesOfRoom: { perSecond: 800, burst: 2000 },
  looksOfAddress: { perSecond: 2, burst: 120 },
  looksOfRoom: { perSecond: 10, burst: 300 },
  wrongGuessesOfAddress: { perSecond: 0.5, burst: 30 },
  wrongGuessesOfRoom: { perSecond: 1, burst: 60 },
  seatsOfRoom: { perSecond: 10, burst: 150 },
  introductionBytesOfDevice: { perSecond: 128 * 1024, burst: 1024 * 1024 },
  newsBytesOfRoomPerSecond: 350_000,
  newsMessages: { perSecond: 1500, burst: 300 },
};

/** A connection that has not entered a session by then is closed. */
export const ENTER_MS = 10_000;
/** A connection that says nothing for so long is asked whether it still is there … */
export const PING_MS = 15_000;
/** … and closed when it left so many questions unanswered. */
export const MAX_UNANSWERED = 2;
/** A connection for introductions that is silent for so long is closed: PeerJS cannot be asked, and says something every five seconds itself. */
export const INTRODUCTION_SILENCE_MS = 90_000;
/** A device whose control connection and link are both gone may come back within this time before others see it leave. */
export const OFFLINE_GRACE_MS = 20_000;
/** A device waits at a door at most so long. */
export const WAITING_MS = 10 * 60_000;
/** A host whose connection is gone may come back within this time before its role is offered to others: long enough to load its tab again. */
export const HEIR_WAIT_MS = 8000;
/** A host that says nothing for so long is asked sooner than others whether it still is there: every client says something every 3 or 4 s … */
export const HOST_QUIET_MS = 5000;
/** … again after so long … */
export const HOST_ASK_MS = 1500;
/** … and taken for lost once it was silent for so long, though its connection is open; a tab in the background for so long. */
export const HOST_SILENT_MS = 8000;
export const HIDDEN_HOST_SILENT_MS = 12_500;
/** The devices of a host that fell silent have so long to say what they hold. That it may come back was waited for already. */
export const SILENT_HEIR_WAIT_MS = 1500;
/** The same after this server forgot the session: those who were in it come back one after the other. */
export const REVIVED_WAIT_MS = 10_000;
/** A room whose host is gone is kept so long for the host's return. */
export const HOST_GRACE_MS = 10 * 60_000;
/** News of a room is told to its host, and to others, at most this often: the host works by it, the others look at it. */
export const TELL_HOST_MS = 30;
export const TELL_MS = 200;
/** Rooms that are told their news in one turn: some milliseconds of a full server's time. */
export const TELLINGS_AT_ONCE = 2;
/** Rounds make the planner look whether another plan has become better: of one room, so often. */
export const LOOK_EVERY_MS = 2000;
/** Of the planner's time that looks of all rooms may take. */
export const LOOK_SHARE = 0.25;
/** News that somebody has not yet said to have seen; beyond it no more is sent … */
export const MAX_UNSEEN_BYTES = 512 * 1024;
export const MAX_UNSEEN = 32;
/** … and a connection that has not seen it after so long is closed. */
export const STAYS_BEHIND_MS = 30_000;
/** Times that somebody may ask for the whole room again. */
export const RESYNCS: Rate = { perSecond: 0.2, burst: 5 };
/** Addresses that are kept in mind; who went quiet is forgotten every so often. */
export const MAX_ADDRESSES = 100_000;
export const SWEEP_MS = 60_000;
/** Credentials for a TURN server are good for so long, and are given anew at half of it. */
export const TURN_SECONDS = 3600;
