import * as say from '../words/tab/tab.ts';

/** One tab of a browser at a time goes on with a session; a Web Lock for each says which are open. */

const PREFIX = 'tabloom-session-';
const lockOf = (id: string): string => `${PREFIX}${id}`;

/** Marks a session as open in this browser until the function is called that it resolves with; the browser does that for a tab that goes. */
export function claim(id: string): Promise<() => void> {
  return new Promise((resolve) => {
    if (navigator.locks === undefined) return resolve(() => undefined);
    void navigator.locks.request(lockOf(id), () => new Promise<void>((free) => resolve(free)));
  });
}

/** A tab that was just closed or loaded anew holds its session for about a second more. */
const LET_GO_MS = 4000;

/** Two tabs must not go on with one session. */
export async function refuseOpen(id: string): Promise<void> {
  try {
    await navigator.locks?.request(lockOf(id), { signal: AbortSignal.timeout(LET_GO_MS) }, () => undefined);
  } catch {
    throw new Error(say.thisSessionIsOpen);
  }
}

/** What an open session kept next would be there again. */
export async function refuseAnyOpen(): Promise<void> {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  // A tab that was just closed holds its session a little longer.
  for (const { name = '' } of held) if (name.startsWith(PREFIX)) await refuseOpen(name.slice(PREFIX.length));
}
