import type { ChunkPlace } from './manifest.ts';

/** Chunks that one device may be asked for at once. */
export const MAX_ASKED = 2;

/** A chunk that is wanted, neither here nor asked for. */
export interface MissingChunk extends ChunkPlace {
  /** It is known what it hashes to: what comes from other devices can be checked. */
  readonly isKnown: boolean;
  /** Another device fetches it from the hub just now. */
  readonly isFetched: boolean;
}

/** Another device, as far as it can be asked. */
export interface ChunkSource {
  readonly device: string;
  readonly isHost: boolean;
  readonly holds: (place: ChunkPlace) => boolean;
  /** Chunks that it was asked for and has not sent. */
  readonly asked: number;
}

export interface Gathering {
  /** In the order of the files. */
  readonly missing: readonly MissingChunk[];
  readonly sources: readonly ChunkSource[];
  readonly hub: {
    readonly isFree: boolean;
    /** The others do not bring it in time, or there are none: the hub serves whatever is missing. */
    readonly isNeeded: boolean;
    /** Where the others bring it: chunks that this device may fetch from the hub beside them. */
    readonly beside: number;
  };
  /** Devices differ in it, so that each begins elsewhere and has what others lack. */
  readonly offset: number;
}

export interface Ask {
  readonly from: 'hub' | { readonly device: string };
  readonly place: ChunkPlace;
}

/**
 * Which chunk next, and from whom; null where nothing can be asked for now. From devices, the chunk that the fewest of them have; of equals the
 * next one from this device's own beginning on; from a device rather than the host, whom all may ask, and from who owes the least. When all
 * devices are busy, the hub, for what nobody else fetches there.
 */
export function nextAsk({ missing, sources, hub, offset }: Gathering): Ask | null {
  const order = rotated(missing, offset);
  const free = sources.filter(({ asked }) => asked < MAX_ASKED);
  let rarest: { readonly place: ChunkPlace; readonly device: string; readonly holders: number } | null = null;
  for (const place of order) {
    const [giver] = place.isKnown ? free.filter(({ holds }) => holds(place)).sort(bySpare) : [];
    if (giver === undefined) continue;
    const holders = countHolders(sources, place);
    if (rarest === null || holders < rarest.holders) rarest = { place, device: giver.device, holders };
  }
  if (rarest !== null) return { from: { device: rarest.device }, place: bare(rarest.place) };
  if (!hub.isFree) return null;
  const unfetched = order.filter(({ isFetched }) => !isFetched);
  const alone = unfetched.filter((place) => countHolders(sources, place) === 0);
  if (hub.isNeeded) {
    const place = alone[0] ?? unfetched[0];
    return place === undefined ? null : { from: 'hub', place: bare(place) };
  }
  // The host reads from the beginning: what it comes to last is fetched beside it.
  const last = hub.beside > 0 ? alone.at(-1 - (offset % Math.max(1, alone.length))) : undefined;
  return last === undefined ? null : { from: 'hub', place: bare(last) };
}

const bare = ({ file, chunk }: ChunkPlace): ChunkPlace => ({ file, chunk });

const bySpare = (a: ChunkSource, b: ChunkSource): number =>
  Number(a.isHost) - Number(b.isHost) || a.asked - b.asked || (a.device < b.device ? -1 : 1);

const countHolders = (sources: readonly ChunkSource[], place: ChunkPlace): number =>
  sources.reduce((count, { holds }) => count + (holds(place) ? 1 : 0), 0);

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

/** Of all that the devices fetch beside the host, of the model. */
const SHARE_BESIDE = 0.15;

/** Chunks that one of `devices` (the host not counted) may fetch beside the host, so that all together fetch that share of the model at most. */
export const besideHost = (chunks: number, devices: number): number =>
  Math.floor((SHARE_BESIDE * chunks) / Math.max(1, devices));

/** Where a device begins: by its id, so that no two begin at the same chunk but by chance. */
export const offsetOf = (device: string): number =>
  [...device].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7);
