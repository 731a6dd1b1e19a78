import { solve } from '../../signaling/planner/solve.ts';
import type { SampleRange } from '../../signaling/protocol/round.ts';
import { drawProblem } from '../../signaling/simulate/draw.ts';
import { SCENARIOS } from '../../signaling/simulate/scenario.ts';
import type { MadePart } from '../../web/session/rounds/audits/compare.ts';

/** What devices give to every round, as plans for drawn fleets share it out, and what that costs each of them in seconds. */
export interface Fleet {
  readonly devices: readonly string[];
  readonly work: readonly {
    readonly device: string;
    readonly parts: readonly MadePart[];
    readonly samples: SampleRange;
    /** Part of the whole room's compute. */
    readonly share: number;
  }[];

  readonly parts: number;
}

export type FleetPolicy = 'crunch' | 'data-parallel' | 'teams' | 'split';

const HOST = 'device-0';

/** The first device is the host. */
export function fleetOf(policy: FleetPolicy, devices: number, seed: number): Fleet {
  return policy === 'split' ? pipeline(devices) : planned(policy, devices, seed);
}

function planned(policy: Exclude<FleetPolicy, 'split'>, devices: number, seed: number): Fleet {
  const problem = drawProblem({ ...SCENARIOS.base, devices, bandwidthHz: 1e9, memoryBytes: 8e9, head: true }, seed);
  const answer = solve({ ...problem, host: HOST }, policy, { seed });
  if (!answer.feasible) throw new Error(answer.reason);
  const given = answer.assignments.filter((a) => a.samples.count > 0 && (a.head || a.layers.length > 0));
  const all = given.reduce((sum, { computeSeconds }) => sum + computeSeconds, 0);
  const work = given.map(({ device, layers, head, samples, computeSeconds }) => ({
    device,
    parts: [...layers, ...(head ? ['head' as const] : [])],
    samples,
    share: computeSeconds / all,
  }));
  return {
    devices: problem.devices.map(({ id }) => id),
    work,
    parts: work.reduce((n, one) => n + one.parts.length, 0),
  };
}

/** Twelve layers in runs of equal length, the head on the last: every stage sees all samples. */
function pipeline(devices: number): Fleet {
  const names = Array.from({ length: devices }, (_, i) => `device-${i}`);
  const work = names.map((device, i) => {
    const [from, to] = [Math.round((12 * i) / devices), Math.round((12 * (i + 1)) / devices)];
    const layers = Array.from({ length: to - from }, (_, layer): MadePart => from + layer);
    const sent: MadePart[] = [
      ...(i > 0 ? ['down' as const] : []),
      ...(i < devices - 1 ? ['up' as const] : ['head' as const]),
    ];
    return { device, parts: [...layers, ...sent], samples: { start: 0, count: 32 }, share: 1 / devices };
  });
  return { devices: names, work, parts: work.reduce((n, one) => n + one.parts.length, 0) };
}
