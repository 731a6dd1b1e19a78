import type { Policy } from '../protocol/settings.ts';
import type { Chart, ChartPoint, ChartRow, ChartSeries } from './chart.ts';
import { compare } from './compare.ts';
import type { Scenario } from './scenario.ts';
import { AXES, type Sweep } from './sweep.ts';

export type SimulatedPolicy = Exclude<Policy, 'auto'>;

/** Lines closer than this everywhere would hide each other: they are drawn once, under both names. */
const SAME_LINE = 0.002;

/** Latency of every policy. */
export function sweepChart(
  name: string,
  scenario: Scenario,
  sweep: Sweep,
  policies: readonly SimulatedPolicy[],
): Chart {
  const { axis, points } = sweep;
  const draws = points[0]?.draws.length ?? 0;
  const series = policies.map((policy): ChartSeries => {
    const shown = points.map((point): ChartPoint | null => {
      const { seconds, infeasible } = point.policies.get(policy)!;
      return seconds && { mean: seconds.mean, halfWidth: seconds.halfWidth, partial: infeasible > 0 };
    });
    return { line: policy, label: policy, points: shown };
  });
  return {
    ...frame(scenario, sweep),
    title: `Round latency against ${AXES[axis].title.replace(/ \(.*/, '')}: ${name}`,
    yTitle: 'seconds per round',
    series: merged(series),
    rows: infeasibleRows(points, policies),
    footnote: `Mean over ${draws} draws; bars: 95 % interval of the mean. Hollow marks: some draws had no plan and are left out.`,
  };
}

/** Policies close enough to the best plan to be told apart only against it. */
const CLOSE: readonly SimulatedPolicy[] = ['teams', 'exact', 'lola', 'single', 'data-parallel', 'equal-bandwidth'];

/** Latency against that of `exact` on the same draw, for the policies worth comparing so closely. */
export function relativeChart(
  name: string,
  scenario: Scenario,
  sweep: Sweep,
  policies: readonly SimulatedPolicy[],
): Chart {
  const { axis, points } = sweep;
  const draws = points[0]?.draws.length ?? 0;
  const series = policies
    .filter((policy) => CLOSE.includes(policy))
    .map((policy): ChartSeries => {
      const shown = points.map((point): ChartPoint | null => {
        const found = compare(point.draws, policy, 'exact');
        return found && { ...found.ratio, partial: found.ratio.count < draws };
      });
      return { line: policy, label: policy, points: shown };
    });
  return {
    ...frame(scenario, sweep),
    title: `Latency against exact's, by ${AXES[axis].title.replace(/ \(.*/, '')}: ${name}`,
    yTitle: 'latency / latency of exact',
    series: merged(series),
    rows: [],
    footnote: `Mean over ${draws} draws of the ratio on the same draw; bars: its 95 % interval. Below 1 is quicker; hollow marks: draws without a plan are left out.`,
  };
}

function frame(
  scenario: Scenario,
  { axis, points }: Sweep,
): Omit<Chart, 'title' | 'yTitle' | 'series' | 'rows' | 'footnote'> {
  return {
    subtitle: describe(scenario, axis),
    xTitle: AXES[axis].title,
    xScale: AXES[axis].scale,
    xs: points.map(({ value }) => value),
    rowsTitle: `Draws without a plan, of ${points[0]?.draws.length ?? 0}:`,
  };
}

function merged(series: readonly ChartSeries[]): ChartSeries[] {
  const lines: ChartSeries[] = [];
  for (const next of series) {
    const twin = lines.findIndex((line) => sameLine(line, next));
    if (twin < 0) lines.push(next);
    else lines[twin] = { ...lines[twin]!, label: `${lines[twin]!.label}, ${next.label}` };
  }
  return lines;
}

function sameLine(a: ChartSeries, b: ChartSeries): boolean {
  return a.points.every((point, index) => {
    const other = b.points[index]!;
    if (point === null || other === null) return point === other;
    return point.partial === other.partial && Math.abs(other.mean / point.mean - 1) < SAME_LINE;
  });
}

/** One row for all policies that fail alike, none for those that never fail. */
function infeasibleRows(points: Sweep['points'], policies: readonly SimulatedPolicy[]): ChartRow[] {
  const failing = new Map<string, SimulatedPolicy[]>();
  for (const policy of policies) {
    const counts = points.map((point) => point.policies.get(policy)!.infeasible);
    if (counts.every((count) => count === 0)) continue;
    const key = counts.join(' ');
    failing.set(key, [...(failing.get(key) ?? []), policy]);
  }
  return [...failing].map(([key, names]) => ({
    label:
      names.length === policies.length
        ? 'every policy'
        : names.length > 2
          ? `${names.length} policies`
          : names.join(', '),
    cells: key.split(' '),
  }));
}

const TASK_TITLES = {
  cola: 'CoLA',
  sst2: 'SST-2',
  mrpc: 'MRPC',
  stsb: 'STS-B',
  qqp: 'QQP',
  mnli: 'MNLI',
  qnli: 'QNLI',
  rte: 'RTE',
  wnli: 'WNLI',
} as const;
const MODEL_TITLES = { 'roberta-base': 'RoBERTa-base', 'roberta-large': 'RoBERTa-large' } as const;

/** The parameters that do not vary along the axis, in one line. */
function describe(scenario: Scenario, axis: Sweep['axis']): string {
  const { model, task, samples, rank, adapted, devices, bandwidthHz, channel, computeFlops, computeSpread } = scenario;
  const parts = [
    MODEL_TITLES[model],
    TASK_TITLES[task],
    `${samples} samples a round`,
    `LoRA rank ${rank} on ${adapted === 'all' ? 'all six maps' : 'query and value'}`,
    axis !== 'devices' && `${devices} devices`,
    axis === 'bandwidth' ? channel : `${channel} ${number(bandwidthHz / 1e6)} MHz`,
    axis === 'compute'
      ? `${number(computeFlops / 1e9)} GFLOP/s`
      : `${number(computeFlops / 1e9)} GFLOP/s ×÷ ${number(computeSpread)}`,
    axis === 'memory'
      ? `${number(scenario.memoryBytes / 1e9)} GB`
      : `${number(scenario.memoryBytes / 1e9)} GB ×÷ ${number(scenario.memorySpread)}`,
  ];
  return parts.filter((part) => part !== false).join(', ');
}

const number = (value: number) => String(Number(value.toPrecision(3)));
