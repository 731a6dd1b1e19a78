import type { Metric } from '../../../signaling/protocol/scores.ts';
import type { KeptRun } from '../runs/kept-runs.ts';
import type { Shown } from './curve-plot.ts';
import { curves, type MeasuredKey } from './scores.ts';

/** Runs laid over another, each in the colour of its place in the list; scores only of those that were scored alike. */
export function laidRuns(
  runs: readonly KeptRun[],
  laid: readonly string[],
  measured: MeasuredKey,
  metric: Metric,
): Shown['others'] {
  return runs.flatMap((run, place) =>
    laid.includes(run.id)
      ? [
          {
            data: curves(run.rounds, run.metric === metric ? run.scores : [], measured),
            token: yarnOf(place),
          },
        ]
      : [],
  );
}

const YARNS = 8;
/** The first two yarns are too like the loss and the score of the run below. */
const FIRST = 2;
export const yarnOf = (place: number): string => `--yarn-${(FIRST + place) % YARNS}`;
