import { afterEnd, afterSuccess, type Crumb, crumbText, type Past, parseCrumb, parsePast, pastText } from './crumb.ts';
import { mostMemoryBytes } from './tab-memory.ts';

/**
 * Where crumbs lie: a key for each page that is open, which holds a Web Lock of the same name for as long as it lives. A crumb that nobody holds is
 * of a page that ended without a word.
 */
const PREFIX = 'tabloom.at.';
const PAST_KEY = 'tabloom.past';
/** A page that is loaded anew lets go of its lock within about a second. */
const LET_GO_MS = 4000;

const own = `${PREFIX}${Math.random().toString(36).slice(2, 12)}`;
let at: Crumb | null = null;
let begun: Promise<Past> | null = null;

/** What training may claim in a tab of this browser, after what became of others. */
export const claimBytes = (): number =>
  Math.min(mostMemoryBytes(navigator), read(PAST_KEY, parsePast).claimBytes ?? Number.POSITIVE_INFINITY);

/** What became of pages of this browser before; once for the page's life. */
export function lookBack(): Promise<Past> {
  begun ??= look();
  return begun;
}

/** What this page is about to do; null for nothing that it could end of. */
export function drop(crumb: Omit<Crumb, 'hidden'> | null): void {
  at = crumb && { ...crumb, hidden: document.visibilityState === 'hidden' };
  put();
}

/** A session in which this page trained is over. */
export function wentWell(): void {
  const { claimBytes, ended } = read(PAST_KEY, parsePast);
  if (claimBytes === null && ended === null) return;
  write(PAST_KEY, pastText(afterSuccess({ claimBytes, ended }, mostMemoryBytes(navigator))));
}

async function look(): Promise<Past> {
  // Where there are no locks, as on plain http, nobody can tell a page that lives from one that ended.
  if (navigator.locks === undefined) return read(PAST_KEY, parsePast);
  void navigator.locks.request(own, () => new Promise(() => undefined));
  addEventListener('pagehide', () => {
    at = null;
    put();
  });
  document.addEventListener('visibilitychange', () => {
    if (at !== null) drop(at);
  });
  await Promise.all(keys().map((key) => take(key)));
  return read(PAST_KEY, parsePast);
}

/** A crumb of somebody who is gone; who lives keeps their lock, and is not waited for much longer than a page takes to end. */
async function take(key: string): Promise<void> {
  if (key === own) return;
  await navigator.locks
    .request(key, { signal: AbortSignal.timeout(LET_GO_MS) }, () => {
      const crumb = read(key, parseCrumb);
      forget(key);
      if (crumb === null) return;
      write(PAST_KEY, pastText(afterEnd(read(PAST_KEY, parsePast), crumb, mostMemoryBytes(navigator))));
    })
    .catch(() => undefined);
}

function put(): void {
  if (begun === null) return;
  if (at === null) forget(own);
  else write(own, crumbText(at));
}

/** The browser may refuse its storage; then nothing is remembered. */
function read<T>(key: string, parse: (text: string | null) => T): T {
  try {
    return parse(localStorage.getItem(key));
  } catch {
    return parse(null);
  }
}

function write(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    return;
  }
}

function forget(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    return;
  }
}

function keys(): readonly string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
}
