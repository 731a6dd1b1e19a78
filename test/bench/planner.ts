/**
 * How fast and how good the planner is: `npm run bench:planner`, with `--json` for machines. Everything is measured in one run on the
 * published generators (signaling/planner/generator.ts), so ratios hold whatever else the machine does. Milliseconds are medians of
 * warm runs; "first" is the first call in this process, with the compiler still at work. Reading a file is left out; `solve` is everything
 * from the parsed problem to the written answer. Results are checked before they count.
 */

import { parseArgs } from 'node:util';
import { bottleneckByMatching } from '../../signaling/planner/blocks/bottleneck.ts';
import { crunch } from '../../signaling/planner/blocks/crunch.ts';
import { exact } from '../../signaling/planner/blocks/exact.ts';
import { lola } from '../../signaling/planner/blocks/lola.ts';
import { fastestOfAll } from '../../signaling/planner/pipelines/exact.ts';
import { fastestPipeline } from '../../signaling/planner/pipelines/fastest-pipeline.ts';
import { generateSplitProblem, REGIMES, type Regime } from '../../signaling/planner/pipelines/generator.ts';
import { roomBound } from '../../signaling/planner/pipelines/room-bound.ts';
import { fleetOf } from '../../signaling/planner/problem/fleet.ts';
import { generateFleet, generateProblem } from '../../signaling/planner/problem/generator.ts';
import type { Channel } from '../../signaling/planner/problem/problem.ts';
import { latencyTable, tableOf } from '../../signaling/planner/problem/table.ts';
import { fastestReplicas } from '../../signaling/planner/replicas/fastest-replicas.ts';
import { boundOfReplicas, WORK, WORK_OF_SEVERAL } from '../../signaling/planner/replicas/solve-split.ts';
import { solve } from '../../signaling/planner/solve.ts';
import { fastestGroups } from '../../signaling/planner/teams/grouped.ts';
import { fastestTeams } from '../../signaling/planner/teams/teams.ts';
import { teamsBound } from '../../signaling/planner/teams/teams-bound.ts';
import { median } from '../../signaling/protocol/median.ts';
import { crunchByCutting, crunchByThresholds } from '../planner/crunch-forms.ts';
import { bestKnown, INSTANCES, nameOf } from '../planner/pipelines/best-known.ts';
import { leastOfPartitions } from '../planner/replicas/every-partition.ts';

const CHANNELS: readonly Channel[] = ['ofdma', 'ofdma-power', 'airtime'];
const DEPTHS = 24;
const regimes = Object.keys(REGIMES) as Regime[];

type Row = Readonly<Record<string, string | number>>;

interface Timed<T> {
  readonly value: T;
  readonly firstMs: number;
  readonly medianMs: number;
  /** Processor time of all threads, which other processes do not stretch much; the compiler's and the collector's included. */
  readonly cpuMs: number;
}

function timed<T>(work: () => T, runs: number): Timed<T> {
  const start = performance.now();
  const value = work();
  const firstMs = performance.now() - start;
  const times: number[] = [];
  const cpuTimes: number[] = [];
  for (let run = 0; run < runs; run++) {
    const cpu = process.cpuUsage();
    const before = performance.now();
    work();
    times.push(performance.now() - before);
    const { user, system } = process.cpuUsage(cpu);
    cpuTimes.push((user + system) / 1000);
  }
  return { value, firstMs, medianMs: median(times), cpuMs: median(cpuTimes) };
}

function check(fine: boolean, what: string): void {
  if (!fine) throw new Error(`The benchmark's own check failed: ${what}.`);
}

