import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import {
  chunkBytes,
  chunkCount,
  MAX_SHARED_BYTES,
  MODEL_CHUNK_BYTES,
} from '../../signaling/protocol/exchange/model-messages.ts';
import {
  hashMessages,
  hashOf,
  heldChunks,
  heldDigits,
  type Manifest,
  withHashes,
} from '../../web/session/chunks/manifest.ts';

const FILE = 'model.safetensors';
const bytes = 4 * MODEL_CHUNK_BYTES + 1;
const hash = (index: number) => sha256(Uint8Array.of(index));
const hex = (index: number) => bytesToHex(hash(index));
const hashes = (...indices: number[]) => Uint8Array.from(indices.flatMap((index) => [...hash(index)]));
const told = (first: number, file = FILE, size = bytes) => ({
  type: 'model-hashes' as const,
  file,
  bytes: size,
  first,
});
const NOTHING: Manifest = new Map();

describe('what the host says of the model’s files', () => {
  it('is known chunk by chunk, in whatever order it is told', () => {
    let manifest = withHashes(NOTHING, told(3), hashes(3, 4));
    manifest = withHashes(manifest, told(0), hashes(0));
    expect([0, 1, 2, 3, 4, 5].map((chunk) => hashOf(manifest, { file: FILE, chunk }))).toEqual([
      ...[hex(0), null, null, hex(3), hex(4), null],
    ]);
    expect(hashOf(manifest, { file: 'other.safetensors', chunk: 0 })).toBe(null);
  });

  it('is told again to whoever comes later, in as few messages as there are runs', () => {
    const manifest = withHashes(withHashes(NOTHING, told(3), hashes(3, 4)), told(0), hashes(0));
    const messages = [...hashMessages(manifest)];
    expect(messages.map(({ header }) => header.first)).toEqual([0, 3]);
    let again = NOTHING;
    for (const { header, tensors } of messages) again = withHashes(again, header, tensors[0] as Uint8Array);
    expect(again).toEqual(manifest);
  });

  it('keeps its sizes, and ends at two gigabytes', () => {
    const manifest = withHashes(NOTHING, told(0), hashes(0));
    expect(() => withHashes(manifest, told(0, FILE, bytes + 1), hashes(0))).toThrow('two sizes');
    const rest = MAX_SHARED_BYTES - bytes;
    expect(withHashes(manifest, told(0, 'a.safetensors', rest), hashes(0)).size).toBe(2);
    expect(() => withHashes(manifest, told(0, 'a.safetensors', rest + 1), hashes(0))).toThrow('more files');
  });
});

describe('chunks', () => {
  it('are four megabytes, the last what is left', () => {
    expect([1, MODEL_CHUNK_BYTES, MODEL_CHUNK_BYTES + 1].map(chunkCount)).toEqual([1, 1, 2]);
    expect([0, 3, 4].map((chunk) => chunkBytes(bytes, chunk))).toEqual([4194304, 4194304, 1]);
  });

  it('that somebody has are bits, the lowest of each digit first', () => {
    expect(heldDigits(new Set([0, 5, 6]), 7)).toBe('16');
    expect([...heldChunks('16')]).toEqual([0, 5, 6]);
    expect(heldDigits(new Set(), 9)).toBe('000');
    expect([...heldChunks(heldDigits(new Set([511]), 512))]).toEqual([511]);
  });
});
