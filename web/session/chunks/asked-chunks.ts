import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import { chunkBytes } from '../../../signaling/protocol/exchange/model-messages.ts';
import { type ChunkPlace, placeKey } from './manifest.ts';

/** A device that was asked for a chunk and sends nothing of it for so long is asked for nothing more for a while. */
export const SILENT_MS = 20_000;

interface Asked {
  readonly place: ChunkPlace;
  readonly device: string;
  readonly bytes: Uint8Array;
  received: number;
  heardMs: number;
}

export interface WholeChunk {
  readonly place: ChunkPlace;
  readonly device: string;
  readonly bytes: Uint8Array;
}

/** Chunks that other devices were asked for, as they come. What was not asked for is not taken. */
export class AskedChunks {
  readonly #asked = new Map<string, Asked>();

  has(place: ChunkPlace): boolean {
    return this.#asked.has(placeKey(place));
  }

  countOf(device: string): number {
    return [...this.#asked.values()].filter((asked) => asked.device === device).length;
  }

  /** `fileBytes`: of the whole file. */
  ask(device: string, place: ChunkPlace, fileBytes: number, nowMs: number): void {
    const bytes = new Uint8Array(chunkBytes(fileBytes, place.chunk));
    this.#asked.set(placeKey(place), { place, device, bytes, received: 0, heardMs: nowMs });
  }

  /** The chunk, once this piece makes it whole; null while it does not. A piece out of its place ends the asking. */
  take(device: string, { header, tensors }: DataMessage<'model-piece'>, nowMs: number): WholeChunk | null {
    const key = placeKey(header);
    const asked = this.#asked.get(key);
    const [piece] = tensors;
    if (asked?.device !== device || !(piece instanceof Uint8Array)) return null;
    if (header.offset !== asked.received || asked.received + piece.length > asked.bytes.length) {
      this.#asked.delete(key);
      return null;
    }
    asked.bytes.set(piece, asked.received);
    asked.received += piece.length;
    asked.heardMs = nowMs;
    if (asked.received < asked.bytes.length) return null;
    this.#asked.delete(key);
    return { place: asked.place, device, bytes: asked.bytes };
  }

  /** The device does not send it, or nothing any more where no place is given. */
  giveUp(device: string, place: ChunkPlace | null = null): void {
    for (const [key, asked] of this.#asked)
      if (asked.device === device && (place === null || key === placeKey(place))) this.#asked.delete(key);
  }

  /** Devices that let this device wait too long. */
  silent(nowMs: number): readonly string[] {
    return [...this.#asked.values()].filter(({ heardMs }) => nowMs - heardMs > SILENT_MS).map(({ device }) => device);
  }

  clear(): void {
    this.#asked.clear();
  }
}
