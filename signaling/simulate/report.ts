import type { Policy } from '../protocol/settings.ts';
import { answers, type Comparison } from './compare.ts';
import { GLUE_LENGTHS } from './glue-lengths.ts';
import type { Scenario } from './scenario.ts';
import type { Seeds, Sweep } from './sweep.ts';

/** The experiment's results as plain data for a file: the same for the same scenario and seeds, so that runs can be compared. */
export function simulationJson(
  name: string,
  scenario: Scenario,
  policies: readonly Policy[],
  seeds: Seeds,
  sweeps: readonly Sweep[],
) {
  return {
    scenario: name,
    parameters: { ...scenario, tokens: GLUE_LENGTHS[scenario.task].meanLongestOf32 },
    seeds,
    policies,
    sweeps: sweeps.map(({ axis, points }) => ({
      axis,
      points: points.map(({ value, policies: measured }) => ({
        value: rounded(value),
        policies: Object.fromEntries(
          [...measured].map(([policy, { seconds, infeasible }]) => [
            policy,
            {
              meanSeconds: seconds && rounded(seconds.mean),
              ci95Seconds: seconds && rounded(seconds.halfWidth),
              infeasible,
            },
          ]),
        ),
      })),
    })),
    comparisons: answers(sweeps).map(comparisonJson),
  };
}

function comparisonJson({ policy, against, ratio, smallestRatio, largestRatio, quicker, slower }: Comparison) {
  return {
    policy,
    against,
    draws: ratio.count,
    meanRatio: rounded(ratio.mean),
    ci95: rounded(ratio.halfWidth),
    smallestRatio: rounded(smallestRatio),
    largestRatio: rounded(largestRatio),
    quicker: rounded(quicker),
    slower: rounded(slower),
  };
}

/** A table for terminals and Markdown: a row a value, a column a policy, seconds ± half of the 95 % interval (infeasible draws). */
export function sweepTable({ axis, points }: Sweep, policies: readonly Policy[]): string {
  const cell = (policy: Policy, point: Sweep['points'][number]): string => {
    const { seconds, infeasible } = point.policies.get(policy)!;
    const missing = infeasible > 0 ? ` (${infeasible} of ${point.draws.length} infeasible)` : '';
    return seconds ? `${short(seconds.mean)} ± ${short(seconds.halfWidth)}${missing}` : 'infeasible';
  };
  const rows = points.map((point) => [short(point.value), ...policies.map((policy) => cell(policy, point))]);
  return markdown([axis, ...policies], rows);
}

export function comparisonTable(comparisons: readonly Comparison[]): string {
  const percent = (part: number) => `${(100 * part).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;
  return markdown(
    ['latency of', 'against', 'draws', 'mean ratio', 'smallest', 'largest', 'quicker in', 'slower in'],
    comparisons.map((c) => [
      c.policy,
      c.against === 'bound' ? 'its lower bound' : c.against,
      String(c.ratio.count),
      `${c.ratio.mean.toFixed(3)} ± ${c.ratio.halfWidth.toFixed(3)}`,
      c.smallestRatio.toFixed(3),
      c.largestRatio.toFixed(3),
      percent(c.quicker),
      percent(c.slower),
    ]),
  );
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const rounded = (value: number) => Number(value.toPrecision(6));

/** Three significant digits without an exponent. */
export const short = (value: number) => String(Number(value.toPrecision(3)));

const LINE_WIDTH = 120;

/** JSON as people lay it out: what fits a line stays on it. `value` is plain data. */
export function layOutJson(value: unknown, indent = '', taken = 0): string {
  const line = oneLine(value);
  if (typeof value !== 'object' || value === null || indent.length + taken + line.length < LINE_WIDTH) return line;
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item) => `${inner}${layOutJson(item, inner)}`);
    return `[\n${items.join(',\n')}\n${indent}]`;
  }
  const entries = Object.entries(value).map(([key, item]) => {
    const name = `${JSON.stringify(key)}: `;
    return `${inner}${name}${layOutJson(item, inner, name.length)}`;
  });
  return `{\n${entries.join(',\n')}\n${indent}}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`);
  return entries.length > 0 ? `{ ${entries.join(', ')} }` : '{}';
}
