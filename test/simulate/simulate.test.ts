import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseProblem } from '../../signaling/planner/problem/parse.ts';
import { solve } from '../../signaling/planner/solve.ts';
import { chartSvg } from '../../signaling/simulate/chart.ts';
import { answers, compare } from '../../signaling/simulate/compare.ts';
import {
  deviceDraws,
  drawProblem,
  drawSplitProblem,
  exponential,
  receivedSnrHz,
} from '../../signaling/simulate/draw.ts';
import { GLUE_LENGTHS } from '../../signaling/simulate/glue-lengths.ts';
import { ENCODERS, encoderCosts, groupedCosts } from '../../signaling/simulate/model-costs.ts';
import { relativeChart, type SimulatedPolicy, sweepChart } from '../../signaling/simulate/plots.ts';
import { layOutJson, simulationJson, sweepTable } from '../../signaling/simulate/report.ts';
import { SCENARIOS, type Scenario, type ScenarioName } from '../../signaling/simulate/scenario.ts';
import { estimate } from '../../signaling/simulate/statistics.ts';
import { AXES, type AxisName, type DrawOutcomes, runSweep, type Sweep } from '../../signaling/simulate/sweep.ts';
import { needs, REAL_GLUE, REAL_HUB } from '../needs.ts';
import { measureTask } from './measure-token-lengths.ts';

const BASE: Scenario = SCENARIOS.base;

describe('costs of RoBERTa', () => {
  const shape = { tokens: 128, rank: 8, adapted: 'query+value', labels: 2 } as const;

  test.each([
    ['roberta-base', 124_055_040, 592_130],
    ['roberta-large', 354_310_144, 1_051_650],
  ] as const)('%s has its published number of parameters', (name, encoderValues, headValues) => {
    const costs = encoderCosts(ENCODERS[name], shape);
    expect(costs.weightsBytes).toBe(2 * encoderValues + 4 * headValues);
    expect(costs.headUploadBits).toBe(32 * headValues);
  });

  test('a layer of roberta-base at rank 8 on query and value is 24,576 values', () => {
    const costs = encoderCosts(ENCODERS['roberta-base'], shape);
    expect(costs.layerUploadBits).toBe(32 * 24_576);
    expect(costs.gradientBytesPerLayer).toBe(4 * 24_576);
    // All six maps: 4 * 8 * (768 + 768) + 2 * 8 * (768 + 3072)
    expect(encoderCosts(ENCODERS['roberta-base'], { ...shape, adapted: 'all' }).layerUploadBits).toBe(32 * 110_592);
  });

  test('FLOP of a layer', () => {
    const { forwardFlopsPerLayer, backwardFlopsPerLayer } = encoderCosts(ENCODERS['roberta-base'], shape);
    const linear = 2 * 128 * 7_077_888;
    const attention = 4 * 128 * 128 * 768;
    const adapters = 2 * 128 * 24_576;
    expect(forwardFlopsPerLayer).toBe(linear + attention + adapters);
    expect(backwardFlopsPerLayer).toBe(linear + 2 * attention + 2 * adapters);
  });

  test('grouping layers into blocks keeps the totals', () => {
    const costs = encoderCosts(ENCODERS['roberta-base'], shape);
    const grouped = groupedCosts(costs, 12, 4);
    expect(4 * grouped.layerUploadBits).toBe(12 * costs.layerUploadBits);
    expect(4 * grouped.backwardFlopsPerLayer).toBe(12 * costs.backwardFlopsPerLayer);
    expect(grouped.weightsBytes).toBe(costs.weightsBytes);
  });

  test('token lengths are as measured', needs(REAL_GLUE), async () => {
    const hub = fileURLToPath(REAL_HUB);
    expect(await measureTask(hub, 'wnli')).toEqual(GLUE_LENGTHS.wnli);
    expect(await measureTask(hub, 'rte')).toEqual(GLUE_LENGTHS.rte);
  });
});

