import { rounded } from '../../signaling/protocol/exchange/upload-codec.ts';
import type { TrainingSettings } from '../../signaling/protocol/settings.ts';
import type { FaultyPart, GradientPart } from '../api/batch.ts';
import type { StepResult } from '../api/host-api.ts';
import type { ParameterLayout } from '../model/layout.ts';
import { mergeGradients } from './merge.ts';
import {
  type AdamWState,
  adamWStep,
  clipGradient,
  learningRateFactor,
  type ParameterGroup,
  parameterGroups,
} from './optimiser.ts';

/** What learns: the vector and the optimiser's memory, changed in place by `takeStep` alone. */
export interface Learner {
  readonly layout: ParameterLayout;
  readonly values: Float32Array;
  readonly optimiser: AdamWState;
  readonly groups: readonly ParameterGroup[];
}

export const createLearner = (
  layout: ParameterLayout,
  values: Float32Array,
  optimiser: AdamWState,
  { loraPlusRatio }: Pick<TrainingSettings, 'loraPlusRatio'>,
): Learner => ({ layout, values, optimiser, groups: parameterGroups(layout, loraPlusRatio) });

/** A round's gradient as it came: sums over samples, whoever computed them. */
export interface RoundGradient {
  readonly samples: number;
  readonly parts: readonly GradientPart[];
  readonly lossSum: number;
  /** What the sums are divided by to be a mean: the samples, or the sum of their weights. */
  readonly denominator: number;
}

/** The step's result, with the mean gradient as it was applied. */
export type TakenStep =
  | (Omit<Extract<StepResult, { kind: 'stepped' }>, 'update'> & { readonly gradient: Float32Array })
  | Extract<StepResult, { kind: 'not-finite' }>;

/**
 * Merges, divides, clips, rounds as the session's updates travel, and takes one AdamW step, all on the host and after the merge: the same step under every plan. A gradient that
 * is not finite changes nothing and is an answer, not an error: GPUs can be broken, and rates too high.
 * @throws Error when the parts do not cover the round exactly once.
 */
export function takeStep(learner: Learner, round: RoundGradient, training: TrainingSettings): TakenStep {
  const { layout } = learner;
  const { samples, parts, lossSum, denominator } = round;
  const broken = parts.filter(({ gradient }) => !gradient.every(Number.isFinite));
  if (broken.length > 0) return { kind: 'not-finite', faults: broken.map(faultOf) };
  const merged = mergeGradients({ layout, samples }, parts);
  for (let i = 0; i < merged.length; i++) merged[i]! /= denominator;
  const loss = lossSum / denominator;
  // Each part is finite and their sum is too large for a number, or the loss is: nobody in particular is at fault.
  if (!Number.isFinite(loss) || !merged.every(Number.isFinite))
    return { kind: 'not-finite', faults: parts.map(faultOf) };
  const gradientNorm = clipGradient(merged, training.maxGradientNorm);
  // As devices are told it.
  const { seed, uploads } = training;
  const gradient = rounded(merged, uploads, {
    ...{ seed, round: learner.optimiser.steps + 1, block: 'merged', position: 0 },
  });
  const { learningRate: peak, rounds, warmupFraction, schedule } = training;
  const learningRate = peak * learningRateFactor(learner.optimiser.steps + 1, rounds, warmupFraction, schedule);
  applyGradient(learner, gradient, learningRate, training);
  return { kind: 'stepped', learningRate, gradientNorm, loss, gradient };
}

/** One AdamW step with a mean gradient as it was merged and clipped: the host's, and that of every device that keeps up with it. */
export function applyGradient(
  { values, optimiser, groups }: Learner,
  gradient: Float32Array,
  learningRate: number,
  { weightDecay, beta1, beta2, epsilon }: TrainingSettings,
): void {
  adamWStep(values, gradient, optimiser, { learningRate, weightDecay, beta1, beta2, epsilon, groups });
}

const faultOf = ({ block, samples }: GradientPart): FaultyPart => ({ block, samples });
