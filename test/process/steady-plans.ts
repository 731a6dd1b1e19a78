import { planRoom, type RoomPlanAnswer, type RoomProblem } from '../../signaling/planner/room-plan.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { RoomView } from '../../signaling/protocol/room-view.ts';
import type { RoomPlanner } from '../../signaling/server/plan-service.ts';

/** A device of this name is a hundred times slower than the others, so that plans leave it out. */
export const SPARE = 'spare';

/** As if layers took so long everywhere, whatever a busy machine measured: the plan is the same in every run. */
function steady(name: string, { memory, parts, ...rest }: Profile): Profile {
  const forwardPerLayer = name === SPARE ? 10 : 0.1;
  const seconds = { embed: forwardPerLayer, forwardPerLayer, backwardPerLayer: 2 * forwardPerLayer, head: 0 };
  const fixedSeconds = { embed: 0, forwardPerLayer: 0, backwardPerLayer: 0, head: 0 };
  const links = rest.linkBitsPerSecond < 1e12 ? { linkBitsPerSecond: 1e9 } : {};
  return { ...rest, ...links, memory, secondsPerSample: seconds, ...(parts && { parts: { ...parts, fixedSeconds } }) };
}
/** The planner itself, whose plans are the same in every run: it waits until a room has as many measured devices as `expect` said, once. */
export class SteadyPlanner implements RoomPlanner {
  #expected = 0;

  expect(devices: number): void {
    this.#expected = devices;
  }

  async plan(problem: RoomProblem): Promise<RoomPlanAnswer> {
    if (problem.devices.length < this.#expected) return { feasible: false, reason: 'Others are still to come.' };
    this.#expected = 0;
    const devices = problem.devices.map((device) => ({ ...device, profile: steady(device.name, device.profile) }));
    return planRoom({ ...problem, devices });
  }

  async close(): Promise<void> {}
}

/** By pipeline: its samples, its micro-batches, and the names of its stages from the embeddings up. */
export function pipelinesOf({ plan, devices }: RoomView) {
  const nameOf = (id: string) => devices.find((device) => device.id === id)?.name ?? id;
  const numbers = new Set(plan?.assignments.flatMap(({ stage }) => (stage === undefined ? [] : [stage.pipeline])));
  return [...numbers].sort().map((pipeline) => {
    const stages = (plan?.assignments ?? [])
      .flatMap(({ stage, ...own }) => (stage?.pipeline === pipeline ? [{ ...own, stage }] : []))
      .sort((a, b) => a.stage.index - b.stage.index);
    const [first] = stages;
    if (first === undefined) throw new Error(`There is no pipeline ${pipeline + 1}.`);
    return {
      share: { samples: first.samples, microBatches: first.stage.microBatches },
      runs: stages.map(({ stage: { from, to } }) => [from, to]),
      names: stages.map(({ device }) => nameOf(device)),
    };
  });
}