describe('random draws', () => {
  test('fading has mean 1 and median ln 2', () => {
    const random = deviceDraws(3, 0);
    const powers = Array.from({ length: 100_000 }, () => exponential(random)).sort((a, b) => a - b);
    expect(powers.reduce((a, b) => a + b, 0) / powers.length).toBeCloseTo(1, 1);
    expect(powers[50_000]).toBeCloseTo(Math.LN2, 1);
  });

  test('repeat for the same seed and device and are unrelated for neighbouring ones', () => {
    const first = (seed: number, device: number) => deviceDraws(seed, device).uniform();
    expect(first(1, 2)).toBe(first(1, 2));
    expect(first(1, 2)).not.toBe(first(2, 1));
    const cells = Array.from({ length: 60 }, (_, s) => Array.from({ length: 60 }, (_, d) => first(s, d) - 0.5));
    const correlation = (seedStep: number, deviceStep: number) => {
      let sum = 0;
      for (let s = 0; s < 59; s += 1)
        for (let d = 0; d < 59; d += 1) sum += cells[s]![d]! * cells[s + seedStep]![d + deviceStep]!;
      return (12 * sum) / 59 ** 2;
    };
    for (const [seedStep, deviceStep] of [
      [1, 0],
      [0, 1],
      [1, 1],
    ] as const)
      expect(Math.abs(correlation(seedStep, deviceStep))).toBeLessThan(0.06);
    expect(new Set(cells.flat()).size).toBe(3600);
  });
});

describe('drawn fleets', () => {
  test('received power follows the path loss: 23 dBm over 250 m is 84.54 dBHz above the noise', () => {
    expect(10 * Math.log10(receivedSnrHz(23, 250, 1))).toBeCloseTo(84.54, 2);
    expect(receivedSnrHz(23, 250, 0.5) / receivedSnrHz(23, 250, 1)).toBeCloseTo(0.5, 12);
  });

  test('are problems that the planner reads, in every scenario and channel', () => {
    for (const name of Object.keys(SCENARIOS) as ScenarioName[])
      for (const channel of ['ofdma', 'ofdma-power', 'airtime'] as const)
        expect(() => parseProblem(drawProblem({ ...SCENARIOS[name], channel }, 1))).not.toThrow();
  });

  test('are nested in the number of devices and repeat from their seed', () => {
    const few = drawProblem({ ...BASE, devices: 4 }, 9).devices;
    expect(drawProblem({ ...BASE, devices: 9 }, 9).devices.slice(0, 4)).toEqual(few);
    expect(drawProblem({ ...BASE, devices: 4 }, 10).devices).not.toEqual(few);
  });

  test('stay within their spreads; a spread of 1 makes devices alike', () => {
    const flopsOf = (scenario: Scenario) => {
      const alone = drawProblem({ ...scenario, computeSpread: 1, devices: 1 }, 1).devices[0]!;
      return drawProblem({ ...scenario, devices: 200 }, 1).devices.map(
        (device) => alone.secondsPerSample.forwardPerLayer / device.secondsPerSample.forwardPerLayer,
      );
    };
    const speeds = flopsOf({ ...BASE, computeSpread: 4 });
    expect(Math.min(...speeds)).toBeGreaterThan(1 / 4);
    expect(Math.min(...speeds)).toBeLessThan(1 / 3.5);
    expect(Math.max(...speeds)).toBeGreaterThan(3.5);
    expect(new Set(flopsOf({ ...BASE, computeSpread: 1 }))).toEqual(new Set([1]));
  });

  test('airtime and fixed-efficiency ofdma are one model; concentrating power on a part of the band is never slower', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const seconds = (channel: Scenario['channel']) => {
        const answer = solve(drawProblem({ ...BASE, channel }, seed), 'crunch');
        return answer.feasible ? answer.latencySeconds : NaN;
      };
      expect(seconds('airtime') / seconds('ofdma')).toBeCloseTo(1, 9);
      expect(seconds('ofdma-power')).toBeLessThanOrEqual(seconds('ofdma'));
    }
  });
});

