import { solveSplit } from '../planner/replicas/solve-split.ts';
import { solve } from '../planner/solve.ts';
import type { Policy } from '../protocol/settings.ts';
import { drawProblem, drawSplitProblem, serverProblem } from './draw.ts';
import { ENCODERS } from './model-costs.ts';
import type { Scenario } from './scenario.ts';
import { type Estimate, estimate } from './statistics.ts';

/** What a sweep can vary, with how its values change a scenario. */
export const AXES = {
  devices: {
    title: 'number of devices',
    scale: 'log',
    values: () => [2, 4, 8, 16, 32, 48],
    set: (scenario, value) => ({ ...scenario, devices: value }),
  },
  bandwidth: {
    title: 'bandwidth (MHz)',
    scale: 'log',
    values: ({ bandwidthHz }) => [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8].map((times) => (times * bandwidthHz) / 1e6),
    set: (scenario, value) => ({ ...scenario, bandwidthHz: value * 1e6 }),
  },
  memory: {
    title: 'memory spread (GB from centre / s to centre × s)',
    scale: 'log',
    values: () => [1, 1.25, 1.5, 2, 4, 8],
    set: (scenario, value) => ({ ...scenario, memorySpread: value }),
  },
  compute: {
    title: 'compute spread (FLOP/s from centre / s to centre × s)',
    scale: 'log',
    values: () => [1, 2, 4, 8, 16, 32],
    set: (scenario, value) => ({ ...scenario, computeSpread: value }),
  },
  blocks: {
    title: 'number of blocks',
    scale: 'linear',
    values: ({ model }) => {
      const { layers } = ENCODERS[model];
      return Array.from({ length: layers }, (_, index) => index + 1).filter((blocks) => layers % blocks === 0);
    },
    set: (scenario, value) => ({ ...scenario, blocks: value }),
  },
  server: {
    title: 'speed of the server that offload means (times the centre of the devices)',
    scale: 'log',
    values: () => [1, 2, 4, 8, 16, 32],
    set: (scenario, value) => ({ ...scenario, serverSpeed: value }),
  },
} as const satisfies Record<string, Axis>;

export type AxisName = keyof typeof AXES;

export interface Axis {
  /** With its unit. */
  readonly title: string;
  readonly scale: 'linear' | 'log';
  readonly values: (scenario: Scenario) => readonly number[];
  readonly set: (scenario: Scenario, value: number) => Scenario;
}

export interface PolicyOutcome {
  readonly seconds: number;
  /** The plan's own proof: no plan of its policy's class is quicker. */
  readonly boundSeconds: number;
}

/** What every policy made of one draw; null where it has no plan. */
export type DrawOutcomes = ReadonlyMap<Policy, PolicyOutcome | null>;

export interface PolicyPoint {
  /** Over the draws in which the policy has a plan; null when it never has. */
  readonly seconds: Estimate | null;
  readonly infeasible: number;
}

export interface SweepPoint {
  readonly value: number;
  readonly policies: ReadonlyMap<Policy, PolicyPoint>;
  readonly draws: readonly DrawOutcomes[];
}

export interface Sweep {
  readonly axis: AxisName;
  readonly points: readonly SweepPoint[];
}

export interface SweepProgress {
  readonly axis: AxisName;
  readonly done: number;
  readonly total: number;
}

/** Draws `seed`, `seed` + 1, … so many times. */
export interface Seeds {
  readonly first: number;
  readonly count: number;
}

/**
 * Runs one axis draw by draw: yields after each so that the caller can report, let go of the thread or stop early, and returns the points
 * of all values. Deterministic for given seeds.
 */
export function* runSweep(
  scenario: Scenario,
  axis: AxisName,
  policies: readonly Policy[],
  seeds: Seeds,
): Generator<SweepProgress, Sweep, void> {
  const { values, set }: Axis = AXES[axis];
  const settings = values(scenario).map((value) => ({ value, scenario: set(scenario, value) }));
  const total = settings.length * seeds.count;
  const points: SweepPoint[] = [];
  for (const { value, scenario: varied } of settings) {
    const draws: DrawOutcomes[] = [];
    for (let index = 0; index < seeds.count; index += 1) {
      draws.push(solveDraw(varied, policies, seeds.first + index));
      yield { axis, done: points.length * seeds.count + draws.length, total };
    }
    points.push(summarise(value, policies, draws));
  }
  return { axis, points };
}

function solveDraw(scenario: Scenario, policies: readonly Policy[], seed: number): DrawOutcomes {
  const problem = drawProblem(scenario, seed);
  return new Map(
    policies.map((policy) => {
      const { serverSpeed } = scenario;
      if (policy === 'split') {
        const drawn = drawSplitProblem(scenario, seed);
        const split = solveSplit({ ...drawn, pipelines: drawn.devices.length });
        if (!split.feasible) return [policy, null];
        return [policy, { seconds: split.latencySeconds, boundSeconds: split.lowerBoundSeconds }];
      }
      const offloaded = policy === 'offload' && serverSpeed !== null;
      const answer = solve(offloaded ? serverProblem(scenario, serverSpeed) : problem, policy, { seed });
      if (!answer.feasible) return [policy, null];
      return [policy, { seconds: answer.latencySeconds, boundSeconds: answer.lowerBoundSeconds }];
    }),
  );
}

function summarise(value: number, policies: readonly Policy[], draws: readonly DrawOutcomes[]): SweepPoint {
  const point = (policy: Policy): PolicyPoint => {
    const latencies = draws.flatMap((draw) => draw.get(policy)?.seconds ?? []);
    return { seconds: estimate(latencies), infeasible: draws.length - latencies.length };
  };
  return { value, policies: new Map(policies.map((policy) => [policy, point(policy)])), draws };
}
