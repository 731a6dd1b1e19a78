import { type Allowance, fullAllowance, type Rate, refilled, spend } from './bounds/allowance.ts';
import { MAX_ADDRESSES, SWEEP_MS } from './bounds/limits.ts';
import {
  type AddressState,
  type Connection,
  type Core,
  type OpenRoom,
  remindAt,
  type Standing,
  type Turn,
} from './core.ts';

/**
 * Whom limits count an address for: an IPv4 address for itself, of an IPv6 address the network (/64), in which its owner has as many
 * addresses as they like.
 */
export function addressKey(address: string): string {
  const mapped = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1];
  const [head, tail] = address.toLowerCase().replace(/%.*$/, '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}

const RATES = {
  openings: 'openingsOfAddress',
  messages: 'messagesOfAddress',
  guesses: 'wrongGuessesOfAddress',
  looks: 'looksOfAddress',
} as const;

/** Why an address may not open one more connection now, or null when it may. To be asked before anything is answered. */
export function refusesConnection(core: Core, address: string, nowMs: number): string | null {
  const { limits } = core;
  if (core.connections.size >= limits.connections) return 'This server has as many connections as it can.';
  const known = core.addresses.get(address);
  if (known === undefined)
    return core.addresses.size >= MAX_ADDRESSES ? 'This server has as many visitors as it can.' : null;
  if (known.connections >= limits.connectionsOfAddress) return 'Too many connections from this address.';
  if (refilled(known.openings, limits.openingsOfAddress, nowMs).left < 1)
    return 'Too many new connections from this address; try again in a moment.';
  return null;
}

export function addConnection(turn: Turn, address: string): void {
  const known = knownOf(turn, address);
  known.connections += 1;
  known.openings = spend(known.openings, turn.core.limits.openingsOfAddress, turn.nowMs) ?? known.openings;
}

/** What an address may do follows what others know of it where that is less. */
export function learnStanding(turn: Turn, address: string, { roomsElsewhere, guesses, looks }: Standing): void {
  const { core, nowMs } = turn;
  const known = knownOf(turn, address);
  const least = (a: Allowance, b: Allowance, rate: Rate): Allowance => {
    const [own, other] = [refilled(a, rate, nowMs), refilled(b, rate, nowMs)];
    return other.left < own.left ? other : own;
  };
  known.roomsElsewhere = roomsElsewhere;
  known.guesses = least(known.guesses, guesses, core.limits.wrongGuessesOfAddress);
  known.looks = least(known.looks, looks, core.limits.looksOfAddress);
}

function knownOf(turn: Turn, address: string): AddressState {
  const { core, nowMs } = turn;
  const full = (rate: Rate): Allowance => fullAllowance(rate, nowMs);
  if (core.addresses.size === 0) remindAt(turn, nowMs + SWEEP_MS, { type: 'sweep' });
  const { openingsOfAddress, messagesOfAddress, wrongGuessesOfAddress, looksOfAddress } = core.limits;
  const known = core.addresses.get(address) ?? {
    connections: 0,
    rooms: 0,
    roomsElsewhere: 0,
    openings: full(openingsOfAddress),
    messages: full(messagesOfAddress),
    guesses: full(wrongGuessesOfAddress),
    looks: full(looksOfAddress),
  };
  core.addresses.set(address, known);
  return known;
}

export function removeConnection({ core }: Turn, address: string): void {
  const known = core.addresses.get(address);
  if (known !== undefined) known.connections -= 1;
}

/** Takes one out of an allowance of the connection's address; false when there is nothing left. */
export function takeFrom({ core, nowMs }: Turn, address: string, what: keyof typeof RATES): boolean {
  const known = core.addresses.get(address);
  if (known === undefined) return true;
  const left = spend(known[what], core.limits[RATES[what]], nowMs);
  if (left === null) return false;
  known[what] = left;
  return true;
}

/**
 * Whether a stranger may try: false when so many codes, keys or tokens were wrong lately, from this address or at this room, that right
 * ones are not looked at either. Devices that the room knows need not ask.
 */
export function mayGuess({ core, nowMs }: Turn, { address }: Connection, room: OpenRoom | null): boolean {
  const { wrongGuessesOfAddress, wrongGuessesOfRoom } = core.limits;
  const known = core.addresses.get(address);
  if (known !== undefined && refilled(known.guesses, wrongGuessesOfAddress, nowMs).left < 1) return false;
  return room === null || refilled(room.guesses, wrongGuessesOfRoom, nowMs).left >= 1;
}

/** Whether somebody may look from outside, or come to a door to wait there: it counts for the address, and for the room. */
export function mayLook(turn: Turn, { address }: Connection, room: OpenRoom | null): boolean {
  const { looksOfRoom } = turn.core.limits;
  const left = room === null ? null : spend(room.looks, looksOfRoom, turn.nowMs);
  if ((room !== null && left === null) || !takeFrom(turn, address, 'looks')) return false;
  if (room !== null && left !== null) room.looks = left;
  return true;
}

/** A code, key or token was wrong: it counts for the address, and for the room that it was meant for. */
export function countWrongGuess(turn: Turn, { address }: Connection, room: OpenRoom | null): void {
  takeFrom(turn, address, 'guesses');
  if (room !== null)
    room.guesses = spend(room.guesses, turn.core.limits.wrongGuessesOfRoom, turn.nowMs) ?? room.guesses;
}

/** Forgets addresses that are as if they had never been here. */
export function sweep(turn: Turn): void {
  const { core, nowMs } = turn;
  for (const [address, state] of core.addresses) {
    const isFull = (what: keyof typeof RATES): boolean => {
      const rate = core.limits[RATES[what]];
      return refilled(state[what], rate, nowMs).left >= rate.burst;
    };
    const idle = state.connections === 0 && state.rooms === 0;
    if (idle && (Object.keys(RATES) as (keyof typeof RATES)[]).every(isFull)) core.addresses.delete(address);
  }
  if (core.addresses.size > 0) remindAt(turn, nowMs + SWEEP_MS, { type: 'sweep' });
}