describe('estimates', () => {
  test('mean and 95 % interval by Student', () => {
    expect(estimate([])).toBeNull();
    expect(estimate([5])).toEqual({ mean: 5, halfWidth: 0, count: 1 });
    // sd 1, 2 degrees of freedom: 4.303 / sqrt(3)
    expect(estimate([1, 2, 3])?.halfWidth).toBeCloseTo(2.484, 3);
  });

  test('beyond the table too: t(40) = 2.0211, t(100) = 1.9840', () => {
    const quantile = (count: number) => {
      const values = Array.from({ length: count }, (_, index) => index % 3);
      const { mean, halfWidth } = estimate(values)!;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
      return halfWidth / Math.sqrt(variance / count);
    };
    expect(Math.abs(quantile(41) - 2.0211)).toBeLessThan(0.002);
    expect(Math.abs(quantile(101) - 1.984)).toBeLessThan(0.002);
  });

  test('policies are compared draw by draw, where both have a plan', () => {
    const outcome = (seconds: number | null) => seconds && { seconds, boundSeconds: 0.8 * seconds };
    const draw = (exact: number | null, single: number | null): DrawOutcomes =>
      new Map([
        ['exact', outcome(exact) || null],
        ['single', outcome(single) || null],
      ] as const);
    const draws = [draw(1, 2), draw(3, 3), draw(null, 1), draw(2, null), draw(6, 4), draw(1, 1 + 1e-9)];
    expect(compare(draws, 'exact', 'single')).toMatchObject({
      ratio: { mean: expect.closeTo(1, 6), count: 4 },
      quicker: 0.25,
      slower: 0.25,
      smallestRatio: 0.5,
      largestRatio: 1.5,
    });
    expect(compare([draw(null, 1)], 'exact', 'single')).toBeNull();
    expect(compare(draws, 'single', 'bound')?.ratio).toMatchObject({ mean: expect.closeTo(1.25, 9), count: 5 });
  });
});

const POLICIES: readonly SimulatedPolicy[] = ['crunch', 'single', 'data-parallel', 'offload'];

function finished(scenario: Scenario, axis: AxisName, count = 3): Sweep {
  const run = runSweep(scenario, axis, POLICIES, { first: 1, count });
  for (;;) {
    const step = run.next();
    if (step.done) return step.value;
  }
}

describe('a fleet in which nobody holds the model', () => {
  const scenario: Scenario = { ...SCENARIOS['none-holds'], samples: 4, devices: 8 };

  test('has the units of roberta-large, and devices of a tenth to a half of its weights', () => {
    const { split, devices } = drawSplitProblem(scenario, 1);
    // 32 bits of 1024 values for each of SST-2's 40.7 tokens, and of the one that the head reads.
    expect(split).toMatchObject({ layers: 24, samples: 4, headCutBits: 32 * 1024 });
    expect(split.hiddenBits).toBeCloseTo(32 * 40.7 * 1024, 6);
    const [{ memory }] = devices;
    expect(memory.embeddingBytes).toBe(2 * ((50265 + 514 + 1) * 1024 + 2 * 1024));
    expect(memory.layerBytes).toBe(2 * (4 * (1024 ** 2 + 1024) + 2 * 4096 * 1024 + 4096 + 1024 + 4 * 1024));
    expect(memory.headBytes).toBe(4 * (1024 ** 2 + 1024 + 2 * 1025));
    const whole = memory.embeddingBytes + 24 * memory.layerBytes + memory.headBytes;
    for (let seed = 1; seed <= 20; seed++)
      for (const device of drawSplitProblem(scenario, seed).devices) {
        expect(device.memory.limitBytes / whole).toBeGreaterThan(0.095);
        expect(device.memory.limitBytes / whole).toBeLessThan(0.505);
      }
  });

  test('the same devices as in the other policies: speeds, memory, and links that have the band alone', () => {
    const { devices } = drawProblem(scenario, 3);
    for (const [k, device] of drawSplitProblem(scenario, 3).devices.entries()) {
      expect(device.secondsPerSample).toEqual(devices[k].secondsPerSample);
      expect(device.memory.limitBytes).toBe(devices[k].memory.limitBytes);
      expect(device.bitsPerSecond).toBe(devices[k].bitsPerSecondPerHz);
    }
    const power = { ...scenario, channel: 'ofdma-power' } as const;
    const { snrHz = 0 } = drawProblem(power, 3).devices[0];
    expect(drawSplitProblem(power, 3).devices[0].bitsPerSecond).toBeCloseTo(40e6 * Math.log2(1 + snrHz / 40e6), 3);
  });

  test('only a pipeline can train it, where the fleet holds it together', () => {
    const run = runSweep({ ...scenario, samples: 2 }, 'devices', ['teams', 'single', 'split'], { first: 1, count: 1 });
    let step = run.next();
    while (!step.done) step = run.next();
    const plans = step.value.points.map(({ value, policies }) => [
      value,
      ...[policies.get('teams'), policies.get('single'), policies.get('split')].map((point) => point?.infeasible),
    ]);
    expect(plans.filter(([, teams, single]) => teams !== 1 || single !== 1)).toEqual([]);
    expect(plans.find(([value]) => value === 2)?.[3]).toBe(1);
    expect(plans.find(([value]) => value === 48)?.[3]).toBe(0);
  });
});

