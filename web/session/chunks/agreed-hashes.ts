import { type ChunkPlace, placeKey } from './manifest.ts';

/** So many devices have to have fetched the same from the hub before it counts as the hub's. */
const AGREEING = 2;
/** Chunks of which statements are kept. */
const MAX_PLACES = 1024;

/** What devices say that chunks hash to which they fetched from the hub; one statement of a device for each chunk, its first. */
export class AgreedHashes {
  readonly #said = new Map<string, Map<string, string>>();

  /** True with the statement by which enough devices agree. */
  says(device: string, place: ChunkPlace, sha256: string): boolean {
    const key = placeKey(place);
    const said = this.#said.get(key) ?? new Map<string, string>();
    if (said.has(device) || (!this.#said.has(key) && this.#said.size >= MAX_PLACES)) return false;
    said.set(device, sha256);
    this.#said.set(key, said);
    return [...said.values()].filter((one) => one === sha256).length === AGREEING;
  }
}
