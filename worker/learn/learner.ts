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

/**
 * Merges, divides, clips and takes one AdamW step, all on the host and after the merge: the same step under every plan. A gradient that
 * is not finite changes nothing and is an answer, not an error: GPUs can be broken, and rates too high.
 * @throws Error when the parts do not cover the round exactly once.
 */
export function takeStep(learner: Learner, round: RoundGradient, training: TrainingSettings): StepResult {
  const { layout, values, optimiser, groups } = learner;
  const { samples, parts, lossSum, denominator } = round;
  const broken = parts.filter(({ gradient }) => !gradient.every(Number.isFinite));
  if (broken.length > 0) return { kind: 'not-finite', faults: broken.map(faultOf) };
  const gradient = mergeGradients({ layout, samples }, parts);
  for (let i = 0; i < gradient.length; i++) gradient[i]! /= denominator;
  const loss = lossSum / denominator;
  // Each part is finite and their sum is too large for a number, or the loss is: nobody in particular is at fault.
  if (!Number.isFinite(loss) || !gradient.every(Number.isFinite))
    return { kind: 'not-finite', faults: parts.map(faultOf) };
  const gradientNorm = clipGradient(gradient, training.maxGradientNorm);
  const { learningRate: peak, rounds, warmupFraction, schedule, weightDecay, beta1, beta2, epsilon } = training;
  const learningRate = peak * learningRateFactor(optimiser.steps + 1, rounds, warmupFraction, schedule);
  adamWStep(values, gradient, optimiser, { learningRate, weightDecay, beta1, beta2, epsilon, groups });
  return { kind: 'stepped', learningRate, gradientNorm, loss };
}

const faultOf = ({ block, samples }: GradientPart): FaultyPart => ({ block, samples });
