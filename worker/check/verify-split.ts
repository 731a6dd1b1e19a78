import type { Engine, EnginePrecision } from '../engine/engine.ts';
import { relativeError } from './golden-check.ts';
import type { GoldenCase } from './golden-file.ts';
import { lossAndGradient } from './loss-and-gradient.ts';

const NO_DROPOUT = { probability: 0, seed: 0, round: 1 };
const DROPOUT = { probability: 0.25, seed: 11, round: 4 };

/** How far the stages of a model are from the engine that holds all of it, and how far they may be. */
export interface SplitCheck {
  readonly difference: number;
  readonly limit: number;
}

/** The plain reference keeps float64 inside, which a border between stages rounds to f32; the others keep what travels. */
const REFERENCE_LIMIT = 1e-6;
/**
 * Spacing of binary16 at 1. An engine of half precision takes a layer's input for its adapters' gradients from what the layer below has
 * kept, which is not rounded; at a border it takes the hidden states, which are.
 */
const HALF_LIMIT = 2 ** -10;

/** The largest difference of logits, loss and gradients, over each one's largest value, at every depth, dropout on and off. */
export async function checkSplit(
  split: Engine,
  whole: Engine,
  golden: GoldenCase,
  precision: EnginePrecision,
): Promise<SplitCheck> {
  for (const engine of [split, whole]) await engine.setParameters(golden.parameters);
  let difference = 0;
  for (let depth = 0; depth <= whole.shape.layers; depth++)
    for (const dropout of [NO_DROPOUT, DROPOUT]) {
      const got = await lossAndGradient(split, golden.batch, depth, dropout);
      const want = await lossAndGradient(whole, golden.batch, depth, dropout);
      const errors = [
        relativeError(got.logits, want.logits),
        Math.abs(got.lossSum - want.lossSum) / Math.abs(want.lossSum),
        relativeError(got.gradient, want.gradient),
      ];
      // NaN, which no limit lets pass, stays.
      for (const error of errors) difference = error <= difference ? difference : error;
    }
  const full = whole.name === 'reference' ? REFERENCE_LIMIT : 0;
  return { difference, limit: precision === 'half' ? HALF_LIMIT : full };
}
