import type { Deleted } from '../api/host-api.ts';
import { forgetFacts } from '../engine/machine-facts.ts';
import { deleteAllModels } from '../files/cached-source.ts';
import type { ChunkStore } from '../files/chunk-store.ts';
import type { KeptSessions } from './kept-sessions.ts';

/** Deletes everything that workers keep on this device. Rejects when the browser refuses. */
export async function deleteAllHere(kept: KeptSessions | null, store: ChunkStore | null): Promise<Deleted> {
  // One may be refused by the browser without the other.
  const [sessions, models] = await Promise.allSettled([
    kept?.deleteAll() ?? { sessions: 0, bytes: 0 },
    store === null ? { models: 0, bytes: 0 } : deleteAllModels(store),
    forgetFacts(),
  ]);
  if (sessions.status === 'rejected') throw sessions.reason;
  if (models.status === 'rejected') throw models.reason;
  return { ...sessions.value, ...models.value, bytes: sessions.value.bytes + models.value.bytes };
}
