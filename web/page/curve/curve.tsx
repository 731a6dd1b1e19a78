import { useMemo, useState } from 'preact/hooks';
import { metricName, scoreText } from '../../../signaling/protocol/words/metrics.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/curve.ts';
import { SelectField } from '../parts/field.tsx';
import { RunList } from '../runs/run-list.tsx';
import { keptRuns } from '../runs/run-store.ts';
import { laidRuns, yarnOf } from './laid-runs.ts';
import { Plot } from './plot.tsx';
import { markText, runMarks } from './run-marks.ts';
import { curveSentence, curves, isMeasuredKey, MEASURED, type MeasuredKey, roundSentence } from './scores.ts';

/** Loss, or what else is measured of rounds, and dev score; marks where the run changed; earlier runs laid over it. */
export function Curve({ view, names }: { view: SessionView; names: ReadonlyMap<string, string> }) {
  const [measured, setMeasured] = useState<MeasuredKey>('loss');
  const [pointed, setPointed] = useState<number | null>(null);
  const { rounds, scores, room } = view;
  const metric = room?.settings.task.metric ?? 'accuracy';
  const [earlier] = useState(() => keptRuns().filter(({ id }) => id !== room?.id));
  const [laid, setLaid] = useState<readonly string[]>([]);
  const own = useMemo(() => curves(rounds, scores, measured), [rounds, scores, measured]);
  const marks = useMemo(() => runMarks(rounds), [rounds]);
  const others = useMemo(() => laidRuns(earlier, laid, measured, metric), [earlier, laid, measured, metric]);

  const constant = scores.findLast((score) => score.constant !== undefined)?.constant;
  const mark = marks.find(({ round }) => round === pointed);
  const changed = mark === undefined ? '' : markText(mark, (id) => names.get(id) ?? say.aDevice);
  const words = pointed === null ? '' : roundSentence(pointed, view, changed);
  return (
    <section class="curves" aria-labelledby="curves-title">
      <h2 id="curves-title">
        {MEASURED[measured].label} <span class="key key-loss" aria-hidden="true" />
        {measured === 'loss' && (
          <>
            {say.devLoss} <span class="key key-dev" aria-hidden="true" />
          </>
        )}{' '}
        {say.andDev(metricName(metric))} <span class="key key-score" aria-hidden="true" />
      </h2>
      <Plot
        metric={metric}
        own={own}
        marks={marks}
        others={others}
        titles={[MEASURED[measured].label.toLowerCase(), metricName(metric)]}
        onRound={setPointed}
      />
      <p class="curve-words">{words === '' ? curveSentence(view) : words}</p>
      {marks.length > 0 && (
        <p class="curve-words">
          {say.atTheTop} <span aria-hidden="true">▲</span> {say.aDeviceBegan} <span aria-hidden="true">▼</span>{' '}
          {say.oneTookNoPartAny} <span aria-hidden="true">|</span> {say.aNewPlan}
        </p>
      )}
      {constant !== undefined && <p class="curve-words">{say.theDottedLineIsWhat(scoreText(metric, constant))}</p>}
      <details class="fold">
        <summary>
          {say.whatTheCurveShows} <span class="summary-note">{MEASURED[measured].label}</span>
        </summary>
        <SelectField
          name="curve"
          label={say.leftAxis}
          value={measured}
          hint={say.dragOverTheCurve}
          options={Object.entries(MEASURED).map(([value, { label }]) => ({ value, label }))}
          onValue={(value) => isMeasuredKey(value) && setMeasured(value)}
        />
      </details>
      {earlier.length > 0 && (
        <details class="fold" data-fold="earlier">
          <summary>
            {say.earlierRunsLaidOver} <span class="summary-note">{earlier.length}</span>
          </summary>
          <RunList runs={earlier} chosen={laid} nowMs={Date.now()} colourOf={yarnOf} onChosen={setLaid} />
        </details>
      )}
    </section>
  );
}
