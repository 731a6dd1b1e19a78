import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** Hidden states, or their gradient, of one micro-batch as they travel. */
export interface CutValues {
  readonly microBatch: number;
  readonly scale: number;
  readonly tensor: Float32Array | Uint16Array;
}

/** Of the bits themselves: whoever has the same ones has the same digest, and nobody else. */
export function valuesDigest({ microBatch, scale, tensor }: CutValues): Uint8Array {
  const hash = sha256.create();
  hash.update(utf8ToBytes(`${microBatch} ${scale} ${tensor.length} `));
  hash.update(new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength));
  return hash.digest();
}

/** Of all micro-batches that went one way over a cut in a round, from those of each; 64 hexadecimal digits. Null where one is missing. */
export function cutDigest(digests: ReadonlyMap<number, Uint8Array>, microBatches: number): string | null {
  const hash = sha256.create();
  for (let j = 0; j < microBatches; j++) {
    const one = digests.get(j);
    if (one === undefined) return null;
    hash.update(one);
  }
  return bytesToHex(hash.digest());
}
