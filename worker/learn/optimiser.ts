import { PLAIN_TRAINING, type Schedule } from '../../signaling/protocol/settings.ts';
import type { ParameterLayout } from '../model/layout.ts';

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

/** A run of the flat vector that learns at its own rate, as a parameter group of PyTorch's does. */
export interface ParameterGroup {
  readonly offset: number;
  readonly length: number;
  /** Factor on the learning rate. */
  readonly rateFactor: number;
  readonly decays: boolean;
}

/**
 * The groups of LoRA+ (Hayou, Ghosh, Yu 2024, arXiv 2402.12354) as PEFT's `create_loraplus_optimizer` makes them: the matrices B and all
 * biases learn `ratio` times as fast as the matrices A and the head's, and biases do not decay. A ratio of 1 is plain AdamW: one group.
 */
export function parameterGroups(layout: ParameterLayout, ratio: number): readonly ParameterGroup[] {
  if (ratio === 1) return [{ offset: 0, length: layout.length, rateFactor: 1, decays: true }];
  return [...layout.layers, layout.head].flatMap(({ slots }) =>
    slots.map(({ name, shape, offset, length }) => {
      const bias = shape.length === 1;
      const fast = bias || /^lora\..*\.B$/.test(name);
      return { offset, length, rateFactor: fast ? ratio : 1, decays: !bias };
    }),
  );
}

export interface AdamWOptions {
  readonly learningRate: number;
  readonly weightDecay: number;
  /** PyTorch's own (0.9, 0.999, 1e-8) unless given. */
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** One group unless given; together they cover the vector. */
  readonly groups?: readonly ParameterGroup[];
}

/**
 * One step of `torch.optim.AdamW` (Loshchilov & Hutter 2019), in place on `parameters` and `state`:
 * decoupled weight decay, bias-corrected moments, epsilon added outside the square root.
 *
 * `gradient` is d(mean loss)/d(parameter); all arrays are flat and equally long.
 */
export function adamWStep(
  parameters: Float32Array,
  gradient: Float32Array,
  state: AdamWState,
  options: AdamWOptions,
): void {
  const { firstMoment, secondMoment } = state;
  const { length } = parameters;
  if (gradient.length !== length || firstMoment.length !== length || secondMoment.length !== length) {
    throw new RangeError(
      `AdamW needs arrays of one length; parameters have ${length} values, the gradient ${gradient.length}, the moments ${firstMoment.length}.`,
    );
  }
  const { beta1, beta2, epsilon } = { ...PLAIN_TRAINING, ...options };
  const groups = options.groups ?? [{ offset: 0, length, rateFactor: 1, decays: true }];
  state.steps += 1;
  const firstCorrection = 1 - power(beta1, state.steps);
  const secondCorrection = Math.sqrt(1 - power(beta2, state.steps));
  for (const group of groups) {
    const rate = options.learningRate * group.rateFactor;
    const keep = group.decays ? 1 - rate * options.weightDecay : 1;
    const stepSize = rate / firstCorrection;
    for (let i = group.offset; i < group.offset + group.length; i++) {
      const g = gradient[i]!;
      const m = beta1 * firstMoment[i]! + (1 - beta1) * g;
      const v = beta2 * secondMoment[i]! + (1 - beta2) * g * g;
      firstMoment[i] = m;
      secondMoment[i] = v;
      parameters[i] = parameters[i]! * keep - (stepSize * m) / (Math.sqrt(v) / secondCorrection + epsilon);
    }
  }
}

/**
 * `base ** exponent` for a whole exponent, by squaring: products are the same in every browser, `Math.pow` is not, and devices that take
 * the same step have to come to the same bits.
 */
export function power(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}

/**
 * The factor on the learning rate for step `step` (from 1) of `steps`: transformers' `get_linear_schedule_with_warmup`,
 * `get_cosine_schedule_with_warmup` (half a cycle) or `get_constant_schedule_with_warmup`, whose step 0 is step 1 here. With a warm-up the
 * first factor is 0; the last one is above 0, because a schedule reaches 0 only after it. The warm-up lasts
 * `ceil(steps * warmupFraction)` steps, as in `TrainingArguments.get_warmup_steps`.
 */
export function learningRateFactor(
  step: number,
  steps: number,
  warmupFraction: number,
  schedule: Schedule = 'linear',
): number {
  const done = step - 1;
  const warmupSteps = Math.ceil(steps * warmupFraction);
  if (done < warmupSteps) return done / Math.max(1, warmupSteps);
  switch (schedule) {
    case 'linear':
      return Math.max(0, (steps - done) / Math.max(1, steps - warmupSteps));
    case 'cosine': {
      const progress = (done - warmupSteps) / Math.max(1, steps - warmupSteps);
      return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
    }
    case 'constant':
      return 1;
  }
}

/** Euclidean norm of a vector, summed in float64. */
export function norm(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}

/**
 * `torch.nn.utils.clip_grad_norm_` over all gradients together, in place: a gradient longer than `maxNorm` is scaled by
 * maxNorm / (norm + 1e-6). Returns the norm as it was before; `maxNorm` 0 clips nothing.
 */
export function clipGradient(gradient: Float32Array, maxNorm: number): number {
  const before = norm(gradient);
  const factor = maxNorm / (before + 1e-6);
  if (maxNorm > 0 && factor < 1) for (let i = 0; i < gradient.length; i++) gradient[i]! *= factor;
  return before;
}
