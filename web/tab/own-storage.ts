/** What the page itself remembers in this browser: small choices, under names of its own. */

const OURS = /^tabloom\./;

/** Deletes it and says how many bytes went, two for each UTF-16 unit. Where the browser refuses its storage there is nothing. */
export function deleteOwnStorage(): number {
  let bytes = 0;
  for (const kind of ['localStorage', 'sessionStorage'] as const) {
    try {
      const storage = globalThis[kind];
      for (const key of Object.keys(storage).filter((key) => OURS.test(key))) {
        bytes += 2 * (key.length + (storage.getItem(key)?.length ?? 0));
        storage.removeItem(key);
      }
    } catch {
      // Blocked cookies, a private window.
    }
  }
  return bytes;
}

/** The page as it is kept for when there is no network: its files, and who hands them out. */
const PAGE_CACHES = /^(workbox-precache|tabloom-offline)-/;

/** Deletes it, and says how many bytes went; it is kept again at the next visit. */
export async function deleteKeptPage(): Promise<number> {
  let bytes = 0;
  try {
    const registration = await navigator.serviceWorker.getRegistration(document.baseURI);
    await registration?.unregister();
    for (const name of await caches.keys()) {
      if (!PAGE_CACHES.test(name)) continue;
      const cache = await caches.open(name);
      for (const request of await cache.keys()) bytes += (await (await cache.match(request))?.blob())?.size ?? 0;
      await caches.delete(name);
    }
  } catch {
    // Plain http has neither.
  }
  return bytes;
}

/** Pages from another machine over plain http have no storage of their own. */
export const keepsAnything = (): boolean => 'storage' in navigator && 'getDirectory' in navigator.storage;
