import { type Allowance, fullAllowance, type Rate, refilled, spend } from '../connection/bounds/allowance.ts';
import type { Limits } from '../connection/bounds/limits.ts';
import type { AddressState, Core, Standing } from '../connection/core.ts';

/**
 * What an address did at all rooms. Its rooms are at objects of their own, so one more keeps its account: it is asked before a connection
 * is opened, and told by every room how many connections and rooms the address has there, and what it spent.
 */
export interface Account {
  readonly openings: Allowance;
  readonly guesses: Allowance;
  readonly looks: Allowance;
  /** By code. */
  readonly rooms: Readonly<Record<string, AtRoom>>;
}

/** What an address has at a room, as the room said last; numbers, not changes, so that a word that is lost or comes twice does no harm. */
interface AtRoom {
  readonly connections: number;
  readonly rooms: number;
  readonly atMs: number;
}

/** A room says again what an address has there after so long … */
export const TELL_AGAIN_MS = 10 * 60_000;
/** … and what it has not said again for so long is over: the room was lost. */
const BELIEVED_MS = 30 * 60_000;

export function newAccount(limits: Limits, nowMs: number): Account {
  return {
    openings: fullAllowance(limits.openingsOfAddress, nowMs),
    guesses: fullAllowance(limits.wrongGuessesOfAddress, nowMs),
    looks: fullAllowance(limits.looksOfAddress, nowMs),
    rooms: {},
  };
}

/** Somebody at the address wants to open a connection; `makes` a room when it names none. Why it may not, or null. */
export function knock(
  account: Account,
  { code, makes }: { readonly code: string; readonly makes: boolean },
  limits: Limits,
  nowMs: number,
): { readonly account: Account; readonly refused: string | null } {
  const rooms = believed(account.rooms, nowMs);
  const known = rooms[code] ?? { connections: 0, rooms: 0, atMs: nowMs };
  const count = Object.values(rooms).reduce((sum, { connections }) => sum + connections, 0);
  const openings = spend(account.openings, limits.openingsOfAddress, nowMs);
  if (count >= limits.connectionsOfAddress || openings === null)
    return { account: { ...account, rooms }, refused: 'Too many connections from this address.' };
  const next = { connections: known.connections + 1, rooms: makes ? 1 : known.rooms, atMs: nowMs };
  return { account: { ...account, openings, rooms: { ...rooms, [code]: next } }, refused: null };
}

/** What a room tells of an address: what it has there, and what it spent since it was told last. */
export interface Report {
  readonly code: string;
  readonly connections: number;
  readonly rooms: number;
  readonly guesses: number;
  readonly looks: number;
}

/** Who spent more than there was, at many rooms at once, owes it: what is left goes below nothing. */
export function settle(account: Account, report: Report, limits: Limits, nowMs: number): Account {
  const { code, connections, rooms, guesses, looks } = report;
  const { [code]: _, ...others } = believed(account.rooms, nowMs);
  const owe = (allowance: Allowance, rate: Rate, cost: number): Allowance => {
    const now = refilled(allowance, rate, nowMs);
    return { ...now, left: now.left - cost };
  };
  return {
    ...account,
    guesses: owe(account.guesses, limits.wrongGuessesOfAddress, guesses),
    looks: owe(account.looks, limits.looksOfAddress, looks),
    rooms: connections === 0 && rooms === 0 ? others : { ...others, [code]: { connections, rooms, atMs: nowMs } },
  };
}

export function standingAt(account: Account, code: string): Standing {
  const { guesses, looks } = account;
  const elsewhere = Object.entries(account.rooms).filter(([other]) => other !== code);
  return { roomsElsewhere: elsewhere.reduce((sum, [, { rooms }]) => sum + rooms, 0), guesses, looks };
}

/** Whether the account is as one that was never used. */
export function isIdle(account: Account, limits: Limits, nowMs: number): boolean {
  const isFull = (allowance: Allowance, rate: Rate): boolean => refilled(allowance, rate, nowMs).left >= rate.burst;
  return (
    Object.keys(believed(account.rooms, nowMs)).length === 0 &&
    isFull(account.openings, limits.openingsOfAddress) &&
    isFull(account.guesses, limits.wrongGuessesOfAddress) &&
    isFull(account.looks, limits.looksOfAddress)
  );
}

const believed = (rooms: Account['rooms'], nowMs: number): Account['rooms'] =>
  Object.fromEntries(Object.entries(rooms).filter(([, { atMs }]) => nowMs - atMs < BELIEVED_MS));

/** What of an address a room has to tell others when it changes. */
export type Watched = Pick<AddressState, 'connections' | 'rooms' | 'guesses' | 'looks'>;

export function watch({ addresses }: Core): ReadonlyMap<string, Watched> {
  return new Map(
    [...addresses].map(([address, { connections, rooms, guesses, looks }]) => [
      address,
      { connections, rooms, guesses, looks },
    ]),
  );
}

const NOTHING = { connections: 0, rooms: 0 };

/** What each address did between two looks at a core. */
export function changes(
  before: ReadonlyMap<string, Watched>,
  after: ReadonlyMap<string, Watched>,
  limits: Limits,
  nowMs: number,
): readonly (Omit<Report, 'code'> & { readonly address: string })[] {
  const spent = (was: Allowance | undefined, is: Allowance, rate: Rate): number =>
    was === undefined ? 0 : Math.max(0, Math.round(refilled(was, rate, nowMs).left - refilled(is, rate, nowMs).left));
  return [...after].flatMap(([address, { connections, rooms, guesses, looks }]) => {
    const was = before.get(address);
    const report = {
      address,
      connections,
      rooms,
      guesses: spent(was?.guesses, guesses, limits.wrongGuessesOfAddress),
      looks: spent(was?.looks, looks, limits.looksOfAddress),
    };
    const { connections: had, rooms: made } = was ?? NOTHING;
    const isSame = had === connections && made === rooms && report.guesses === 0 && report.looks === 0;
    return isSame ? [] : [report];
  });
}
