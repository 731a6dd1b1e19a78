import { refusal } from '../../room/refusal.ts';
import type { DeviceSelf, RoomState } from '../../room/room.ts';
import { type EntranceState, isFull, isKeptOut, isLikeRemoved } from './entrance.ts';

/** Somebody wants a seat. */
export interface Request {
  /** `key` is the fingerprint of the key that they showed. */
  readonly device: DeviceSelf;
  readonly address: string;
  /** Whether the pass that they showed is the room's; null where they showed none. */
  readonly pass: boolean | null;
  /** They proved that this device had a seat in this host's room before. */
  readonly hadSeat: boolean;
}

export type Admission =
  | { readonly kind: 'in' }
  /** For the host to decide. */
  | { readonly kind: 'wait'; readonly withPass: boolean; readonly likeRemoved: boolean }
  /** The sentence says why. `guessed` when it was for something that was to be known and was wrong. */
  | { readonly kind: 'out'; readonly sentence: string; readonly guessed: boolean; readonly why?: 'pass' | 'removed' };

/** Whether this device has a seat, and showed the same key. */
export const isKnown = (state: RoomState, { id, key }: DeviceSelf): boolean =>
  state.devices.some((device) => device.id === id && device.key === key);

export const REMOVED = 'The host took this device out of the session.';
export const LOCKED = 'The host has locked this session: nobody new comes in.';
const WRONG_PASS =
  'The secret in this link is not this session’s. Ask the host for its link again, or type the code alone.';

/**
 * Whether a device gets a seat: the one place that decides it. The host's own return is decided in entering.ts, by who made the room.
 * Nobody gets in but who had a seat, who comes through an open door, who shows the pass at a door for it, or whom the host admits.
 */
export function admit(state: RoomState, entrance: EntranceState, request: Request): Admission {
  const { device, address, pass, hadSeat } = request;
  if (isKeptOut(entrance, device)) return { kind: 'out', sentence: REMOVED, guessed: false, why: 'removed' };
  const sentence = refusal(state, device);
  if (sentence !== null) return { kind: 'out', sentence, guessed: state.devices.some(({ id }) => id === device.id) };
  if (isKnown(state, device)) return { kind: 'in' };
  if (pass === false && !hadSeat) return { kind: 'out', sentence: WRONG_PASS, guessed: true, why: 'pass' };
  if (isFull(entrance, state)) return { kind: 'out', sentence: fullSentence(entrance), guessed: false };
  if (hadSeat) return { kind: 'in' };
  if (entrance.door === 'locked') return { kind: 'out', sentence: LOCKED, guessed: false };
  const withPass = pass === true;
  const likeRemoved = isLikeRemoved(entrance, address);
  const isOpen = entrance.door === 'open' || (entrance.door === 'link' && withPass);
  return isOpen && !likeRemoved ? { kind: 'in' } : { kind: 'wait', withPass, likeRemoved };
}

export const fullSentence = ({ cap }: EntranceState): string =>
  `This session is full: the host lets ${cap} devices take part.`;
