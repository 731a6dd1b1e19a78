/** Held by every page of this browser that is in a session: what pages are made of stays as it is meanwhile. */
export const SESSION_LOCK = 'tabloom-in-session';

let leave: (() => void) | null = null;

/** Whether this page is in a session, from now on. */
export function inSession(on: boolean): void {
  if (!on) {
    leave?.();
    leave = null;
  } else if (leave === null && navigator.locks !== undefined) {
    const over = new Promise<void>((resolve) => {
      leave = resolve;
    });
    void navigator.locks.request(SESSION_LOCK, { mode: 'shared' }, () => over);
  }
}
