import { bytesToHex } from '@noble/hashes/utils.js';
import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import {
  chunkCount,
  HASH_BYTES,
  MAX_SHARED_BYTES,
  MAX_SHARED_FILES,
} from '../../../signaling/protocol/exchange/model-messages.ts';
import * as say from '../../words/session/chunks.ts';

/** A chunk of one of the model's files. */
export interface ChunkPlace {
  readonly file: string;
  readonly chunk: number;
}

export const placeKey = ({ file, chunk }: ChunkPlace): string => `${chunk} ${file}`;

interface SharedFile {
  readonly bytes: number;
  /** SHA-256 of each chunk, 64 hexadecimal digits; null where it is not told yet. */
  readonly hashes: readonly (string | null)[];
}

/** What the host has said of the model's files, by name. */
export type Manifest = ReadonlyMap<string, SharedFile>;

/**
 * With more hashes; what is told later counts.
 * @throws Error with one sentence when a file changed its size, or all together are too large.
 */
export function withHashes(
  manifest: Manifest,
  { file, bytes, first }: DataMessage<'model-hashes'>['header'],
  hashes: Uint8Array,
): Manifest {
  const before = manifest.get(file);
  if (before !== undefined && before.bytes !== bytes) throw new Error(say.theHostTellsTwoSizes);
  const others = [...manifest].reduce((sum, [name, other]) => sum + (name === file ? 0 : other.bytes), 0);
  if (others + bytes > MAX_SHARED_BYTES || (before === undefined && manifest.size >= MAX_SHARED_FILES))
    throw new Error(say.theHostTellsOfMore);
  const all = before?.hashes.slice() ?? Array.from({ length: chunkCount(bytes) }, () => null);
  for (let at = 0; at < hashes.length; at += HASH_BYTES)
    all[first + at / HASH_BYTES] = bytesToHex(hashes.subarray(at, at + HASH_BYTES));
  return new Map([...manifest, [file, { bytes, hashes: all }]]);
}

/** The same; where what is told does not fit what was said before, it is not believed. */
export function learned(
  manifest: Manifest,
  header: DataMessage<'model-hashes'>['header'],
  hashes: Uint8Array,
): Manifest {
  try {
    return withHashes(manifest, header, hashes);
  } catch {
    return manifest;
  }
}

/** What a chunk has to hash to; null where that is not known. */
export const hashOf = (manifest: Manifest, { file, chunk }: ChunkPlace): string | null =>
  manifest.get(file)?.hashes[chunk] ?? null;

/** Whether the host has said what a chunk of a file of so many bytes hashes to; a file of another size is another one. */
export const isKnown = (manifest: Manifest, place: ChunkPlace, bytes: number): boolean =>
  manifest.get(place.file)?.bytes === bytes && hashOf(manifest, place) !== null;

/** The hashes that are known, as the messages that tell them: a run of chunks each. */
export function* hashMessages(manifest: Manifest): Generator<DataMessage<'model-hashes'>, void, void> {
  for (const [file, { bytes, hashes }] of manifest)
    for (let first = 0; first < hashes.length; first++) {
      let end = first;
      while (end < hashes.length && hashes[end] !== null) end++;
      if (end === first) continue;
      const tensor = new Uint8Array(HASH_BYTES * (end - first));
      for (let chunk = first; chunk < end; chunk++) tensor.set(hexToHash(hashes[chunk]), HASH_BYTES * (chunk - first));
      yield { header: { type: 'model-hashes', file, bytes, first }, tensors: [tensor] };
      first = end;
    }
}

export function hexToHash(hex: string | null | undefined): Uint8Array {
  const hash = new Uint8Array(HASH_BYTES);
  for (let i = 0; i < HASH_BYTES; i++) hash[i] = Number.parseInt((hex ?? '').slice(2 * i, 2 * i + 2), 16);
  return hash;
}

/** What a device says that it has of a file. */
export const heldMessage = (file: string, held: ReadonlySet<number>, bytes: number): DataMessage<'model-held'> => ({
  header: { type: 'model-held', file, held: heldDigits(held, chunkCount(bytes)) },
  tensors: [],
});

/** Which chunks somebody has, as hexadecimal digits: of each the lowest bit first. */
export function heldDigits(held: ReadonlySet<number>, chunks: number): string {
  let digits = '';
  for (let at = 0; at < chunks; at += 4) {
    let digit = 0;
    for (let bit = 0; bit < 4; bit++) if (held.has(at + bit)) digit |= 1 << bit;
    digits += digit.toString(16);
  }
  return digits;
}

export function heldChunks(digits: string): ReadonlySet<number> {
  const held = new Set<number>();
  for (const [at, digit] of [...digits].entries())
    for (let bit = 0; bit < 4; bit++) if ((Number.parseInt(digit, 16) >> bit) & 1) held.add(4 * at + bit);
  return held;
}

export const without = (held: ReadonlySet<number> | undefined, chunk: number): ReadonlySet<number> =>
  new Set([...(held ?? [])].filter((other) => other !== chunk));
