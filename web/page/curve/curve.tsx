import { useEffect, useRef } from 'preact/hooks';
import { metricName } from '../../../signaling/protocol/words/metrics.ts';
import type { SessionView } from '../../session/view/view.ts';
import type { CurvePlot } from './curve-plot.ts';
import { curveSentence, curves } from './scores.ts';

/** Loss and dev score over rounds. The plotting library is fetched when the first curve is drawn. */
export function Curve({ view }: { view: SessionView }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<CurvePlot | null>(null);
  const { rounds, scores } = view;
  const latest = useRef(view);
  latest.current = view;
  const metric = view.room?.settings.task.metric ?? 'accuracy';

  useEffect(() => {
    let over = false;
    void import('./curve-plot.ts').then(({ CurvePlot }) => {
      if (over || box.current === null) return;
      plot.current = new CurvePlot(box.current, metric);
      plot.current.show(curves(latest.current.rounds, latest.current.scores));
    });
    return () => {
      over = true;
      plot.current?.destroy();
      plot.current = null;
    };
  }, [metric]);

  useEffect(() => plot.current?.show(curves(rounds, scores)), [rounds, scores]);

  return (
    <section class="curves" aria-labelledby="curves-title">
      <h2 id="curves-title">
        Loss <span class="key key-loss" aria-hidden="true" /> and dev {metricName(metric)}{' '}
        <span class="key key-score" aria-hidden="true" />
      </h2>
      <div class="plot" ref={box} aria-hidden="true" />
      <p class="curve-words">{curveSentence(view)}</p>
    </section>
  );
}
