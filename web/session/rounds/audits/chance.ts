import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';

/** So many of a device's first rounds are audited whatever the chance. */
export const NEWCOMER_ROUNDS = 3;
/**
 * Rounds from one audit of a device to the next at most, where audits are to take the part `share` of the compute: the gap is even over 1 to
 * this, so (1 + gap) / 2 rounds in the mean, of which one is computed twice.
 */
export const longestGap = (share: number): number => Math.max(1, Math.ceil(2 / share - 1));

/**
 * The chance that a round of a device is audited, `since` rounds after the last one that was (1 for the next round). It grows from
 * 1 / gap to 1: who lies in every round is found for certain, who hopes to know when it was audited gains nothing.
 *
 * It does not depend on how many parts a round has. An audit costs what the audited work costs, so that the compute is the same share of the
 * room's whatever the number of parts, and every device is audited equally often whatever the size of its own.
 */
export function auditChance(since: number, share: number): number {
  const gap = longestGap(share);
  return since >= gap ? 1 : 1 / (gap + 1 - since);
}

/** Even in 0 to 1, from a key that never leaves the host: nobody else can know it before, or learn the key from what follows. */
export function drawn(key: Uint8Array, ...words: readonly (string | number)[]): number {
  const hash = hmac(sha256, key, new TextEncoder().encode(words.join(' ')));
  const view = new DataView(hash.buffer, hash.byteOffset);
  return (view.getUint32(0) * 2 ** 20 + (view.getUint32(4) >>> 12)) / 2 ** 52;
}
