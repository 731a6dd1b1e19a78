import type { SplitModel, SplitProblem } from '../../protocol/pipeline/split-problem.ts';
import {
  backwardSeconds,
  forwardSeconds,
  type PlacedStage,
  stageBytes,
  type WindowRule,
  windowsOf,
} from '../../protocol/pipeline/stages.ts';
import { microBatchSizes } from '../../protocol/split.ts';
import type { Pipeline } from '../pipelines/evaluator.ts';
import type { Found } from '../pipelines/search.ts';
import type { InfeasiblePlan } from '../problem/answer.ts';
import type { RatedReplicas } from './replica-evaluator.ts';

/** A stage of a plan, in order from the embeddings. */
export interface SplitStage {
  readonly device: string;
  readonly from: number;
  /** Not included. */
  readonly to: number;
  /** 0 where nothing is trained. */
  readonly window: number;
  /** Of all micro-batches of a round. */
  readonly forwardSeconds: number;
  readonly backwardSeconds: number;
  /** At the most, with the window full. */
  readonly memoryBytes: number;
}

export interface SplitPlan {
  readonly policy: 'split';
  readonly feasible: true;
  /** The simulated seconds of a round. */
  readonly latencySeconds: number;
  /** No pipeline of these devices can be faster. */
  readonly lowerBoundSeconds: number;
  readonly solveMs: number;
  /** M. */
  readonly microBatches: number;
  readonly windowRule: WindowRule;
  readonly stages: readonly SplitStage[];
}

/** One of several pipelines that share the samples of a round. */
export interface PlannedPipeline extends Pick<SplitPlan, 'latencySeconds' | 'microBatches' | 'windowRule' | 'stages'> {
  readonly samples: { readonly start: number; readonly count: number };
}

/** Several pipelines, each with the whole model, where the problem allows them and that is quicker. */
export interface ReplicatedPlan extends Omit<SplitPlan, 'microBatches' | 'windowRule' | 'stages'> {
  /** From the one that takes most samples. */
  readonly pipelines: readonly PlannedPipeline[];
}

export type SplitAnswer = SplitPlan | ReplicatedPlan | InfeasiblePlan;

export const ruleOf = (rule: number): WindowRule => (rule === 1 || rule === 2 ? rule : 'all');

export function placedStages(problem: SplitProblem, { devices, ends, stages }: Pipeline): readonly PlacedStage[] {
  return Array.from({ length: stages }, (_, s) => ({
    device: problem.devices[devices[s]!]!,
    run: { from: s === 0 ? 0 : ends[s - 1]!, to: ends[s]! },
  }));
}

export function writePlan(problem: SplitProblem, { pipeline, seconds }: Found, lowerBoundSeconds: number): SplitPlan {
  return {
    policy: 'split',
    feasible: true,
    latencySeconds: seconds,
    lowerBoundSeconds: Math.min(lowerBoundSeconds, seconds),
    solveMs: 0,
    ...writePipeline(problem, pipeline),
  };
}

export function writeReplicas(
  problem: SplitProblem,
  { parts, seconds }: RatedReplicas,
  lowerBoundSeconds: number,
): ReplicatedPlan {
  let start = 0;
  return {
    policy: 'split',
    feasible: true,
    latencySeconds: seconds,
    lowerBoundSeconds: Math.min(lowerBoundSeconds, seconds),
    solveMs: 0,
    pipelines: parts.map(({ samples: count, pipeline, seconds: latencySeconds }) => {
      const samples = { start, count };
      start += count;
      const own = { ...problem, split: { ...problem.split, samples: count } };
      return { samples, latencySeconds, ...writePipeline(own, pipeline) };
    }),
  };
}

function writePipeline(
  problem: SplitProblem,
  pipeline: Pipeline,
): Pick<SplitPlan, 'microBatches' | 'windowRule' | 'stages'> {
  const { microBatches } = pipeline;
  const windowRule = ruleOf(pipeline.rule);
  const placed = placedStages(problem, pipeline);
  const windows = windowsOf(problem.split, placed, microBatches, windowRule);
  const stages = placed.map((stage, s) => writeStage(problem.split, stage, microBatches, windows?.[s] ?? 0));
  return { microBatches, windowRule, stages };
}

function writeStage(model: SplitModel, stage: PlacedStage, microBatches: number, window: number): SplitStage {
  const sizes = microBatchSizes(model.samples, microBatches);
  const sum = (read: (samples: number) => number) => sizes.reduce((total, m) => total + read(m), 0);
  return {
    device: stage.device.id,
    ...stage.run,
    window,
    forwardSeconds: sum((m) => forwardSeconds(model, stage, m)),
    backwardSeconds: sum((m) => backwardSeconds(model, stage, m)),
    memoryBytes: stageBytes(model, stage, sizes[0]!, window),
  };
}
