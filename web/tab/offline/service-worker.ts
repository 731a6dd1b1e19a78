import { addRoute, matchPrecache, precache } from 'workbox-precaching';
import { registerRoute } from 'workbox-routing';

/** A file of the page: its revision, or null where its name says what is in it. */
interface KeptFile {
  readonly url: string;
  readonly revision: string | null;
}

/** Put in by the build: what the page is made of, and what it needs to train besides. */
declare const PAGE_FILES: { readonly shell: readonly KeptFile[]; readonly rest: readonly KeptFile[] };

/** What of a service worker's global is used here. */
interface Scope {
  readonly location: { readonly href: string };
  addEventListener(
    type: 'message',
    listener: (event: { readonly data: unknown; waitUntil(work: Promise<unknown>): void }) => void,
  ): void;
  skipWaiting(): Promise<void>;
}
declare const self: Scope;

const REST = 'tabloom-offline-1';
/** A server that does not answer by then is taken for one that is away. */
const PATIENCE_MS = 3000;

const address = (url: string): string => new URL(url, self.location.href).href;
const PAGES = new Set([address('./'), address('index.html')]);
/** Under which each file of the rest lies in the cache: by address, and a name that changes with it. */
const rest = new Map(
  PAGE_FILES.rest.map(({ url, revision }) => [
    address(url),
    revision === null ? address(url) : `${address(url)}?revision=${revision}`,
  ]),
);

precache([...PAGE_FILES.shell]);

// The page itself comes from the server where that answers, so that nobody is left with an old one.
registerRoute(
  ({ request, url }) => request.mode === 'navigate' && PAGES.has(url.href.replace(/[?#].*$/, '')),
  async ({ request }) => {
    const kept = () => matchPrecache('index.html');
    try {
      const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
      return answer.status < 500 ? answer : ((await kept()) ?? answer);
    } catch (error) {
      const found = await kept();
      if (found === undefined) throw error;
      return found;
    }
  },
);
addRoute({ cleanURLs: false });
registerRoute(
  ({ url }) => rest.has(url.href),
  async ({ request, url }) => {
    const key = rest.get(url.href) ?? url.href;
    const kept = await (await caches.open(REST)).match(key);
    // A name that says what is in it needs no asking. Whoever wants a part of a file takes it from the whole.
    if (kept !== undefined && key === url.href) return kept;
    try {
      return await fetch(request);
    } catch (error) {
      if (kept === undefined) throw error;
      return kept;
    }
  },
);

self.addEventListener('message', (event) => {
  if (event.data === 'take over') event.waitUntil(self.skipWaiting());
  if (event.data === 'keep engine' || event.data === 'keep') event.waitUntil(keepRest(event.data === 'keep engine'));
});

/** Fetches what is not here yet, one file after the other, and lets go of what the page does not use any more. */
async function keepRest(withEngine: boolean): Promise<void> {
  const cache = await caches.open(REST);
  for (const [url, key] of rest) {
    if ((!withEngine && url.endsWith('.wasm')) || (await cache.match(key)) !== undefined) continue;
    const answer = await fetch(url);
    if (answer.status === 200) await cache.put(key, answer);
  }
  const wanted = new Set(rest.values());
  for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url);
}
