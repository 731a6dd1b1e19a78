import type { RandomSource } from '../../../signaling/planner/algorithms/random.ts';
import type { Pipeline } from '../../../signaling/planner/pipelines/evaluator.ts';
import { generateSplitProblem, REGIMES, type Regime } from '../../../signaling/planner/pipelines/generator.ts';
import type { SplitProblem } from '../../../signaling/protocol/pipeline/split-problem.ts';

const regimes = Object.keys(REGIMES) as Regime[];

/** A random problem of up to 6 devices; `memory` of 1 leaves the generator's limits, more lets most pipelines fit. */
export function drawnProblem(draws: RandomSource, memory: number): SplitProblem {
  const layers = 1 + draws.below(8);
  const problem = generateSplitProblem(draws.below(2 ** 30), {
    devices: 1 + draws.below(6),
    layers,
    samples: 1 + draws.below(16),
    regime: regimes[draws.below(regimes.length)],
    trainedLayers: draws.below(layers + 1),
  });
  return {
    ...problem,
    devices: problem.devices.map((device) => ({
      ...device,
      memory: { ...device.memory, limitBytes: device.memory.limitBytes * memory },
    })),
  };
}

/** Any pipeline of some of the devices, whether it fits or not. */
export function drawnPipeline(draws: RandomSource, { split, devices }: SplitProblem): Pipeline {
  const stages = 1 + draws.below(Math.min(devices.length, split.layers + 2));
  const cuts = Array.from({ length: split.layers + 1 }, (_, i) => i + 1);
  return {
    devices: draws.shuffle([...devices.keys()]).slice(0, stages),
    ends: [...draws.shuffle(cuts).slice(0, stages - 1), split.layers + 2].sort((a, b) => a - b),
    stages,
    microBatches: 1 + draws.below(split.samples),
    rule: [1, 2, Infinity][draws.below(3)],
  };
}
