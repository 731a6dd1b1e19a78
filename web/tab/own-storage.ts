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

/** Pages from another machine over plain http have no storage of their own. */
export const keepsAnything = (): boolean => 'storage' in navigator && 'getDirectory' in navigator.storage;
