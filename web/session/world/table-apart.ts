import { visible } from '../../../signaling/protocol/text/visible.ts';
import type { HostWorkerApi } from '../../../worker/api/host-api.ts';
import type { NamedFile, TablePreview } from '../../../worker/api/tables.ts';
import * as say from '../../words/session/world.ts';
import type { WorkerHandle } from './environment.ts';

/** Far more than any file takes that can be read at all. */
const LEAST_MS = 30_000;
const MS_PER_BYTE = 0.002;

/**
 * Reads a person's file in a worker of its own: a Parquet file that was damaged can hold up its reader for ever, and must not hold up a session
 * with it. Rejects with a sentence when that takes too long. What was read here once can be read elsewhere.
 */
export async function previewApart(
  start: () => WorkerHandle<Pick<HostWorkerApi, 'previewTable'>>,
  file: NamedFile,
  leastColumns: 1 | 2,
  limitMs = LEAST_MS + MS_PER_BYTE * file.bytes.length,
): Promise<TablePreview> {
  const { api, terminate } = start();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const sentence = say.wasNotReadWithinSeconds(visible(file.name), Math.round(limitMs / 1000));
    timer = setTimeout(() => reject(new Error(sentence)), limitMs);
  });
  try {
    return await Promise.race([api.previewTable(file, leastColumns), late]);
  } finally {
    clearTimeout(timer);
    terminate();
  }
}
