import { packed, unpacked } from '../../signaling/protocol/exchange/hidden-codec.ts';
import type { HiddenStates } from '../../signaling/protocol/split.ts';
import type { Engine } from '../engine/engine.ts';
import { adamWStep, createAdamWState } from '../learn/optimiser.ts';
import type { GoldenCase } from './golden-file.ts';
import { lossAndGradient } from './loss-and-gradient.ts';
import { type Carrier, splitEngine } from './split-engine.ts';

/** What rounding hidden states, and their gradient, between stages costs beside passing them on in 32 bits, and what it saves. */
export interface HiddenCost {
  readonly steps: number;
  /** The largest difference of the loss before a step, over the loss in 32 bits, each curve trained on its own. */
  readonly lossCurve: number;
  /** Of the first step's whole gradient: norm of the difference over norm. */
  readonly gradient: number;
  /** Of all steps, both ways, over all cuts. */
  readonly bytes: number;
  readonly bytesIn32: number;
}

interface Carried {
  readonly losses: readonly number[];
  readonly first: Float32Array;
  readonly bytes: number;
}

/** Trains the golden file's steps twice on the same stages, with hidden states in 32 bits and as the codec has them. */
export async function hiddenCost(
  stages: readonly Engine[],
  golden: GoldenCase,
  codec: HiddenStates,
): Promise<HiddenCost> {
  const [exact, rounded] = [await carried(stages, golden, 'f32'), await carried(stages, golden, codec)];
  const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return {
    steps: exact.losses.length,
    lossCurve: Math.max(...exact.losses.map((loss, i) => Math.abs(rounded.losses[i]! - loss) / Math.abs(loss))),
    gradient: norm(rounded.first.map((value, i) => value - exact.first[i]!)) / norm(exact.first),
    bytes: rounded.bytes,
    bytesIn32: exact.bytes,
  };
}

async function carried(stages: readonly Engine[], golden: GoldenCase, codec: HiddenStates): Promise<Carried> {
  let bytes = 0;
  const carry: Carrier = (rows) => {
    const made = packed(rows, codec);
    if (made === null) throw new Error('Hidden states are not finite.');
    bytes += made.tensor.byteLength;
    return unpacked(made.tensor, made);
  };
  const engine = splitEngine(stages, carry);
  const { batch, expected, layout, learningRate, weightDecay } = golden;
  const parameters = golden.parameters.slice();
  const state = createAdamWState(layout.length);
  const losses: number[] = [];
  let first: Float32Array | null = null;
  for (const _ of expected.losses) {
    await engine.setParameters(parameters);
    const { lossSum, gradient } = await lossAndGradient(engine, batch);
    const samples = batch.lengths.length;
    const mean = gradient.map((value) => value / samples);
    first ??= mean;
    losses.push(lossSum / samples);
    adamWStep(parameters, mean, state, { learningRate, weightDecay });
  }
  if (first === null) throw new RangeError('The golden case has no steps.');
  return { losses, first, bytes };
}
