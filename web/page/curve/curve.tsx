import { useEffect, useRef, useState } from 'preact/hooks';
import { metricName, scoreText } from '../../../signaling/protocol/words/metrics.ts';
import type { SessionView } from '../../session/view/view.ts';
import { SelectField } from '../parts/field.tsx';
import type { CurvePlot } from './curve-plot.ts';
import { curveSentence, curves, isMeasuredKey, MEASURED, type MeasuredKey, roundSentence } from './scores.ts';

/** Loss, or what else is measured of rounds, and dev score. The plotting library is fetched when the first curve is drawn. */
export function Curve({ view }: { view: SessionView }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<CurvePlot | null>(null);
  const [measured, setMeasured] = useState<MeasuredKey>('loss');
  const [pointed, setPointed] = useState<number | null>(null);
  const { rounds, scores } = view;
  const latest = useRef({ view, measured });
  latest.current = { view, measured };
  const metric = view.room?.settings.task.metric ?? 'accuracy';

  useEffect(() => {
    let over = false;
    void import('./curve-plot.ts').then(({ CurvePlot }) => {
      if (over || box.current === null) return;
      plot.current = new CurvePlot(box.current, metric, setPointed);
      const now = latest.current;
      plot.current.show(curves(now.view.rounds, now.view.scores, now.measured));
    });
    return () => {
      over = true;
      plot.current?.destroy();
      plot.current = null;
    };
  }, [metric]);

  useEffect(() => plot.current?.show(curves(rounds, scores, measured)), [rounds, scores, measured]);

  const constant = scores.findLast((score) => score.constant !== undefined)?.constant;
  const words = pointed === null ? '' : roundSentence(pointed, view);
  return (
    <section class="curves" aria-labelledby="curves-title">
      <h2 id="curves-title">
        {MEASURED[measured].label} <span class="key key-loss" aria-hidden="true" /> and dev {metricName(metric)}{' '}
        <span class="key key-score" aria-hidden="true" />
      </h2>
      <div class="plot" ref={box} aria-hidden="true" />
      <p class="curve-words">{words === '' ? curveSentence(view) : words}</p>
      {constant !== undefined && (
        <p class="curve-words">The dotted line is what a constant answer has: {scoreText(metric, constant)}.</p>
      )}
      <details class="fold">
        <summary>
          What the curve shows <span class="summary-note">{MEASURED[measured].label}</span>
        </summary>
        <SelectField
          name="curve"
          label="Left axis"
          value={measured}
          hint="Drag over the curve to look closer; press twice to see the whole again."
          options={Object.entries(MEASURED).map(([value, { label }]) => ({ value, label }))}
          onValue={(value) => isMeasuredKey(value) && setMeasured(value)}
        />
      </details>
    </section>
  );
}
