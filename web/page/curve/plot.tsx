import { useEffect, useRef } from 'preact/hooks';
import type { Metric } from '../../../signaling/protocol/scores.ts';
import type { CurvePlot, Shown } from './curve-plot.ts';

interface PlotProps extends Shown {
  readonly metric: Metric;
  /** Told the round under the cursor, null when it leaves. */
  readonly onRound: (round: number | null) => void;
}

/** The chart; what it shows is said in words beside it. The plotting library is fetched when the first one is drawn. */
export function Plot({ metric, onRound, own, marks, others, titles }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<CurvePlot | null>(null);
  const latest = useRef<Shown>({ own, marks, others, titles });
  latest.current = { own, marks, others, titles };
  useEffect(() => {
    let over = false;
    void import('./curve-plot.ts').then(({ CurvePlot }) => {
      if (over || box.current === null) return;
      plot.current = new CurvePlot(box.current, metric, onRound);
      plot.current.show(latest.current);
    });
    return () => {
      over = true;
      plot.current?.destroy();
      plot.current = null;
    };
  }, [metric]);
  const [left, right] = titles;
  useEffect(() => plot.current?.show(latest.current), [own, marks, others, left, right]);
  return <div class="plot" ref={box} aria-hidden="true" />;
}
