import { useEffect } from 'preact/hooks';
import type { SessionView } from '../../session/view/view.ts';
import { recall, remember } from '../parts/remember.ts';
import { type KeptRun, readRuns, runOf, withRun } from './kept-runs.ts';

const KEY = 'tabloom.runs';

export const keptRuns = (): readonly KeptRun[] => readRuns(recall(KEY));

export const keepRuns = (runs: readonly KeptRun[]): void => remember(KEY, JSON.stringify(runs));

/** Keeps the run of a session as soon as it is finished, and again with its last score. */
export function useKeptRun(view: SessionView): void {
  const phase = view.room?.phase;
  const { scores } = view;
  useEffect(() => {
    const run = runOf(view, Date.now());
    if (run !== null) keepRuns(withRun(keptRuns(), run));
  }, [phase, scores.length]);
}
