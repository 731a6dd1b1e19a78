import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { ScoreReport } from '../../../signaling/protocol/room-view.ts';
import { isPercentage } from '../../../signaling/protocol/words/metrics.ts';
import type { CurveData } from './scores.ts';

const HEIGHT = 220;

/** The chart of loss (left axis) and score (right axis), in the colours of the page's tokens, redrawn when scheme or width change. */
export class CurvePlot {
  readonly #box: HTMLElement;
  readonly #metric: ScoreReport['metric'];
  #plot: uPlot | null = null;
  #losses = 0;
  #data: uPlot.AlignedData = [[], [], [], []];
  readonly #observer: ResizeObserver;
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)');
  readonly #themes: MutationObserver;
  readonly #redraw = () => this.#build();

  constructor(box: HTMLElement, metric: ScoreReport['metric']) {
    this.#box = box;
    this.#metric = metric;
    this.#observer = new ResizeObserver(() => this.#plot?.setSize({ width: box.clientWidth, height: HEIGHT }));
    this.#observer.observe(box);
    this.#scheme.addEventListener('change', this.#redraw);
    this.#themes = new MutationObserver(this.#redraw);
    this.#themes.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    this.#build();
  }

  show({ rounds, loss, smoothLoss, score }: CurveData): void {
    this.#losses = loss.filter((value) => value !== null).length;
    this.#data = [[...rounds], [...loss], [...smoothLoss], [...score]];
    this.#plot?.setData(this.#data);
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#themes.disconnect();
    this.#scheme.removeEventListener('change', this.#redraw);
    this.#plot?.destroy();
  }

  #build(): void {
    this.#plot?.destroy();
    // Canvas cannot read light-dark(): the browser resolves the token as an ordinary colour first.
    const colour = (token: string): string => {
      this.#box.style.color = `var(${token})`;
      const { color } = getComputedStyle(this.#box);
      this.#box.style.color = '';
      return color;
    };
    const [muted, line, loss, paleLoss, score] = ['--muted', '--line', '--loss', '--loss-pale', '--score'].map(
      colour,
    ) as [string, string, string, string, string];
    const font = `12px ${getComputedStyle(this.#box).fontFamily}`;
    const percent = isPercentage(this.#metric);
    const axis = { stroke: muted, font, ticks: { stroke: line, width: 1 }, grid: { stroke: line, width: 1 } };
    this.#plot = new uPlot(
      {
        width: Math.max(1, this.#box.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        padding: [10, 4, 0, 0],
        scales: {
          x: { time: false, range: (_u, _min, max) => [0, Math.max(1, max ?? 1)] },
          loss: { range: (_u, _min, max) => [0, Math.max(0.1, (max ?? 1) * 1.05)] },
          score: { range: percent ? [0, 1] : (_u, min, max) => [Math.min(0, min ?? 0), Math.max(1, max ?? 1)] },
        },
        axes: [
          {
            ...axis,
            size: 28,
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000],
            grid: { show: false },
          },
          {
            ...axis,
            scale: 'loss',
            size: 40,
            values: (_u, ticks) => ticks.map((tick) => String(Number(tick.toPrecision(3)))),
          },
          {
            ...axis,
            scale: 'score',
            side: 1,
            size: 48,
            grid: { show: false },
            values: (_u, ticks) => ticks.map((tick) => (percent ? `${Math.round(100 * tick)} %` : tick.toFixed(1))),
          },
        ],
        series: [
          {},
          { scale: 'loss', stroke: paleLoss, width: 1, spanGaps: true, points: { show: false } },
          {
            scale: 'loss',
            stroke: loss,
            width: 2,
            spanGaps: true,
            // A single round makes no line.
            points: { show: () => this.#losses === 1, size: 6, fill: loss },
          },
          {
            scale: 'score',
            stroke: score,
            width: 1.5,
            dash: [4, 3],
            spanGaps: true,
            points: { show: true, size: 7, fill: score, stroke: score },
          },
        ],
      },
      this.#data,
      this.#box,
    );
  }
}