/** Block allocation at fixed bandwidth: time against the number of devices, and against the textbook algorithm. */
function crunchRows(): Row[] {
  return [1000, 10_000, 100_000].map((devices) => {
    const problem = generateProblem(1, { devices, depths: DEPTHS });
    const table = tableOf(problem);
    const latency = latencyTable(table, problem.bandwidthHz / devices);
    const runs = devices > 50_000 ? 9 : 25;
    const own = timed(() => crunch(latency, DEPTHS, table.ids), runs);
    const whole = timed(() => solve(problem, 'crunch'), runs);
    const row = {
      devices,
      'crunch ms': own.medianMs,
      'ns per entry': (1e6 * own.medianMs) / (devices * DEPTHS),
      'solve ms': whole.medianMs,
      'solve first ms': whole.firstMs,
    };
    if (devices > 50_000) return row;
    // The textbook: sort all K N thresholds, binary search, a maximum matching over all devices each time.
    const columns = Array.from({ length: DEPTHS }, (_, b) => ({
      seconds: Array.from({ length: devices }, (_, k) => latency[k * DEPTHS + b]!),
      devices: Array.from({ length: devices }, (_, k) => k),
    }));
    const textbook = timed(() => bottleneckByMatching(columns), 3);
    const cutting = timed(() => crunchByCutting(latency, DEPTHS, table.ids), 3);
    const search = timed(() => crunchByThresholds(latency, DEPTHS, table.ids), 3);
    for (const other of [textbook, cutting, search]) {
      check(other.value?.latencySeconds === own.value?.latencySeconds, 'all forms of crunch agree');
    }
    return {
      ...row,
      'threshold + Hopcroft-Karp / crunch': textbook.medianMs / own.medianMs,
      'cutting loop / crunch': cutting.medianMs / own.medianMs,
      'threshold search / crunch': search.medianMs / own.medianMs,
    };
  });
}

function exactRows(): Row[] {
  return CHANNELS.flatMap((channel) =>
    [100, 1000].map((devices) => {
      const table = tableOf(generateProblem(1, { devices, depths: DEPTHS, channel }));
      const own = timed(() => exact(table), 11);
      check(own.value !== null, 'exact finds a plan');
      return { channel, devices, 'exact ms': own.medianMs, 'first ms': own.firstMs };
    }),
  );
}

/** Gap to the optimum and of the bound, in percent, over K 6 to 24 and N 6 to 12. */
function lolaRows(): Row[] {
  return CHANNELS.map((channel) => {
    const gaps: number[] = [];
    const bounds: number[] = [];
    const times: number[] = [];
    for (let seed = 1000; seed < 1200; seed++) {
      const depths = 6 + (seed % 7);
      const devices = Math.max(depths, 6 + ((seed * 7) % 19));
      const table = tableOf(generateProblem(seed, { devices, depths, channel }));
      const best = exact(table);
      const start = performance.now();
      const found = lola(table);
      times.push(performance.now() - start);
      if (!best || !found) continue;
      check(found.latencySeconds >= best.latencySeconds * (1 - 1e-12), 'lola is not below exact');
      check(found.lowerBoundSeconds <= best.latencySeconds * (1 + 1e-12), 'the dual bound is not above exact');
      gaps.push(found.latencySeconds / best.latencySeconds - 1);
      bounds.push(1 - found.lowerBoundSeconds / best.latencySeconds);
    }
    return {
      channel,
      problems: gaps.length,
      'mean gap %': 100 * mean(gaps),
      'largest gap %': 100 * Math.max(...gaps),
      'optimum hit %': (100 * gaps.filter((gap) => gap < 1e-9).length) / gaps.length,
      'mean bound gap %': 100 * mean(bounds),
      'median ms': median(times),
    };
  });
}

