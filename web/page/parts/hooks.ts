import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

/** The element's inner width in CSS pixels, kept up to date; 0 before the first layout. */
export function useWidth(ref: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}

/** Keeps the screen on while `wanted`; browsers drop the lock with the tab's visibility, so it is asked for again. */
export function useWakeLock(wanted: boolean): void {
  useEffect(() => {
    // Absent on plain http from another machine, and refused at low battery: training goes on either way.
    if (!wanted || !('wakeLock' in navigator)) return;
    let over = false;
    let lock: WakeLockSentinel | null = null;
    const ask = async (): Promise<void> => {
      if (document.visibilityState !== 'visible') return;
      try {
        const got = await navigator.wakeLock.request('screen');
        if (over) await got.release();
        else lock = got;
      } catch {
        lock = null;
      }
    };
    void ask();
    document.addEventListener('visibilitychange', ask);
    return () => {
      over = true;
      document.removeEventListener('visibilitychange', ask);
      void lock?.release();
    };
  }, [wanted]);
}

/** Long enough for what takes the focus itself when it appears. */
const FOCUS_AFTER_MS = 100;

/**
 * What has the focus may be taken away by what happens: a device that waited came in, a phase is over. Then the heading of the section
 * that it stood in gets the focus, or that of the page, so that nobody has to start again from the top.
 */
export function useKeptFocus(root: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const within = root.current;
    if (within === null) return;
    let last: readonly Element[] = [];
    const note = (event: FocusEvent): void => {
      last = [];
      for (let at = event.target; at instanceof Element && at !== within; at = at.parentElement) last = [...last, at];
    };
    const look = (): void => {
      const lost = last[0] !== undefined && !last[0].isConnected && document.activeElement === document.body;
      if (!lost) return;
      const section = last.find((one) => one.isConnected && one.matches('section[aria-labelledby]'));
      const heading = section?.querySelector('h2, h3') ?? within.querySelector('h1');
      if (!(heading instanceof HTMLElement)) return;
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    };
    const observer = new MutationObserver(() => {
      if (last[0] !== undefined && !last[0].isConnected) setTimeout(look, FOCUS_AFTER_MS);
    });
    within.addEventListener('focusin', note);
    observer.observe(within, { childList: true, subtree: true });
    return () => {
      within.removeEventListener('focusin', note);
      observer.disconnect();
    };
  }, [root]);
}
