import { hmac } from '@noble/hashes/hmac.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { passHashOf } from '../../protocol/door/secret.ts';
import type { IceServer, Introduction } from '../../protocol/messages.ts';
import type { SessionSettings } from '../../protocol/settings.ts';
import { TURN_SECONDS } from '../bounds/limits.ts';

/**
 * What the server gives out and recognises again without keeping it: keyed hashes (HMAC, RFC 2104) under a secret that is the server's own.
 * A server that starts again with its secret knows its rooms' hosts and its devices' ids again; without it, nobody's.
 */

/** Of a key, what the server keeps: enough to recognise it, not to be its owner. */
export const fingerprint = (key: string): string => bytesToHex(sha256(utf8ToBytes(key)));

/** Whether the pass is the one whose hash the host told. */
export const isPassOf = (pass: string, passHash: string): boolean => isSame(passHashOf(pass), passHash);

const keyed = (secret: Uint8Array, ...parts: readonly string[]): string =>
  bytesToHex(hmac(sha256, secret, utf8ToBytes(parts.join('\n'))));

/** Hexadecimal digits in which a claim says its term. */
const TERM_DIGITS = 8;

/** Proves that a room's code was given to the host with this key, in this term, which the claim says itself. */
export function claimOf(secret: Uint8Array, room: string, hostFingerprint: string, term: number): string {
  const told = term.toString(16).padStart(TERM_DIGITS, '0');
  return told + keyed(secret, 'claim', room, hostFingerprint, `${term}`).slice(TERM_DIGITS);
}

/** The term that a claim proves the host with this key to have been seated in; null where it proves nothing. */
export function claimedTerm(secret: Uint8Array, room: string, hostFingerprint: string, claim: string): number | null {
  const term = Number.parseInt(claim.slice(0, TERM_DIGITS), 16);
  return isSame(claim, claimOf(secret, room, hostFingerprint, term)) ? term : null;
}

/** Proves that a device had a seat in the session of this pass, whoever is its host. */
export const seatClaimOf = (
  secret: Uint8Array,
  room: string,
  passHash: string,
  device: { readonly id: string; readonly key: string },
): string => keyed(secret, 'seat', room, passHash, device.id, device.key);

/** Proves to a server that forgot the room which session it was, but for what its host may change, who was its host, and in which term. */
export const revivalOf = (
  secret: Uint8Array,
  room: string,
  passHash: string,
  settings: SessionSettings,
  { term, host }: { readonly term: number; readonly host: string },
): string => {
  const fixed = { ...settings, policy: null, training: { ...settings.training, rounds: null, evaluateEvery: null } };
  return keyed(secret, 'revival', room, passHash, JSON.stringify(fixed), `${term}`, host);
};

/** A device's PeerJS id in a room, and the token that proves it: the same whenever it comes back, and nobody else's. */
export function introductionOf(
  secret: Uint8Array,
  room: string,
  device: { readonly id: string; readonly key: string },
): Omit<Introduction, 'iceServers'> {
  const of = (what: string, length: number): string =>
    keyed(secret, what, room, device.id, device.key).slice(0, length);
  return { id: of('introduction id', 20), token: of('introduction token', 32) };
}

/** Where the two differ does not show in how long it takes to say so. */
export function isSame(a: string, b: string): boolean {
  let different = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) different |= a.charCodeAt(i) ^ b.charCodeAt(i % Math.max(1, b.length));
  return different === 0;
}

/**
 * The servers with credentials for a while: the user is when they end, and who has them; the password is its HMAC-SHA1 under the secret
 * that the TURN server shares ("A REST API For Access To TURN Services", draft-uberti-behave-turn-rest-00; coturn's `use-auth-secret`).
 */
export function withCredentials(
  iceServers: readonly IceServer[],
  turnSecret: string | null,
  device: string,
  nowMs: number,
): IceServer[] {
  return iceServers.map((server) => {
    if (turnSecret === null || !/^turns?:/.test(server.urls)) return { ...server };
    const username = `${Math.floor(nowMs / 1000) + TURN_SECONDS}:${device}`;
    const mac = hmac(sha1, utf8ToBytes(turnSecret), utf8ToBytes(username));
    return { urls: server.urls, username, credential: btoa(String.fromCharCode(...mac)) };
  });
}
