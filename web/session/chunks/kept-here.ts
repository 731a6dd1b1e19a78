import type { DataMessage } from '../../../signaling/protocol/exchange/data-messages.ts';
import { chunkBytes } from '../../../signaling/protocol/exchange/model-messages.ts';
import type { ChunkedFile } from '../../../worker/api/chunks-api.ts';
import { type ChunkPlace, heldMessage } from './manifest.ts';

/** What of the model's files this device has, and how large they are. */
export class KeptHere {
  readonly #held = new Map<string, Set<number>>();
  readonly #sizes = new Map<string, number>();

  /** Files that something is kept of. */
  get files(): readonly string[] {
    return [...this.#held.keys()];
  }

  get modelBytes(): number {
    return [...this.#sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  learn({ file, bytes, held }: ChunkedFile): void {
    this.#sizes.set(file, bytes);
    for (const chunk of held) this.heldOf(file).add(chunk);
  }

  heldOf(file: string): Set<number> {
    const held = this.#held.get(file) ?? new Set();
    this.#held.set(file, held);
    return held;
  }

  has({ file, chunk }: ChunkPlace): boolean {
    return this.#held.get(file)?.has(chunk) === true;
  }

  sizeOf(file: string): number {
    return this.#sizes.get(file) ?? 0;
  }

  bytesOf(places: readonly ChunkPlace[]): number {
    return places.reduce((sum, { file, chunk }) => sum + chunkBytes(this.sizeOf(file), chunk), 0);
  }

  message(file: string): DataMessage<'model-held'> {
    return heldMessage(file, this.heldOf(file), this.sizeOf(file));
  }
}
