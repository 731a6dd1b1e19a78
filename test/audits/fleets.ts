import { solveSplit } from '../../signaling/planner/replicas/solve-split.ts';
import { solve } from '../../signaling/planner/solve.ts';
import { stageBytes } from '../../signaling/protocol/pipeline/stages.ts';
import type { SampleRange } from '../../signaling/protocol/round.ts';
import { unitCount } from '../../signaling/protocol/split.ts';
import { drawProblem, drawSplitProblem } from '../../signaling/simulate/draw.ts';
import { SCENARIOS } from '../../signaling/simulate/scenario.ts';
import type { MadePart } from '../../web/session/rounds/audits/compare.ts';

/** What devices give to every round, as plans for drawn fleets share it out, and what that costs each of them in seconds. */
export interface Fleet {
  readonly devices: readonly string[];
  readonly work: readonly {
    readonly device: string;
    readonly parts: readonly MadePart[];
    /** Of a stage: what it sends to its neighbours. */
    readonly sent?: readonly MadePart[];
    readonly samples: SampleRange;
    /** Part of the whole room's compute. */
    readonly share: number;
  }[];

  readonly parts: number;
  /** Whether a device could compute again what another one did; everybody can where this is not here. */
  readonly canCheck?: (device: string, checked: string) => boolean;
}

export type FleetPolicy = 'crunch' | 'data-parallel' | 'teams' | 'split';

const HOST = 'device-0';
/** By devices: what half of them may use, so that there is a pipeline, and somebody to check it. */
const SPLIT_MEMORY: Readonly<Record<number, number>> = { 4: 9e8, 16: 3e8 };

/** The first device is the host. */
export function fleetOf(policy: FleetPolicy, devices: number, seed: number): Fleet {
  return policy === 'split' ? pipeline(devices, seed) : planned(policy, devices, seed);
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

/**
 * A drawn fleet of which nobody holds roberta-large, with its stages as the planner lays them out: every stage sees all samples. A stage can be
 * computed again by who has the memory for its run beside what they have to do themselves.
 */
function pipeline(devices: number, seed: number): Fleet {
  const problem = drawSplitProblem(
    { ...SCENARIOS['none-holds'], devices, memoryBytes: SPLIT_MEMORY[devices] ?? 3e8 },
    seed,
  );
  const answer = solveSplit(problem);
  if (!answer.feasible || !('stages' in answer)) throw new Error('This fleet has no pipeline.');
  const { stages, microBatches } = answer;
  const { split } = problem;
  const samples = Math.ceil(split.samples / microBatches);
  const all = stages.reduce((sum, one) => sum + one.forwardSeconds + one.backwardSeconds, 0);
  const work = stages.map(({ device, from, to, forwardSeconds, backwardSeconds }) => {
    const layers = Array.from({ length: split.layers }, (_, layer): MadePart => layer).filter(
      (layer) => from <= Number(layer) + 1 && Number(layer) + 1 < to,
    );
    return {
      device,
      parts: [...layers, ...(to === unitCount(split.layers) ? ['head' as const] : [])],
      sent: [...(from > 1 ? ['down' as const] : []), ...(to < unitCount(split.layers) ? ['up' as const] : [])],
      samples: { start: 0, count: split.samples },
      share: (forwardSeconds + backwardSeconds) / all,
    };
  });
  const leftOf = (id: string): number => {
    const device = problem.devices.find((one) => one.id === id);
    const own = stages.find((one) => one.device === id);
    return (device?.memory.limitBytes ?? 0) - (own?.memoryBytes ?? 0);
  };
  return {
    devices: problem.devices.map(({ id }) => id),
    work,
    parts: work.reduce((n, one) => n + one.parts.length + one.sent.length, 0),
    canCheck: (id, checked) => {
      const device = problem.devices.find((one) => one.id === id);
      const run = stages.find((one) => one.device === checked);
      return device !== undefined && run !== undefined && stageBytes(split, { device, run }, samples, 1) <= leftOf(id);
    },
  };
}
