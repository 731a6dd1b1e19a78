import { useMemo, useRef, useState } from 'preact/hooks';
import { metricName } from '../../../signaling/protocol/words/metrics.ts';
import * as say from '../../words/watch/curve.ts';
import { Confirmed } from '../parts/confirmed.tsx';
import { type KeptRun, runTitle } from '../runs/kept-runs.ts';
import { RunList } from '../runs/run-list.tsx';
import { keepRuns, keptRuns } from '../runs/run-store.ts';
import { laidRuns, yarnOf } from './laid-runs.ts';
import { Plot } from './plot.tsx';
import { curves } from './scores.ts';

const NO_ROUNDS = curves([], []);

/** Runs that were finished in this browser, laid over each other without a session. */
export function FinishedRuns() {
  const [runs, setRuns] = useState(keptRuns);
  const [had] = useState(runs.length > 0);
  const [chosen, setChosen] = useState<readonly string[]>(() => runs.slice(0, 1).map(({ id }) => id));
  const [said, setSaid] = useState('');
  const summary = useRef<HTMLElement>(null);
  const metric = runs.find(({ id }) => chosen.includes(id))?.metric ?? 'accuracy';
  const others = useMemo(() => laidRuns(runs, chosen, 'loss', metric), [runs, chosen, metric]);
  const remove = (run: KeptRun): void => {
    const left = runs.filter(({ id }) => id !== run.id);
    keepRuns(left);
    setRuns(left);
    setSaid(say.theCurveOfIsDeleted(runTitle(run)));
    // The button that had the focus is gone with its line.
    summary.current?.focus();
  };
  // A list that has become empty stays, to say what was deleted.
  if (!had) return null;
  return (
    <details data-fold="runs">
      <summary ref={summary}>
        {say.finishedRuns} <span class="summary-note">{runs.length}</span>
      </summary>
      {others.length > 0 && (
        <Plot
          metric={metric}
          own={NO_ROUNDS}
          marks={NO_MARKS}
          others={others}
          titles={['loss', metricName(metric)]}
          onRound={() => undefined}
        />
      )}
      <RunList
        runs={runs}
        chosen={chosen}
        nowMs={Date.now()}
        colourOf={yarnOf}
        onChosen={setChosen}
        more={(run) => (
          <Confirmed
            label={say.deleteWord}
            about={runTitle(run)}
            question={say.deleteItsCurve}
            yes={say.deleteWord}
            no={say.keepIt}
            onYes={() => remove(run)}
          />
        )}
      />
      <p class="field-hint" role="status">
        {said}
      </p>
    </details>
  );
}

const NO_MARKS = [] as const;
