/** A line chart as SVG text, for light and dark pages, that can be read without its colours: marks and dashes differ, lines carry their names. */
import { isotonic } from '../planner/algorithms/robust.ts';

export interface ChartPoint {
  readonly mean: number;
  /** Half of the interval around the mean. */
  readonly halfWidth: number;
  /** Whether some draws are missing from the mean: drawn hollow. */
  readonly partial: boolean;
}

export interface ChartSeries {
  /** One of LINES, for its colour, dash and mark. */
  readonly line: LineName;
  readonly label: string;
  /** One per x value; null where there is nothing to show. */
  readonly points: readonly (ChartPoint | null)[];
}

export interface ChartRow {
  readonly label: string;
  /** One per x value, written below the axis. */
  readonly cells: readonly string[];
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  readonly xTitle: string;
  readonly xScale: 'linear' | 'log';
  readonly xs: readonly number[];
  readonly yTitle: string;
  readonly series: readonly ChartSeries[];
  readonly rowsTitle: string;
  readonly rows: readonly ChartRow[];
  readonly footnote: string;
}

type Mark = 'circle' | 'square' | 'triangle' | 'wedge' | 'diamond' | 'cross' | 'plus';

/** Colours have a contrast of 4.5 or more against their page: white, and #0d1117. */
const LINES = {
  teams: { light: '#b94a00', dark: '#ff9a57', dash: '', mark: 'circle', width: 3 },
  exact: { light: '#0b5cad', dark: '#6cb6ff', dash: '', mark: 'square', width: 2.5 },
  lola: { light: '#00734f', dark: '#4fd1a1', dash: '9 4', mark: 'triangle', width: 2.5 },
  crunch: { light: '#8430a3', dark: '#d2a8ff', dash: '', mark: 'diamond', width: 2 },
  'data-parallel': { light: '#8a5a00', dark: '#e3b341', dash: '3 3', mark: 'square', width: 2 },
  single: { light: '#24292f', dark: '#e6edf3', dash: '12 3 3 3', mark: 'circle', width: 2 },
  split: { light: '#006d77', dark: '#5fd3dc', dash: '', mark: 'wedge', width: 3 },
  offload: { light: '#5b6470', dark: '#a9b4c0', dash: '12 3 3 3', mark: 'cross', width: 1.5 },
  'equal-bandwidth': { light: '#a8325e', dark: '#ff8fb1', dash: '6 3', mark: 'wedge', width: 1.5 },
  'depth-unaware': { light: '#5b6470', dark: '#a9b4c0', dash: '6 3', mark: 'triangle', width: 1.5 },
  greedy: { light: '#5b6470', dark: '#a9b4c0', dash: '2 3', mark: 'diamond', width: 1.5 },
  random: { light: '#5b6470', dark: '#a9b4c0', dash: '1 4', mark: 'plus', width: 1.5 },
} as const satisfies Record<string, { light: string; dark: string; dash: string; mark: Mark; width: number }>;
export type LineName = keyof typeof LINES;

const WIDTH = 900;
const PLOT = { left: 78, top: 74, width: 600, height: 360 };
const LABELS_LEFT = PLOT.left + PLOT.width + 34;
const LABEL_GAP = 17;
const ROW_GAP = 17;