/** A room of 50 devices and 24 layers. */
function teamsRows(): Row[] {
  return CHANNELS.flatMap((channel) =>
    [0.03, 0.3, 3].map((uploadWeight) => {
      const shape = { devices: 50, layers: DEPTHS, samples: 32, freeHost: channel === 'airtime' };
      const runs = Array.from({ length: 5 }, (_, seed) => {
        const fleet = fleetOf(generateFleet(7 + seed, { ...shape, channel, uploadWeight }));
        const own = timed(() => fastestTeams(fleet), 3);
        const seconds = own.value!.latencySeconds;
        const bound = timed(() => teamsBound(fleet, seconds), 1);
        const chain = fastestGroups(fleet)!.latencySeconds;
        check(bound.value <= seconds, 'the bound is not above the plan');
        check(seconds <= chain, 'teams are not slower than the fastest chain');
        return { ...own, boundMs: bound.medianMs, bound: bound.value / seconds, chain: chain / seconds };
      });
      const times = runs.map(({ medianMs }) => medianMs).sort((a, b) => a - b);
      return {
        channel,
        'upload weight': uploadWeight,
        'median ms': times[2]!,
        'slowest ms': times[4]!,
        'cpu ms': median(runs.map(({ cpuMs }) => cpuMs)),
        'first ms': runs[0]!.firstMs,
        'bound ms': mean(runs.map(({ boundMs }) => boundMs)),
        'bound / plan': mean(runs.map(({ bound }) => bound)),
        'fastest chain / plan': mean(runs.map(({ chain }) => chain)),
      };
    }),
  );
}

/** Split rooms up to six devices and seven layers: the short search against the optimum, which branch and bound proves. */
function smallPipelineRows(): Row[] {
  return regimes.map((regime) => {
    const gaps: number[] = [];
    const bounds: number[] = [];
    const times: number[] = [];
    let without = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const shape = { devices: 3 + (seed % 4), layers: 4 + ((seed * 5) % 4), samples: 4 + (seed % 9), regime };
      const problem = generateSplitProblem(seed, shape);
      const start = performance.now();
      const best = fastestPipeline(problem, WORK);
      times.push(performance.now() - start);
      if ('reason' in best) {
        without++;
        continue;
      }
      const worse = { ...best.found, seconds: 2 * best.found.seconds };
      const all = fastestOfAll(best.evaluator, worse, 1e8);
      check(all.proven, 'all pipelines of a small room are tried');
      gaps.push(best.found.seconds / all.found.seconds - 1);
      bounds.push(roomBound(best.evaluator, best.found.seconds) / all.found.seconds);
    }
    check(Math.max(...bounds) <= 1, 'the bound is not above the optimum');
    return {
      regime,
      rooms: gaps.length,
      'without a plan': without,
      'mean gap %': 100 * mean(gaps),
      'largest gap %': 100 * Math.max(...gaps),
      'bound / optimum': mean(bounds),
      least: Math.min(...bounds),
      'median ms': median(times),
    };
  });
}

/** Split rooms of 50 devices and 24 layers against the best that long searches know (test/bench/pipelines-best.ts). */
function largePipelineRows(): Row[] {
  return INSTANCES.flatMap((instance) => {
    const known = bestKnown[nameOf(instance)];
    if (known === undefined) return [];
    const { seed, ...shape } = instance;
    const problem = generateSplitProblem(seed, shape);
    const own = timed(() => fastestPipeline(problem, WORK), 1);
    if ('reason' in own.value) throw new Error(own.value.reason);
    const { found, evaluator } = own.value;
    const bound = timed(() => roomBound(evaluator, found.seconds), 1);
    return {
      instance: nameOf(instance),
      'best known s': known.seconds,
      'searched s': known.searchedSeconds,
      'plan s': found.seconds,
      'above %': 100 * (found.seconds / known.seconds - 1),
      'cpu ms': own.cpuMs,
      'bound / plan': bound.value / found.seconds,
      'bound cpu ms': bound.cpuMs,
    };
  });
}

/** So many pipelines as memory allows: the plan and its bound against every way to share the samples. */
function smallReplicaRows(): Row[] {
  return regimes.map((regime) => {
    const gaps: number[] = [];
    const bounds: number[] = [];
    let several = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const shape = { devices: 3 + (seed % 3), layers: 4, samples: 4 + (seed % 3), regime };
      const problem = { ...generateSplitProblem(seed, shape), pipelines: 64 };
      const best = fastestReplicas(problem, WORK_OF_SEVERAL);
      if ('reason' in best) continue;
      const least = leastOfPartitions(problem);
      const bound = boundOfReplicas(best) / least;
      check(bound <= 1 + 1e-9, 'the bound is not above the optimum');
      gaps.push(best.found.seconds / least - 1);
      bounds.push(bound);
      if (best.found.parts.length > 1) several++;
    }
    return {
      regime,
      rooms: gaps.length,
      'several pipelines': several,
      'mean gap %': 100 * mean(gaps),
      'largest gap %': 100 * Math.max(...gaps),
      'bound / optimum': mean(bounds),
      least: Math.min(...bounds),
    };
  });
}

