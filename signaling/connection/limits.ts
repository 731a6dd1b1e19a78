import type { Rate } from './allowance.ts';

/** What one server takes, and from whom. Every bound has a name, so that whoever runs a server can set it: `serve --limit NAME=NUMBER`. */
export interface Limits {
  readonly rooms: number;
  /** A device may burst, but not keep up more than this. */
  readonly messagesOfSocket: Rate;
}

export const DEFAULT_LIMITS: Limits = {
  rooms: 1000,
  messagesOfSocket: { perSecond: 100, burst: 200 },
};

/** A connection that has not entered a session by then is closed. */
export const ENTER_MS = 10_000;
/** A connection that says nothing for so long is asked whether it still is there … */
export const PING_MS = 15_000;
/** … and closed when it left so many questions unanswered. */
export const MAX_UNANSWERED = 2;
/** A device whose control connection and link are both gone may come back within this time before others see it leave. */
export const OFFLINE_GRACE_MS = 20_000;
/** A room whose host is gone is kept so long for the host's return. */
export const HOST_GRACE_MS = 10 * 60_000;
/** News of a room is told at most this often; a join causes several changes in a row. */
export const TELL_MS = 30;
