import type { ComponentChildren } from 'preact';
import { type KeptRun, runText, runTitle } from './kept-runs.ts';

interface RunListProps {
  readonly runs: readonly KeptRun[];
  readonly chosen: readonly string[];
  readonly nowMs: number;
  /** The colour that a run has in the picture, by its place. */
  readonly colourOf: (place: number) => string;
  readonly onChosen: (ids: readonly string[]) => void;
  /** What else can be done with a run. */
  readonly more?: (run: KeptRun) => ComponentChildren;
}

/** Finished runs with their settings and scores, to lay over each other. */
export function RunList({ runs, chosen, nowMs, colourOf, onChosen, more }: RunListProps) {
  return (
    <ul class="runs">
      {runs.map((run, place) => (
        <li key={run.id} class="run">
          <label class="check">
            <input
              type="checkbox"
              name="run"
              value={run.id}
              checked={chosen.includes(run.id)}
              onChange={(event) =>
                onChosen(event.currentTarget.checked ? [...chosen, run.id] : chosen.filter((other) => other !== run.id))
              }
            />
            <span class="key" style={{ borderTopColor: `var(${colourOf(place)})` }} aria-hidden="true" />
            <span>
              {runTitle(run)} <span class="field-hint">{runText(run, nowMs)}</span>
            </span>
          </label>
          {more?.(run)}
        </li>
      ))}
    </ul>
  );
}
