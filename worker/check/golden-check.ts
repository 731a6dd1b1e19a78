import type { Engine } from '../engine/engine.ts';
import { adamWStep, createAdamWState } from '../learn/optimiser.ts';
import type { ParameterLayout } from '../model/layout.ts';
import type { GoldenCase } from './golden-file.ts';
import { lossAndGradient } from './loss-and-gradient.ts';

export interface GoldenErrors {
  /** Largest error over the tensor's largest value. */
  readonly logits: number;
  readonly loss: number;
  /** The same for each kind of trained tensor, over all layers: `query.A`, …, `classifier.out_proj.bias`. */
  readonly gradients: ReadonlyMap<string, number>;
  /** The largest relative error of the mean loss before each AdamW step. */
  readonly lossCurve: number;
}

/** The most that any of these errors may be in full precision. */
export const FULL_LIMIT = 1e-4;

/** Trains the golden case on `engine`, which was made from its model, and compares with what PyTorch found. */
export async function checkGolden(engine: Engine, golden: GoldenCase): Promise<GoldenErrors> {
  const { batch, expected, layout } = golden;
  const samples = batch.lengths.length;
  const parameters = golden.parameters.slice();
  const state = createAdamWState(layout.length);
  let first: { logits: number; loss: number; gradients: ReadonlyMap<string, number> } | undefined;
  let lossCurve = 0;
  for (const want of expected.losses) {
    await engine.setParameters(parameters);
    const { logits, lossSum, gradient } = await lossAndGradient(engine, batch);
    const mean = gradient.map((value) => value / samples);
    first ??= {
      logits: relativeError(logits, expected.logits),
      loss: Math.abs(lossSum / samples - expected.loss) / Math.abs(expected.loss),
      gradients: gradientErrors(layout, mean, expected.gradient),
    };
    lossCurve = worst(lossCurve, Math.abs(lossSum / samples - want) / Math.abs(want));
    adamWStep(parameters, mean, state, { learningRate: golden.learningRate, weightDecay: golden.weightDecay });
  }
  if (first === undefined) throw new RangeError('The golden case has no steps.');
  return { ...first, lossCurve };
}

/** Largest |got - want| over the largest |want|; NaN where `got` is not finite. */
export function relativeError(got: Float32Array, want: Float32Array): number {
  if (got.length !== want.length) return Number.NaN;
  let [error, largest] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    error = worst(error, Math.abs(got[i]! - want[i]!));
    largest = Math.max(largest, Math.abs(want[i]!));
  }
  return error === 0 ? 0 : error / largest;
}

/** Errors of a flat gradient by kind of tensor, each relative to its own tensor. */
export function gradientErrors(
  layout: ParameterLayout,
  got: Float32Array,
  want: Float32Array,
): ReadonlyMap<string, number> {
  const errors = new Map<string, number>();
  for (const [name, error] of tensorErrors(layout, got, want)) {
    const kind = tensorKind(name);
    errors.set(kind, worst(errors.get(kind) ?? 0, error));
  }
  return errors;
}

/** The same tensor by tensor. */
export function tensorErrors(
  layout: ParameterLayout,
  got: Float32Array,
  want: Float32Array,
): ReadonlyMap<string, number> {
  const slots = [...layout.layers, layout.head].flatMap((block) => block.slots);
  return new Map(
    slots.map(({ name, offset, length }) => [
      name,
      relativeError(got.subarray(offset, offset + length), want.subarray(offset, offset + length)),
    ]),
  );
}

/** A trained tensor's name without its layer. */
export function tensorKind(name: string): string {
  return name.replace(/^lora\.layer\.\d+\./, '');
}

/** Math.max that keeps NaN, whichever side it is on. */
function worst(a: number, b: number): number {
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(a, b);
}