describe('sweeps', () => {
  test.each(Object.keys(AXES) as AxisName[])('along %s give every policy a latency at every value', (axis) => {
    const { points } = finished(BASE, axis);
    expect(points.map(({ value }) => value)).toEqual(AXES[axis].values(BASE));
    for (const { policies } of points)
      for (const policy of POLICIES)
        expect(policies.get(policy)).toMatchObject({ infeasible: 0, seconds: { count: 3 } });
  });

  test('more devices or bandwidth never slow the best single device down', () => {
    for (const axis of ['devices', 'bandwidth'] as const) {
      const means = finished(BASE, axis).points.map(({ policies }) => policies.get('single')!.seconds!.mean);
      means.slice(1).forEach((mean, index) => {
        expect(mean).toBeLessThanOrEqual(means[index]!);
      });
    }
  });

  test('offload to a server takes as long as its speed says and sends nothing; the devices do not change', () => {
    const { points } = finished(BASE, 'server');
    const costs = encoderCosts(ENCODERS['roberta-base'], { tokens: 40.7, rank: 8, adapted: 'query+value', labels: 2 });
    const flops = costs.embedFlops + costs.headFlops + 12 * (costs.forwardFlopsPerLayer + costs.backwardFlopsPerLayer);
    for (const { value, policies } of points) {
      // 10 ms of overhead, then 32 samples at so many times 400 GFLOP/s.
      const { mean, halfWidth } = policies.get('offload')!.seconds!;
      expect(mean).toBeCloseTo(0.01 + (32 * flops) / (400e9 * value), 9);
      expect(halfWidth).toBeCloseTo(0, 12);
      expect(policies.get('crunch')).toEqual(points[0]!.policies.get('crunch'));
    }
  });

  test('draws without a plan are counted, left out of the mean and shown', () => {
    // The weights alone take 0.25 GB: about half of the fleets of one device have room for them.
    const tight = { ...BASE, devices: 1, memoryBytes: 0.3e9, memorySpread: 2 };
    const sweep = finished(tight, 'memory', 8);
    const last = sweep.points.at(-1)!;
    const { seconds, infeasible } = last.policies.get('single')!;
    expect(infeasible).toBeGreaterThan(0);
    expect(seconds?.count).toBe(8 - infeasible);
    expect(last.draws.filter((draw) => draw.get('single') === null)).toHaveLength(infeasible);
    expect(sweepTable(sweep, POLICIES)).toContain(`(${infeasible} of 8 infeasible)`);
    const chart = sweepChart('tight', tight, sweep, POLICIES);
    expect(chart.rows.map(({ label }) => label)).toEqual(['every policy']);
    expect(chart.rows[0]!.cells.at(-1)).toBe(String(infeasible));
    expect(chartSvg(chart)).toContain('class="mark hollow"');
  });

  test('a fleet that can hold nothing gives tables, a report and a plot all the same', () => {
    const hopeless = { ...BASE, memoryBytes: 1e6 };
    const sweep = finished(hopeless, 'bandwidth');
    expect(sweepTable(sweep, POLICIES)).toContain('infeasible');
    expect(answers([sweep])).toEqual([]);
    const report = simulationJson('hopeless', hopeless, POLICIES, { first: 1, count: 3 }, [sweep]);
    expect(report.sweeps[0]!.points[0]!.policies.single).toEqual({
      meanSeconds: null,
      ci95Seconds: null,
      infeasible: 3,
    });
    expect(chartSvg(sweepChart('hopeless', hopeless, sweep, POLICIES))).not.toMatch(/NaN|Infinity/);
  });
});

