import type { RoomPlanAnswer, RoomProblem } from '../../signaling/planner/room-plan.ts';
import type { RoomAssignment } from '../../signaling/protocol/plan.ts';
import type { RoomPlanner } from '../../signaling/server/plan-service.ts';

/**
 * Plans dealt out evenly, whatever the devices measured, so that everybody has a part: `crunch` deals blocks, `data-parallel` samples,
 * `teams` gives the first device half of the samples and the blocks of the other half to the rest.
 */
export const DEALT: RoomPlanner = {
  plan: async (problem) => deal(problem),
  close: async () => undefined,
};

function deal(problem: RoomProblem): RoomPlanAnswer {
  const { devices, samples, policy } = problem;
  if (policy === 'split') return dealStages(problem);
  const ids = devices.map((d) => d.id);
  const [first] = ids;
  if (first === undefined) return { feasible: false, reason: 'A device is needed.' };
  const half = samples >> 1;
  const assignments =
    policy === 'data-parallel'
      ? ids.flatMap((id, i) => blocks([id], problem, split(samples, ids.length, i)))
      : policy === 'teams' && ids.length > 1
        ? [
            ...blocks(ids.slice(0, 1), problem, { start: 0, count: half }),
            ...blocks(ids.slice(1), problem, { start: half, count: samples - half }),
          ]
        : blocks(ids, problem, { start: 0, count: samples });
  return {
    feasible: true,
    plan: {
      policy,
      solver: 'dealt',
      solveMs: 0,
      latencySeconds: 1,
      lowerBoundSeconds: 1,
      limitedBy: first,
      explanation: 'Dealt.',
      assignments,
    },
  };
}

/** Of eight units, to the first three devices; others are spares. */
export const DEALT_RUNS = [
  { from: 0, to: 3, window: 2 },
  { from: 3, to: 6, window: 2 },
  { from: 6, to: 8, window: 1 },
] as const;
export const DEALT_MICRO_BATCHES = 5;

function dealStages({ devices, samples, layers, layerUploadBits: bits }: RoomProblem): RoomPlanAnswer {
  if (devices.length < DEALT_RUNS.length) return { feasible: false, reason: 'Three devices are needed.' };
  const isTrained = (layer: number): boolean => typeof bits === 'number' || bits[layers - 1 - layer] !== null;
  return {
    feasible: true,
    plan: {
      policy: 'split',
      solver: 'dealt',
      solveMs: 0,
      latencySeconds: 1,
      lowerBoundSeconds: 1,
      limitedBy: devices[0]?.id ?? '',
      explanation: 'Dealt.',
      assignments: DEALT_RUNS.map(({ from, to, window }, index) => ({
        device: devices[index]?.id ?? '',
        layers: Array.from({ length: layers }, (_, layer) => layer).filter(
          (layer) => from <= layer + 1 && layer + 1 < to && isTrained(layer),
        ),
        head: index === DEALT_RUNS.length - 1,
        samples: { start: 0, count: samples },
        microBatch: Math.ceil(samples / DEALT_MICRO_BATCHES),
        memoryBytes: 0,
        share: 1,
        uploadBits: 0,
        computeSeconds: 1,
        uploadSeconds: 0,
        stage: { pipeline: 0, index, from, to, window, microBatches: DEALT_MICRO_BATCHES },
      })),
    },
  };
}

function split(total: number, parts: number, part: number): { start: number; count: number } {
  const start = Math.floor((total * part) / parts);
  return { start, count: Math.floor((total * (part + 1)) / parts) - start };
}

/** The layers with adapters in runs, the last device nearest the loss and with the head. */
function blocks(
  ids: readonly string[],
  { layers, layerUploadBits: bits }: RoomProblem,
  samples: { start: number; count: number },
): RoomAssignment[] {
  const trained = Array.from({ length: layers }, (_, layer) => layer).filter(
    (layer) => typeof bits === 'number' || bits[layers - 1 - layer] !== null,
  );
  return ids.map((device, i) => {
    const run = split(trained.length, ids.length, i);
    return {
      device,
      layers: trained.slice(run.start, run.start + run.count),
      head: i === ids.length - 1,
      samples,
      microBatch: 3,
      memoryBytes: 0,
      share: 1 / ids.length,
      uploadBits: 0,
      computeSeconds: 1,
      uploadSeconds: 0,
    };
  });
}
