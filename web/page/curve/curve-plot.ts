import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { ScoreReport } from '../../../signaling/protocol/room-view.ts';
import { isPercentage } from '../../../signaling/protocol/words/metrics.ts';
import { overlaid } from './overlay.ts';
import type { RunMark } from './run-marks.ts';
import type { CurveData } from './scores.ts';

const HEIGHT = 240;
/** A mark at the top of the plot. */
const MARK_PX = 5;

/** What the chart shows: a run, where it changed, and runs laid over it in the colours of their places. */
export interface Shown {
  readonly own: CurveData;
  readonly marks: readonly RunMark[];
  readonly others: readonly { readonly data: CurveData; readonly token: string }[];
  /** Of the left axis, and of the right one. */
  readonly titles: readonly [string, string];
}

const NOTHING: Shown = {
  own: { rounds: [], loss: [], smoothLoss: [], devLoss: [], score: [], chance: [] },
  marks: [],
  others: [],
  titles: ['', ''],
};

/** The chart of loss (left axis) and score (right axis), in the colours of the page's tokens, redrawn when scheme or width change. */
export class CurvePlot {
  readonly #box: HTMLElement;
  readonly #metric: ScoreReport['metric'];
  #plot: uPlot | null = null;
  #shown = NOTHING;
  #built = '';
  /** Somebody looks at a part of it: what comes meanwhile does not take it away. */
  #zoomed = false;
  readonly #onRound: (round: number | null) => void;
  readonly #observer: ResizeObserver;
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)');
  readonly #themes: MutationObserver;
  readonly #redraw = () => this.#build();

  /** `onRound` is told the round under the cursor, null when it leaves. */
  constructor(box: HTMLElement, metric: ScoreReport['metric'], onRound: (round: number | null) => void) {
    this.#box = box;
    this.#onRound = onRound;
    this.#metric = metric;
    this.#observer = new ResizeObserver(() => this.#plot?.setSize({ width: box.clientWidth, height: HEIGHT }));
    this.#observer.observe(box);
    this.#scheme.addEventListener('change', this.#redraw);
    this.#themes = new MutationObserver(this.#redraw);
    this.#themes.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    this.#build();
  }

  show(shown: Shown): void {
    this.#shown = shown;
    // Lines and titles are the plot's own: another set of them is another plot.
    if (this.#built !== this.#kindOf(shown)) {
      this.#build();
      return;
    }
    this.#plot?.setData(this.#data(), !this.#zoomed);
    if (this.#zoomed) this.#plot?.redraw();
  }

  #kindOf({ others, titles }: Shown): string {
    return [...titles, ...others.map(({ token }) => token)].join();
  }

  #data(): uPlot.AlignedData {
    const { own, others } = this.#shown;
    const { rounds, columns } = overlaid(
      own,
      others.map(({ data }) => data),
    );
    return [[...rounds], ...columns.map((column) => [...column])];
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#themes.disconnect();
    this.#scheme.removeEventListener('change', this.#redraw);
    this.#plot?.destroy();
  }

  #build(): void {
    this.#plot?.destroy();
    this.#built = this.#kindOf(this.#shown);
    const { others, titles } = this.#shown;
    // Canvas cannot read light-dark(): the browser resolves the token as an ordinary colour first.
    const colour = (token: string): string => {
      this.#box.style.color = `var(${token})`;
      const { color } = getComputedStyle(this.#box);
      this.#box.style.color = '';
      return color;
    };
    const [muted, line, loss, paleLoss, score, ink] = [
      ...['--muted', '--line', '--loss', '--loss-pale', '--score', '--ink'].map(colour),
    ] as [string, string, string, string, string, string];
    const font = `12px ${getComputedStyle(this.#box).fontFamily}`;
    const percent = isPercentage(this.#metric);
    const titled = (label: string) => ({ label, labelSize: 16, labelFont: font, labelGap: 0 });
    const axis = { stroke: muted, font, ticks: { stroke: line, width: 1 }, grid: { stroke: line, width: 1 } };
    this.#plot = new uPlot(
      {
        width: Math.max(1, this.#box.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false }, points: { size: 6 } },
        hooks: {
          setSelect: [() => (this.#zoomed = true)],
          setCursor: [({ cursor: { idx }, data }) => this.#onRound(idx == null ? null : (data[0][idx] ?? null))],
          draw: [(plot) => drawMarks(plot, this.#shown.marks, { muted, loss: ink })],
          ready: [
            ({ over }) =>
              over.addEventListener('dblclick', () => {
                this.#zoomed = false;
              }),
          ],
        },
        padding: [10, 4, 0, 0],
        scales: {
          x: {
            time: false,
            range: (_u, min, max) => (this.#zoomed ? [min ?? 0, max ?? 1] : [0, Math.max(1, max ?? 1)]),
          },
          loss: { range: (_u, _min, max) => [0, (max ?? 0) > 0 ? (max ?? 1) * 1.05 : 1] },
          score: { range: (_u, min, max) => fittedRange(min, max) },
        },
        axes: [
          {
            ...axis,
            ...titled('round'),
            size: 28,
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000],
            grid: { show: false },
          },
          {
            ...axis,
            ...titled(titles[0]),
            scale: 'loss',
            size: 48,
            values: (_u, ticks) => ticks.map((tick) => String(Number(tick.toPrecision(3)))),
          },
          {
            ...axis,
            ...titled(titles[1]),
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
            points: { show: () => isSingle(this.#shown.own.loss), size: 6, fill: loss },
          },
          {
            scale: 'loss',
            stroke: loss,
            width: 1,
            dash: [2, 3],
            spanGaps: true,
            points: { show: true, size: 6, fill: 'transparent', stroke: loss },
          },
          {
            scale: 'score',
            stroke: score,
            width: 1.5,
            dash: [4, 3],
            spanGaps: true,
            points: { show: true, size: 7, fill: score, stroke: score },
          },
          { scale: 'score', stroke: muted, width: 1, dash: [2, 4], spanGaps: true, points: { show: false } },
          ...others.flatMap(({ token }): uPlot.Series[] => {
            const stroke = colour(token);
            return [
              { scale: 'loss', stroke, width: 1.5, spanGaps: true, points: { show: false } },
              { scale: 'score', stroke, width: 1.5, dash: [4, 3], spanGaps: true, points: { show: true, size: 5 } },
            ];
          }),
        ],
      },
      this.#data(),
      this.#box,
    );
  }
}

/** An axis that fits what is on it, in whole tenths. */
function fittedRange(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const low = Math.floor(10 * min - 0.2) / 10;
  const high = Math.ceil(10 * max + 0.2) / 10;
  return [low, Math.max(low + 0.2, high)];
}

const isSingle = (values: readonly (number | null)[]): boolean => values.filter((value) => value !== null).length === 1;

/** At the top of the plot: a tick where the plan is new, a triangle up where a device came, down where one went. */
function drawMarks(
  plot: uPlot,
  marks: readonly RunMark[],
  { muted, loss: ink }: { muted: string; loss: string },
): void {
  const { ctx, bbox } = plot;
  const size = MARK_PX * devicePixelRatio;
  for (const { round, plan, came, went } of marks) {
    const x = plot.valToPos(round, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const y = bbox.top;
    ctx.save();
    ctx.strokeStyle = muted;
    ctx.fillStyle = ink;
    ctx.lineWidth = devicePixelRatio;
    if (plan) {
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x, y + 3 * size);
      ctx.stroke();
    }
    for (const [up, there] of [
      [true, came.length > 0],
      [false, went.length > 0],
    ] as const) {
      if (!there) continue;
      const [tip, foot] = up ? [y, y + size] : [y + 2.2 * size, y + 1.2 * size];
      ctx.beginPath();
      ctx.moveTo(x, tip);
      ctx.lineTo(x - size, foot);
      ctx.lineTo(x + size, foot);
      ctx.fill();
    }
    ctx.restore();
  }
}
