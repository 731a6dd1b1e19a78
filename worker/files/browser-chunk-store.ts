import type { ChunkStore } from './chunk-store.ts';

const CACHE = 'tabloom-models-1';
const FOLDER = '/tabloom-models/';
const BYTES_HEADER = 'x-tabloom-bytes';

/**
 * Model files in the browser's Cache API, a chunk an entry; null where the page has none (plain http from another machine). Chosen over OPFS because entries appear whole or not at all, and because the host's worker, the device's worker and other
 * tabs use them at the same time: OPFS lets one at a time open a file for synchronous access, and leaves half a file behind when a
 * tab dies. The Cache API stores no 206 answers; these are answers of our own making.
 */
export function browserChunkStore(): ChunkStore | null {
  if (!('caches' in globalThis)) return null;
  // Opened when it is used: some browsers have the interface and refuse its use.
  let opened: Promise<Cache> | undefined;
  const open = () => {
    opened ??= caches.open(CACHE);
    return opened;
  };
  const address = (key: string) => new URL(`${FOLDER}${key}`, location.origin).href;
  return {
    ofOrigin: true,
    get: async (key) => {
      const found = await (await open()).match(address(key));
      return found === undefined ? null : new Uint8Array(await found.arrayBuffer());
    },
    put: async (key, parts) => {
      const body = new Blob([...parts]);
      await (await open()).put(address(key), new Response(body, { headers: { [BYTES_HEADER]: String(body.size) } }));
    },
    delete: async (keys) => {
      const cache = await open();
      for (const key of keys) await cache.delete(address(key));
    },
    list: async (prefix) => {
      const cache = await open();
      const entries: { key: string; bytes: number }[] = [];
      for (const request of await cache.keys()) {
        const key = new URL(request.url).pathname.slice(FOLDER.length);
        if (!key.startsWith(prefix)) continue;
        const found = await cache.match(request);
        entries.push({ key, bytes: Number(found?.headers.get(BYTES_HEADER) ?? 0) });
      }
      return entries;
    },
    clear: async () => {
      opened = undefined;
      await caches.delete(CACHE);
    },
  };
}
