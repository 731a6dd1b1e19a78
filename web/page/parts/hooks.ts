import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { shared } from './shared.ts';

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

/** The value, sharing with the last one whatever did not change. */
export function useShared<T>(value: T): T {
  const last = useRef<T | undefined>(undefined);
  last.current = shared(last.current, value);
  return last.current;
}

/** A tab in the background draws no frames; what it shows is brought up to date all the same. */
const WITHOUT_FRAMES_MS = 250;

/** Calls `act` once before the next frame is drawn, however often it is asked to. */
export function eachFrame(act: () => void): { readonly ask: () => void; readonly stop: () => void } {
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = 0;
  };
  const go = (): void => {
    stop();
    act();
  };
  return {
    ask: () => {
      if (frame !== 0) return;
      frame = requestAnimationFrame(go);
      timer = setTimeout(go, WITHOUT_FRAMES_MS);
    },
    stop,
  };
}

/** Whether there is room for two columns; followed while the window changes. */
export function useWide(): boolean {
  const [query] = useState(() => matchMedia('(min-width: 60rem)'));
  const [wide, setWide] = useState(query.matches);
  useEffect(() => {
    const follow = (): void => setWide(query.matches);
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, [query]);
  return wide;
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
