import { type DeviceSelf, type RoomState, refusal } from '../room/room.ts';

/** Somebody wants a seat. */
export interface Request {
  readonly device: DeviceSelf;
  readonly watch: boolean;
}

export type Admission =
  | { readonly kind: 'in' }
  /** For good: the sentence says why. */
  | { readonly kind: 'out'; readonly sentence: string };

/**
 * Whether a device gets a seat: the one place that decides it. The host's own return is decided in entering.ts, by who made the room.
 */
export function admit(state: RoomState, { device }: Request): Admission {
  const sentence = refusal(state, device);
  return sentence === null ? { kind: 'in' } : { kind: 'out', sentence };
}
