import { SESSION_LOCK } from '../in-session.ts';
import { savesData } from '../saves-data.ts';
import { whatIsMissing } from '../what-is-missing.ts';

let kept: Promise<void> | null = null;

/**
 * A page that is in no session is kept on this device, so that it opens and trains without a network; a newer one takes its place while no page is in
 * a session. `onNewer` is called where what is open here is older than what the server has. Where the browser refuses
 * (no trusted certificate, a private window), and where the person saves data, nothing is kept and nothing said.
 */
export function atRest(onNewer: () => void): void {
  if (!('serviceWorker' in navigator) || savesData()) return;
  kept ??= keep(onNewer);
  // A newer one may have waited for the end of a session.
  void kept.then(() => lookForNewer(onNewer));
}

async function keep(onNewer: () => void): Promise<void> {
  const script = new URL('service-worker.js', document.baseURI);
  try {
    const registration = await navigator.serviceWorker.register(script, { updateViaCache: 'none' });
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', () => void lookForNewer(onNewer));
    });
    const { active } = await navigator.serviceWorker.ready;
    const { gpu } = await whatIsMissing();
    active?.postMessage(gpu === 'there' ? 'keep' : 'keep engine');
  } catch {
    // Then the page is as it would be without.
  }
}

/** Puts a newer page in place of what is kept, unless some page is in a session. */
async function lookForNewer(onNewer: () => void): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration(document.baseURI).catch(() => undefined);
  const waiting = registration?.waiting;
  if (waiting == null) return;
  await navigator.locks.request(SESSION_LOCK, { ifAvailable: true }, async (lock) => {
    if (lock === null) return;
    waiting.postMessage('take over');
    if (await isOld()) onNewer();
  });
}

/** Whether the server's page is made of other scripts than this one. */
async function isOld(): Promise<boolean> {
  const own = document.querySelector<HTMLScriptElement>('script[type="module"][src]')?.getAttribute('src');
  const page = await fetch(document.baseURI.replace(/#.*$/, ''), { cache: 'no-cache' }).catch(() => null);
  return own != null && page?.ok === true && !(await page.text()).includes(own);
}
