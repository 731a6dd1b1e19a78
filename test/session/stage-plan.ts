import type { RoomPlan } from '../../signaling/protocol/plan.ts';
import { RUNS, recipe } from './stage-scene.ts';

/** The runs of `stage-scene.ts` on these devices, from the embeddings up. */
export const stagePlan = (devices: readonly string[]): RoomPlan => ({
  version: 1,
  policy: 'split',
  solver: '',
  solveMs: 0,
  latencySeconds: 1,
  lowerBoundSeconds: 1,
  limitedBy: '',
  explanation: '',
  assignments: RUNS.map((run, index) => ({
    device: devices[index]!,
    layers: recipe.layers.filter((layer) => run.from <= layer + 1 && layer + 1 < run.to),
    head: index === RUNS.length - 1,
    samples: { start: 0, count: 6 },
    microBatch: 2,
    memoryBytes: 2.5e7,
    share: 1,
    uploadBits: 0,
    computeSeconds: 1,
    uploadSeconds: 0,
    stage: { pipeline: 0, index, ...run, window: 3 - index, microBatches: recipe.microBatchSizes.length },
  })),
});
