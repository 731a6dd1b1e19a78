import * as v from 'valibot';

/** Random, made by the tab itself, kept across reconnections; not the PeerJS id, which is fresh for every connection. */
export const DeviceIdSchema = v.pipe(v.string(), v.regex(/^[a-z0-9]{8,32}$/, 'a device id'));

/** Short enough to read out: lower-case letters and digits without 0, o, 1, l, i. */
export const ROOM_ID_ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz';
export const ROOM_ID_LENGTH = 6;
export const RoomIdSchema = v.pipe(
  v.string(),
  v.regex(/^[2-9a-hjkmnp-z]{6}$/, 'a room code of six letters and digits'),
);
export type RoomId = v.InferOutput<typeof RoomIdSchema>;

/** Proves on reconnection that this is the tab that joined under a device id. Never shown to others. */
export const DeviceKeySchema = v.pipe(v.string(), v.regex(/^[a-z0-9]{16,64}$/, 'a device key'));

export const PeerIdSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'a PeerJS id'));

/** An id over `alphabet` from random bytes; the modulo's bias is below one in 8 for room codes, which are no secrets. */
export function idFromBytes(bytes: Uint8Array, alphabet: string): string {
  return Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join('');
}