export function chartSvg(chart: Chart): string {
  const bottom = PLOT.top + PLOT.height;
  const rowsTop = bottom + 66;
  const rowsHeight = chart.rows.length > 0 ? (chart.rows.length + 1) * ROW_GAP + 6 : 0;
  const height = rowsTop + rowsHeight + 16;
  const x = xPositions(chart);
  const y = yScale(chart.series);
  const shown = chart.series.filter(({ points }) => points.some((point) => point !== null));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(chart.title)}</title>`,
    `<style>${style()}</style>`,
    `<rect class="page" width="${WIDTH}" height="${height}"/>`,
    text(20, 28, chart.title, 'title'),
    text(20, 49, chart.subtitle, 'quiet'),
    ...axes(chart, x, y),
    // Bars stand side by side, so that they do not hide each other.
    ...shown.flatMap((series, rank) => seriesSvg(series, x, y.at, 2.4 * (rank - (shown.length - 1) / 2))),
    ...labels(shown, x, y.at),
    ...rows(chart, x, rowsTop),
    text(20, height - 14, chart.footnote, 'quiet'),
    '</svg>',
    '',
  ].join('\n');
}

function style(): string {
  const colours = (page: 'light' | 'dark') =>
    Object.entries(LINES)
      .map(([name, line]) => `.${name}{color:${line[page]}}`)
      .join('');
  const base = (page: string, ink: string, quiet: string, grid: string) =>
    `.page,.hollow{fill:${page}}text{fill:${ink}}.quiet,.tick{fill:${quiet}}.grid{stroke:${grid}}`;
  return [
    'text{font:13px system-ui,sans-serif}.title{font-size:17px;font-weight:600}.tick,.quiet{font-size:12px}',
    '.line{fill:none;stroke:currentColor;stroke-linejoin:round}.mark{stroke:currentColor;stroke-width:1.8}.solid{fill:currentColor}.hollow{stroke-width:1.2}',
    '.bar{stroke:currentColor;stroke-width:1;opacity:.6}.leader{stroke:currentColor;stroke-width:1;opacity:.5;fill:none}',
    '.name{fill:currentColor;font-weight:600}',
    base('#ffffff', '#1f2328', '#57606a', '#d8dee4'),
    colours('light'),
    `@media (prefers-color-scheme:dark){${base('#0d1117', '#e6edf3', '#9ea7b3', '#30363d')}${colours('dark')}}`,
  ].join('');
}

/** Pixels of each x value: evenly by value or by logarithm, with a margin at both ends. */
function xPositions({ xs, xScale }: Chart): number[] {
  const along = xScale === 'log' ? xs.map(Math.log) : [...xs];
  const [from, to] = [Math.min(...along), Math.max(...along)];
  const margin = 22;
  const span = PLOT.width - 2 * margin;
  return along.map((value) => PLOT.left + margin + (to > from ? ((value - from) / (to - from)) * span : span / 2));
}

interface YScale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Logarithmic, a little wider than the data, with about four to ten round ticks. */
function yScale(series: readonly ChartSeries[]): YScale {
  const points = series.flatMap(({ points }) => points.filter((point) => point !== null));
  const from = Math.min(...points.map(low)) / 1.06;
  const to = Math.max(...points.map(({ mean, halfWidth }) => mean + halfWidth)) * 1.06;
  const span = Math.log(to / from);
  const ticks = points.length === 0 ? [] : span < Math.log(2.5) ? evenTicks(from, to) : decadeTicks(from, to, span);
  return { at: (value) => PLOT.top + PLOT.height * (1 - Math.log(value / from) / span), ticks };
}

function decadeTicks(from: number, to: number, span: number): number[] {
  const steps = span < Math.log(12) ? [1, 1.5, 2, 3, 4, 5, 7] : span < Math.log(200) ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.log10(to); power += 1)
    ticks.push(...steps.map((step) => Number(`${step}e${power}`)).filter((tick) => tick >= from && tick <= to));
  return ticks;
}

/** Multiples of 1, 2 or 5 times a power of ten, at least four of them. */
function evenTicks(from: number, to: number): number[] {
  const coarse = (to - from) / 4;
  const power = Math.floor(Math.log10(coarse));
  const step = [5, 2, 1].map((digit) => Number(`${digit}e${power}`)).find((size) => size <= coarse) ?? coarse;
  const first = Math.ceil(from / step);
  const count = Math.floor(to / step) - first + 1;
  return Array.from({ length: count }, (_, index) => Number(((first + index) * step).toPrecision(6)));
}

/** Lower end of the interval; a logarithmic axis has no zero. */
const low = ({ mean, halfWidth }: ChartPoint) => Math.max(mean - halfWidth, mean / 3);

function axes(chart: Chart, x: readonly number[], y: YScale): string[] {
  const { left, top, width, height } = PLOT;
  const middle = top + height / 2;
  return [
    ...y.ticks.map((tick) => `<path class="grid" d="M${left} ${at(y.at(tick))}H${left + width}"/>`),
    ...y.ticks.map((tick) => text(left - 8, y.at(tick) + 4, String(tick), 'tick', 'end')),
    ...x.map((position) => `<path class="grid" d="M${at(position)} ${top + height}v5"/>`),
    ...chart.xs.map((value, index) => text(x[index]!, top + height + 20, number(value), 'tick', 'middle')),
    text(left + width / 2, top + height + 42, chart.xTitle, '', 'middle'),
    `<text transform="translate(24 ${middle}) rotate(-90)" text-anchor="middle">${escaped(chart.yTitle)}</text>`,
  ];
}

function seriesSvg(
  { line, points }: ChartSeries,
  x: readonly number[],
  y: (value: number) => number,
  barOffset: number,
): string[] {
  const { dash, mark, width } = LINES[line];
  const placed = points.flatMap((point, index) => (point ? [{ point, px: x[index]!, index }] : []));
  const path = placed.map(({ point, px, index }, order) => {
    const joined = order > 0 && placed[order - 1]!.index === index - 1;
    return `${joined ? 'L' : 'M'}${at(px)} ${at(y(point.mean))}`;
  });
  const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
  return [
    `<g class="${line}">`,
    ...placed
      .filter(({ point }) => point.halfWidth > 0)
      .map(
        ({ point, px }) =>
          `<path class="bar" d="M${at(px + barOffset)} ${at(y(low(point)))}V${at(y(point.mean + point.halfWidth))}"/>`,
      ),
    `<path class="line" stroke-width="${width}"${dashes} d="${path.join('')}"/>`,
    ...placed.map(({ point, px }) => markSvg(mark, px, y(point.mean), point.partial)),
    '</g>',
  ];
}

function markSvg(mark: Mark, x: number, y: number, hollow: boolean): string {
  const shapes: Record<Mark, string> = {
    circle: 'm-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z',
    square: 'm-4-4h8v8h-8z',
    triangle: 'm0-5.5l5 9h-10z',
    wedge: 'm0 5.5l5-9h-10z',
    diamond: 'm0-5.5l5 5.5l-5 5.5l-5-5.5z',
    cross: 'm-4-4l8 8m0-8l-8 8',
    plus: 'm-5 0h10m-5-5v10',
  };
  return `<path class="mark ${hollow ? 'hollow' : 'solid'}" d="M${at(x)} ${at(y)}${shapes[mark]}"/>`;
}

/** Names beside the lines' ends, moved apart as little as possible (least squares with a smallest distance, by isotonic regression). */
function labels(series: readonly ChartSeries[], x: readonly number[], y: (value: number) => number): string[] {
  const ends = series
    .map(({ line, label, points }) => {
      const index = points.findLastIndex((point) => point !== null);
      return { line, label, px: x[index]!, py: y(points[index]!.mean) };
    })
    .sort((a, b) => a.py - b.py);
  const apart = isotonic(
    ends.map(({ py }, rank) => py - rank * LABEL_GAP),
    ends.map(() => 1),
  ).map((value, rank) => value + rank * LABEL_GAP);
  const over = Math.max(0, (apart.at(-1) ?? 0) - (PLOT.top + PLOT.height + 8));
  return ends.map(({ line, label, px, py }, rank) => {
    const to = apart[rank]! - over;
    const { dash, mark, width } = LINES[line];
    const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
    return [
      `<g class="${line}">`,
      `<path class="leader" d="M${at(px + 8)} ${at(py)}L${PLOT.left + PLOT.width} ${at(py)}L${LABELS_LEFT - 6} ${at(to)}"/>`,
      `<path class="line" stroke-width="${width}"${dashes} d="M${LABELS_LEFT} ${at(to)}h30"/>`,
      markSvg(mark, LABELS_LEFT + 15, to, false),
      text(LABELS_LEFT + 36, to + 4, label, 'name'),
      '</g>',
    ].join('');
  });
}

function rows({ rows, rowsTitle }: Chart, x: readonly number[], top: number): string[] {
  if (rows.length === 0) return [];
  return [
    text(20, top, rowsTitle, 'quiet'),
    ...rows.flatMap(({ label, cells }, rank) => {
      const py = top + (rank + 1) * ROW_GAP;
      return [
        ...cells.map((cell, index) => text(x[index]!, py, cell, 'tick', 'middle')),
        text(PLOT.left + PLOT.width + 8, py, label, 'tick'),
      ];
    }),
  ];
}

function text(x: number, y: number, content: string, className: string, anchor = 'start'): string {
  const anchored = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  return `<text class="${className}" x="${at(x)}" y="${at(y)}"${anchored}>${escaped(content)}</text>`;
}

const at = (pixels: number) => String(Number(pixels.toFixed(1)));

const number = (value: number) => String(Number(value.toPrecision(3)));

const escaped = (content: string) =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
