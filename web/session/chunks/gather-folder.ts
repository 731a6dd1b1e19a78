import type { ChunkPlace } from './manifest.ts';

export interface FolderWorld {
  readonly isOver: () => boolean;
  /** The files that the host has told of so far, by name. */
  readonly told: () => readonly string[];
  /** They can be kept from now on; false where this device keeps nothing. */
  readonly announce: () => Promise<boolean>;
  /** All chunks of a file. */
  readonly chunksOf: (file: string) => readonly ChunkPlace[];
  readonly bring: (places: readonly ChunkPlace[]) => Promise<void>;
  /** What is needed of the weights; rejects while not all of them were told of. */
  readonly wanted: () => Promise<readonly ChunkPlace[]>;
  /** Settles after a while, or when there is news. */
  readonly news: () => Promise<void>;
}

const CONFIG = 'config.json';
const isWeights = (file: string): boolean => file.endsWith('.safetensors');

/**
 * Brings a model here that lies in a folder of the host's: its small files whole, then of its weights what is needed. There is no hub to ask, so
 * who is missing is waited for.
 */
export async function gatherFolder(world: FolderWorld): Promise<void> {
  const { isOver, told, announce, chunksOf, bring, wanted, news } = world;
  while (!isOver()) {
    const files = told();
    if (files.includes(CONFIG) && files.some(isWeights)) {
      if (!(await announce())) return;
      const [weights, small] = [files.filter(isWeights), files.filter((file) => !isWeights(file))];
      await bring([...small.flatMap(chunksOf), ...weights.map((file) => ({ file, chunk: 0 }))]);
      const places = await wanted().catch(() => null);
      if (places !== null) return bring(places);
    }
    await news();
  }
}
