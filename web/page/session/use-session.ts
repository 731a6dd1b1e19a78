import { useEffect, useState } from 'preact/hooks';
import type { Session, SessionView } from '../../session/view/view.ts';
import { eachFrame } from '../parts/hooks.ts';
import { announcement } from './announce.ts';

/** How far everybody is within a round is drawn no more often than people can read it. */
const PROGRESS_MS = 250;

/** The session as it is to be drawn, and what a listener is told of it. */
export function useSession(session: Session): { view: SessionView; said: string } {
  const [state, setState] = useState({ view: session.view, said: '' });
  useEffect(() => {
    // However much happens between two frames, it is drawn once.
    let drawn = { view: session.view, atMs: 0 };
    let later: ReturnType<typeof setTimeout> | undefined;
    const frames = eachFrame(() => {
      clearTimeout(later);
      later = undefined;
      const { view } = session;
      drawn = { view, atMs: performance.now() };
      setState((old) => (view === old.view ? old : { view, said: announcement(old.view, view) ?? old.said }));
    });
    frames.ask();
    const off = session.subscribe((view) => {
      const waitMs = onlyProgress(drawn.view, view) ? drawn.atMs + PROGRESS_MS - performance.now() : 0;
      if (waitMs <= 0) frames.ask();
      else later ??= setTimeout(frames.ask, waitMs);
    });
    return () => {
      clearTimeout(later);
      frames.stop();
      off();
    };
  }, [session]);
  return state;
}

/** Whether nothing is new but how far everybody is within the round. */
export function onlyProgress(old: SessionView, view: SessionView): boolean {
  const keys = new Set([...Object.keys(old), ...Object.keys(view)]);
  keys.delete('activity');
  return [...keys].every((key) => Object.is(Reflect.get(old, key), Reflect.get(view, key)));
}
