import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import type { ChunkStore } from '../files/chunk-store.ts';

/** Of all models together; a session names them, so it must end somewhere. */
const MAX_STORE_BYTES = 32e9;

const KEY = /^[0-9a-f]{32}\/[\w-]+$/;

/** The usual place for what can be fetched again: XDG_CACHE_HOME, or what the system has instead. */
export function defaultCacheFolder(): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = process.env;
  if (process.platform === 'win32' && local) return join(local, 'tabloom', 'models');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'tabloom', 'models');
  return join(xdg || join(homedir(), '.cache'), 'tabloom', 'models');
}

/** The store of a worker thread that was started with `{ cacheFolder }`; without one, nothing is kept. */
export function folderStore(workerData: unknown): ChunkStore | null {
  const given = v.safeParse(v.object({ cacheFolder: v.nullable(v.string()) }), workerData);
  return given.success && given.output.cacheFolder !== null ? fileChunkStore(given.output.cacheFolder) : null;
}

/** Model files in a folder of a headless device, a file for each chunk. */
export function fileChunkStore(folder: string, maxBytes = MAX_STORE_BYTES): ChunkStore {
  /** Bytes here, as far as this process knows. */
  let kept: number | null = null;
  const path = (key: string): string => {
    if (!KEY.test(key)) throw new RangeError(`"${key}" is no key of a store.`);
    return join(folder, key);
  };
  const list: ChunkStore['list'] = async (prefix) => {
    const names = await readdir(folder, { recursive: true }).catch((): string[] => []);
    const keys = names
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => KEY.test(name) && name.startsWith(prefix));
    const sizes = await Promise.all(keys.map((key) => stat(path(key)).catch(() => null)));
    return keys.flatMap((key, i) => (sizes[i]?.isFile() ? [{ key, bytes: sizes[i].size }] : []));
  };
  return {
    get: (key) => readFile(path(key)).catch(() => null),
    put: async (key, parts) => {
      const file = path(key);
      kept ??= (await list('')).reduce((sum, { bytes }) => sum + bytes, 0);
      kept += parts.reduce((sum, { length }) => sum + length, 0);
      if (kept > maxBytes)
        throw new Error(
          `${(maxBytes / 1e9).toFixed(0)} GB of models are kept in ${folder} already; see tabloom cache --delete`,
        );
      await mkdir(dirname(file), { recursive: true });
      // Renaming is what makes it whole or not at all, for other processes too.
      const draft = `${file}.${randomUUID()}`;
      try {
        await writeFile(draft, parts);
        await rename(draft, file);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },
    delete: async (keys) => {
      kept = null;
      for (const key of keys) await rm(path(key), { force: true });
    },
    list,
    clear: async () => {
      kept = null;
      const names = await readdir(folder).catch((): string[] => []);
      // Drafts of processes that were killed are in there, too. What else a person put there is not ours.
      for (const name of names.filter((name) => /^[0-9a-f]{32}$/.test(name)))
        await rm(join(folder, name), { recursive: true, force: true });
    },
  };
}