function largeReplicaRows(): Row[] {
  return INSTANCES.flatMap((instance) => {
    const known = bestKnown[nameOf(instance)];
    if (known === undefined) return [];
    const { seed, ...shape } = instance;
    const problem = { ...generateSplitProblem(seed, shape), pipelines: 64 };
    const own = timed(() => fastestReplicas(problem, WORK_OF_SEVERAL), 1);
    if ('reason' in own.value) throw new Error(own.value.reason);
    const best = own.value;
    const longer = fastestReplicas(problem, 10 * WORK_OF_SEVERAL);
    if ('reason' in longer) throw new Error(longer.reason);
    const bound = timed(() => boundOfReplicas(best), 1);
    return {
      instance: nameOf(instance),
      'best known of one s': known.seconds,
      'plan s': best.found.seconds,
      pipelines: best.found.parts.length,
      'above ten times the work %': 100 * (best.found.seconds / longer.found.seconds - 1),
      'cpu ms': own.cpuMs,
      'bound / plan': bound.value / best.found.seconds,
      'bound cpu ms': bound.cpuMs,
    };
  });
}

/** The rows, and a last one with the mean of a column and its least. */
function withMean(rows: readonly Row[], column: string): readonly Row[] {
  const values = rows.flatMap((row) => (typeof row[column] === 'number' ? [row[column]] : []));
  const [name] = Object.keys(rows[0]!);
  return [...rows, { [name!]: 'mean', [column]: mean(values) }, { [name!]: 'least', [column]: Math.min(...values) }];
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function print(title: string, rows: readonly Row[]): void {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const text = (value: string | number | undefined) =>
    typeof value === 'number' && !Number.isInteger(value) ? value.toPrecision(3) : String(value ?? '');
  const table = [columns, ...rows.map((row) => columns.map((column) => text(row[column])))];
  const widths = columns.map((_, i) => Math.max(...table.map((line) => line[i]!.length)));
  console.log(`\n${title}`);
  for (const line of table) console.log(line.map((cell, i) => cell.padStart(widths[i]!)).join('  '));
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const sections = {
  crunch: { title: `crunch, ${DEPTHS} depths`, rows: crunchRows() },
  exact: { title: `exact, ${DEPTHS} depths`, rows: exactRows() },
  lola: { title: 'lola against exact, 6 to 24 devices, 6 to 12 depths', rows: lolaRows() },
  'small pipelines': { title: 'split rooms, 3 to 6 devices, 4 to 7 layers', rows: smallPipelineRows() },
  'large pipelines': {
    title: `split rooms, 50 devices, ${DEPTHS} layers, 32 samples`,
    rows: withMean(largePipelineRows(), 'bound / plan'),
  },
  'small replicas': {
    title: 'split rooms, 3 to 5 devices, 4 layers, 4 to 6 samples, several pipelines allowed',
    rows: smallReplicaRows(),
  },
  'large replicas': {
    title: `split rooms, 50 devices, ${DEPTHS} layers, 32 samples, several pipelines allowed`,
    rows: withMean(largeReplicaRows(), 'bound / plan'),
  },
  teams: { title: `teams, 50 devices, ${DEPTHS} layers, 32 samples`, rows: teamsRows() },
};
if (values.json) {
  console.log(JSON.stringify(Object.fromEntries(Object.entries(sections).map(([name, { rows }]) => [name, rows]))));
} else for (const { title, rows } of Object.values(sections)) print(title, rows);
