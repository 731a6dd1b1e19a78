/** PyTorch's defaults for `torch.optim.AdamW`. */
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** What AdamW remembers between steps; both moments run parallel to the flat parameter vector. */
export interface AdamWState {
  /** Steps taken so far. */
  steps: number;
  /** Exponential mean of the gradient (`exp_avg` in PyTorch). */
  readonly firstMoment: Float32Array;
  /** Exponential mean of the squared gradient (`exp_avg_sq`). */
  readonly secondMoment: Float32Array;
}

export function createAdamWState(length: number): AdamWState {
  return { steps: 0, firstMoment: new Float32Array(length), secondMoment: new Float32Array(length) };
}

/**
 * One step of `torch.optim.AdamW` (Loshchilov & Hutter 2019), in place on `parameters` and `state`:
 * decoupled weight decay on every value, bias-corrected moments, epsilon added outside the square root.
 *
 * `gradient` is d(mean loss)/d(parameter); all arrays are flat and equally long.
 */
export function adamWStep(
  parameters: Float32Array,
  gradient: Float32Array,
  state: AdamWState,
  options: { readonly learningRate: number; readonly weightDecay: number },
): void {
  const { firstMoment, secondMoment } = state;
  const length = parameters.length;
  if (gradient.length !== length || firstMoment.length !== length || secondMoment.length !== length) {
    throw new RangeError(
      `AdamW needs arrays of one length; parameters have ${length} values, the gradient ${gradient.length}, the moments ${firstMoment.length}.`,
    );
  }
  state.steps += 1;
  const keep = 1 - options.learningRate * options.weightDecay;
  const stepSize = options.learningRate / (1 - BETA1 ** state.steps);
  const secondCorrection = Math.sqrt(1 - BETA2 ** state.steps);
  for (let i = 0; i < length; i++) {
    const g = gradient[i]!;
    const m = BETA1 * firstMoment[i]! + (1 - BETA1) * g;
    const v = BETA2 * secondMoment[i]! + (1 - BETA2) * g * g;
    firstMoment[i] = m;
    secondMoment[i] = v;
    parameters[i] = parameters[i]! * keep - (stepSize * m) / (Math.sqrt(v) / secondCorrection + EPSILON);
  }
}

/**
 * The factor on the learning rate for round `round` (from 1) of `rounds`: `get_linear_schedule_with_warmup` of transformers, whose
 * step 0 is round 1. With a warm-up the first round's factor is 0; the last round's is above 0, because the schedule reaches 0 only
 * after it. The warm-up lasts `ceil(rounds * warmupFraction)` rounds, as in `TrainingArguments.get_warmup_steps`.
 */
export function learningRateFactor(round: number, rounds: number, warmupFraction: number): number {
  const step = round - 1;
  const warmupSteps = Math.ceil(rounds * warmupFraction);
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  return Math.max(0, (rounds - step) / Math.max(1, rounds - warmupSteps));
}

/** Euclidean norm of a vector, summed in float64. */
export function norm(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}
