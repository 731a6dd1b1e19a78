import { type ChunkPlace, placeKey } from './manifest.ts';

/** Who fetches a chunk for longer than this is late: others may fetch it, too. */
export const LATE_MS = 20_000;

/** What others say that they fetch from the hub just now, one chunk each: nobody else fetches the same beside them. */
export class FetchedElsewhere {
  readonly #fetching = new Map<string, { readonly key: string; readonly sinceMs: number }>();

  says(device: string, place: ChunkPlace, nowMs: number): void {
    const key = placeKey(place);
    // Who says the same again is not given more time for it.
    if (this.#fetching.get(device)?.key !== key) this.#fetching.set(device, { key, sinceMs: nowMs });
  }

  gone(device: string): void {
    this.#fetching.delete(device);
  }

  has(place: ChunkPlace, nowMs: number): boolean {
    const key = placeKey(place);
    return [...this.#fetching.values()].some((one) => one.key === key && nowMs - one.sinceMs <= LATE_MS);
  }
}
