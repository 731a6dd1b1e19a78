import { type Door, type Entrance, MAX_REMOVED, MAX_WAITING } from '../../protocol/door.ts';
import type { DeviceSelf, RoomState } from '../../room/room.ts';

/** A room's door, and who stands before it. Plain data, like all that the core keeps. */
export interface EntranceState {
  /** Of the pass, what the server keeps. */
  passHash: string;
  door: Door;
  cap: number;
  downloadBytes: number | null;
  /** Those whom the host does not want, oldest first. */
  removed: readonly Removed[];
  /** By device, in the order in which they came. */
  readonly waiting: Map<string, Waiter>;
}

/** What is known of a removed device; null what the host alone remembers, after a restart. */
export interface Removed {
  readonly id: string;
  /** The key's fingerprint. */
  readonly key: string | null;
  readonly address: string | null;
}

/** Somebody who waits, and on which connection. */
export interface Waiter {
  readonly connection: number;
  readonly address: string;
  /** With the name that it will have, and the key's fingerprint. */
  readonly device: DeviceSelf;
  readonly watch: boolean;
  readonly withPass: boolean;
  readonly likeRemoved: boolean;
  /** When it has waited long enough. */
  readonly untilMs: number;
}

/** The door as the host set it, in a message that seats the host. */
export interface DoorOfHost {
  readonly passHash: string;
  readonly door: Door;
  readonly cap: number;
  readonly removed?: readonly string[] | undefined;
  readonly downloadBytes?: number | undefined;
}

export function newEntrance(told: DoorOfHost): EntranceState {
  const { passHash, door, cap, downloadBytes = null } = told;
  const entrance: EntranceState = { passHash, door, cap, downloadBytes, removed: [], waiting: new Map() };
  keepOut(entrance, fromHost(told));
  return entrance;
}

/** The host is back: the door is as it says. Who was removed stays so. */
export function reset(entrance: EntranceState, told: DoorOfHost): void {
  const { passHash, door, cap, downloadBytes = null } = told;
  Object.assign(entrance, { passHash, door, cap, downloadBytes });
  keepOut(entrance, fromHost(told));
}

const fromHost = ({ removed = [] }: DoorOfHost): readonly Removed[] =>
  removed.map((id) => ({ id, key: null, address: null }));

/** Adds to those who are kept out. Nobody of an id that is kept out comes in, so more is never learnt of one. */
export function keepOut(entrance: EntranceState, added: readonly Removed[]): void {
  const known = new Set(entrance.removed.map(({ id }) => id));
  entrance.removed = [...entrance.removed, ...added.filter(({ id }) => !known.has(id))].slice(-MAX_REMOVED);
}

export function isKeptOut({ removed }: EntranceState, { id, key }: DeviceSelf): boolean {
  return removed.some((out) => out.id === id || out.key === key);
}

/** Whether this is an address that somebody was removed from. */
export function isLikeRemoved({ removed }: EntranceState, address: string): boolean {
  return removed.some((out) => out.address === address);
}

/** Devices that there may be: a room that was made full before its cap was lowered stays as it is. */
export const isFull = ({ cap }: EntranceState, { devices }: RoomState): boolean => devices.length >= cap;

/** What one address may have waiting of those who have the code alone. */
export const MAX_WAITING_OF_ADDRESS = 4;

/**
 * Room at the door for one more: whose place it takes (null: there is one), or why there is none. Who shows the pass goes before whoever
 * has the code alone, so that strangers cannot fill the door against those who were invited.
 */
export function placeAtDoor(
  { waiting }: EntranceState,
  device: string,
  address: string,
  withPass: boolean,
): { readonly ok: true; readonly instead: string | null } | { readonly ok: false; readonly sentence: string } {
  // Who waits already keeps the place that it has.
  const others = [...waiting.values()].filter((waiter) => waiter.device.id !== device);
  const strangers = others.filter((waiter) => !waiter.withPass);
  if (!withPass && strangers.filter((waiter) => waiter.address === address).length >= MAX_WAITING_OF_ADDRESS)
    return {
      ok: false,
      sentence: 'Devices from your address wait for the host already. Try again when it has looked.',
    };
  if (others.length < MAX_WAITING) return { ok: true, instead: null };
  const last = strangers.at(-1);
  if (withPass && last !== undefined) return { ok: true, instead: last.device.id };
  return { ok: false, sentence: 'As many devices as can wait for the host already do. Try again in a while.' };
}

export function entranceView({ door, cap, waiting }: EntranceState): Entrance {
  return {
    door,
    cap,
    waiting: [...waiting.values()].map(({ device: { id, name, kind }, watch, withPass, likeRemoved }) => ({
      id,
      name,
      kind,
      watch,
      withPass,
      likeRemoved,
    })),
  };
}
