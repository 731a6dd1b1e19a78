import { type DeviceSelf, type RoomState, refusal } from '../room/room.ts';

/** Somebody wants a seat; `device.key` is the fingerprint of the key that they showed. */
export interface Request {
  readonly device: DeviceSelf;
  readonly watch: boolean;
}

export type Admission =
  | { readonly kind: 'in' }
  /** For good: the sentence says why. `guessed` when it was for something that was to be known and was wrong. */
  | { readonly kind: 'out'; readonly sentence: string; readonly guessed: boolean };

/** Whether this device had a seat before, and showed the same key. */
export const isKnown = (state: RoomState, { id, key }: DeviceSelf): boolean =>
  state.devices.some((device) => device.id === id && device.key === key);

/**
 * Whether a device gets a seat: the one place that decides it. The host's own return is decided in entering.ts, by who made the room.
 */
export function admit(state: RoomState, { device }: Request): Admission {
  const sentence = refusal(state, device);
  if (sentence === null) return { kind: 'in' };
  return { kind: 'out', sentence, guessed: state.devices.some(({ id }) => id === device.id) };
}
