import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';

/**
 * What a session's link carries beside its code: 128 random bits, which the invited know and no server is told. Two things are derived from
 * it (HKDF-SHA256, RFC 5869, without salt): the pass, which a device shows the server to enter, and the proof key, by which the two ends of a
 * data channel know each other and which never leaves them. Neither tells anything of the other or of the secret.
 *
 * Written with Crockford's 32 characters, small letters: 26 of them, of which the last has two spare bits that are zero. No i, l, o, u; no
 * character that a messenger takes for its own; capitals mean the same.
 */
export const SECRET_ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
export const SECRET_LENGTH = 26;
const SECRET_BYTES = 16;

export const SecretSchema = v.pipe(
  v.string(),
  v.regex(/^[0-9a-hjkmnp-tv-z]{25}[048cgmrw]$/, "a session's secret of 26 letters and digits"),
);
export type Secret = v.InferOutput<typeof SecretSchema>;

/** What a device shows the server, and what the host tells the server to know it by: SHA-256 of the pass as it is written. */
export const PassSchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'a pass of 64 hexadecimal digits'));
export type Pass = v.InferOutput<typeof PassSchema>;

export function newSecret(randomBytes: (length: number) => Uint8Array): Secret {
  return secretOf(randomBytes(SECRET_BYTES));
}

/** 16 bytes as they are written, most significant bits first. */
export function secretOf(bytes: Uint8Array): Secret {
  if (bytes.length !== SECRET_BYTES) throw new Error('A secret has sixteen bytes.');
  let bits = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) << 2n;
  let text = '';
  for (let i = 0; i < SECRET_LENGTH; i++, bits >>= 5n) text = SECRET_ALPHABET[Number(bits & 31n)] + text;
  return text;
}

/** The 16 bytes of a secret that the schema has read. */
export function secretBytes(secret: Secret): Uint8Array {
  let bits = 0n;
  for (const character of v.parse(SecretSchema, secret))
    bits = (bits << 5n) | BigInt(SECRET_ALPHABET.indexOf(character));
  bits >>= 2n;
  const bytes = new Uint8Array(SECRET_BYTES);
  for (let i = SECRET_BYTES - 1; i >= 0; i--, bits >>= 8n) bytes[i] = Number(bits & 255n);
  return bytes;
}

const derived = (secret: Secret, info: string): Uint8Array =>
  hkdf(sha256, secretBytes(secret), undefined, utf8ToBytes(info), 32);

export const passOf = (secret: Secret): Pass => bytesToHex(derived(secret, 'tabloom pass 1'));

/** 64 hexadecimal digits; all that the server keeps of a pass. */
export const passHashOf = (pass: Pass): string => bytesToHex(sha256(utf8ToBytes(pass)));

/** 32 bytes for HMAC-SHA256. */
export const proofKeyOf = (secret: Secret): Uint8Array => derived(secret, 'tabloom proof 1');
