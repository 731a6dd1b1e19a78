import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { DeviceIdSchema, DeviceKeySchema, RoomIdSchema } from '../../signaling/protocol/ids.ts';
import { ClaimSchema } from '../../signaling/protocol/messages.ts';
import type { SeatStore } from './world/environment.ts';

const SeatSchema = v.strictObject({
  room: RoomIdSchema,
  id: DeviceIdSchema,
  key: DeviceKeySchema,
  claim: ClaimSchema,
  compared: v.exactOptional(v.pipe(v.string(), v.regex(/^([0-9a-f]{2}){16,64}$/))),
});

/** What makes a tab that is loaded again the device that it was: its host need not let it in, or compare digits, a second time. */
export interface KeptSeat {
  readonly room: string;
  readonly id: string;
  readonly key: string;
  readonly claim: string;
  /** By what the host knows the device after digits were compared; null where they were not. */
  readonly compared: Uint8Array | null;
}

/** Kept only between going and coming: a tab that is doubled while it lives finds nothing, and is another device. */
export function keepSeat(seats: SeatStore | null, { compared, ...seat }: KeptSeat): void {
  const kept: v.InferOutput<typeof SeatSchema> = {
    ...seat,
    ...(compared !== null && { compared: bytesToHex(compared) }),
  };
  seats?.put(JSON.stringify(kept));
}

/** The seat that was kept last, if it is of this room; afterwards there is none. */
export function takeSeat(seats: SeatStore | null, room: string): KeptSeat | null {
  const text = seats?.take() ?? null;
  if (text === null) return null;
  const read = v.safeParse(SeatSchema, parsed(text));
  if (!read.success || read.output.room !== room) return null;
  const { compared, ...seat } = read.output;
  return { ...seat, compared: compared === undefined ? null : hexToBytes(compared) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