describe('reports', () => {
  test('are laid out in lines of at most 120 characters and read back as they were', () => {
    const short = { a: [1, null, 'x'], b: {}, c: [] };
    expect(layOutJson(short)).toBe('{ "a": [1, null, "x"], "b": {}, "c": [] }');
    const report = simulationJson('base', BASE, POLICIES, { first: 1, count: 3 }, [finished(BASE, 'devices')]);
    const text = layOutJson(report);
    expect(JSON.parse(text)).toEqual(report);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });
});

describe('plots', () => {
  const sweep = finished(BASE, 'devices');
  const svg = chartSvg(sweepChart('base', BASE, sweep, POLICIES));

  test('carry units, every value, every name, and the number of draws', () => {
    expect(svg).toContain('seconds per round');
    expect(svg).toContain('number of devices');
    for (const value of AXES.devices.values()) expect(svg).toContain(`>${value}</text>`);
    for (const policy of POLICIES) expect(svg).toMatch(new RegExp(`class="name"[^>]*>${policy}<`));
    expect(svg).toContain('Mean over 3 draws');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('open and close the same elements', () => {
    const open: string[] = [];
    for (const [, closing, name, alone] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g))
      if (closing) expect(open.pop()).toBe(name);
      else if (!alone) open.push(name!);
    expect(open).toEqual([]);
  });

  test('keep the names beside the lines apart', () => {
    const heights = [...svg.matchAll(/class="name" x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) => Number(y));
    expect(heights).toHaveLength(POLICIES.length);
    heights.slice(1).forEach((y, index) => {
      expect(y - heights[index]!).toBeGreaterThanOrEqual(16.9);
    });
  });

  test('draw lines that coincide once, under both names, and text from outside as text', () => {
    const point = sweep.points[0]!;
    const twins = new Map(point.policies).set('offload', point.policies.get('single')!);
    const chart = sweepChart('<b>', BASE, { ...sweep, points: [{ ...point, policies: twins }] }, POLICIES);
    expect(chart.series.map(({ label }) => label)).toEqual(['crunch', 'single, offload', 'data-parallel']);
    expect(chartSvg(chart)).toContain('&lt;b&gt;');
  });

  test('compare draw by draw with exact: exact itself is 1 everywhere, teams never above it', () => {
    const run = runSweep({ ...BASE, devices: 4 }, 'compute', ['teams', 'exact', 'single'], { first: 1, count: 2 });
    let step = run.next();
    while (!step.done) step = run.next();
    const { series, yTitle } = relativeChart('base', BASE, step.value, ['teams', 'exact', 'single']);
    const means = (line: string) => series.find((other) => other.line === line)!.points.map((point) => point!.mean);
    expect(yTitle).toBe('latency / latency of exact');
    expect(means('exact')).toEqual(Array(6).fill(1));
    for (const mean of means('teams')) expect(mean).toBeLessThanOrEqual(1 + 1e-9);
    for (const mean of means('single')) expect(mean).toBeGreaterThanOrEqual(1 - 1e-9);
  });
});
