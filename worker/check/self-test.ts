import type { LoraSettings, WeightStorage } from '../../signaling/protocol/settings.ts';
import { partOf } from '../../signaling/protocol/split.ts';
import type { Engine, EngineRequest } from '../engine/engine.ts';
import { lossAndGradient } from './loss-and-gradient.ts';
import { type RandomModel, randomModel } from './random-model.ts';
import { SELF_TEST_ANSWERS, type SelfTestAnswers } from './self-test-answers.ts';
import { runsOf, splitEngine } from './split-engine.ts';

/** An engine that computes wrong numbers on this machine; the message says what it got wrong. */
export class SelfTestError extends Error {
  override readonly name = 'SelfTestError';
}

/** Largest error over a tensor's norm; half precision passes, a wrong kernel does not. */
const TOLERANCE = 2e-2;
export const SELF_TEST_DROPOUT = { probability: 0.25, seed: 7, round: 3 };

const TARGETS: LoraSettings['targets'] = ['query', 'value', 'output.dense'];

/** Head width 16 and 48 tokens: enough for more than one tile of most kernels. */
export function selfTestModel(): Promise<RandomModel> {
  return randomModel({
    layers: 2,
    hiddenSize: 32,
    heads: 2,
    ffnSize: 64,
    labelCount: 3,
    rank: 4,
    tokens: 48,
    lengths: [48, 17, 1],
    targets: TARGETS,
    seed: 4,
  });
}

/** What is compared of a tensor: its norm, and its product with a pattern of signs, which feels every entry. */
export interface Fingerprint {
  readonly norm: number;
  readonly signed: number;
}

export function fingerprints(engine: Engine, gradient: Float32Array): ReadonlyMap<string, Fingerprint> {
  const found = new Map<string, Fingerprint>();
  for (const { name, offset, length } of [...engine.layout.layers, engine.layout.head].flatMap(
    (block) => block.slots,
  )) {
    let [squares, signed] = [0, 0];
    for (let i = 0; i < length; i++) {
      const value = gradient[offset + i]!;
      squares += value * value;
      // A pattern with no period that a tile or a vector has.
      signed += (Math.imul(i, 2654435761) >>> 16) & 1 ? value : -value;
    }
    found.set(name, { norm: Math.sqrt(squares), signed });
  }
  return found;
}

/**
 * Trains a small stored case forward and backward, repeatedly: GPUs exist that are right once and wrong later, or right forward and
 * give zero gradients. The last time in two stages, with both their passes open at once, as devices of a split room have them. The
 * weights are stored as the session wants them.
 * @throws SelfTestError with one sentence.
 */
export async function selfTest(
  create: (request: EngineRequest) => Promise<Engine>,
  weightStorage: WeightStorage = 'f32',
): Promise<void> {
  const model = { ...(await selfTestModel()), weightStorage };
  const answers = SELF_TEST_ANSWERS[weightStorage];
  const engine = await create(model);
  try {
    await engine.setParameters(model.parameters);
    const { layers } = model.shape;
    const stages = runsOf([1], layers).map((run) => ({ ...engine, part: partOf(run, layers) }));
    for (const pass of ['first', 'second', 'third', 'split']) {
      const tried = pass === 'split' ? splitEngine(stages) : engine;
      const { lossSum, gradient } = await lossAndGradient(tried, model.batch, layers, SELF_TEST_DROPOUT);
      const wrong = firstError(answers, lossSum, fingerprints(engine, gradient));
      if (wrong !== null)
        throw new SelfTestError(
          `${engine.backend} computes wrong numbers in the ${pass} pass of the self-test: ${wrong}.`,
        );
    }
  } finally {
    await engine.dispose();
  }
}

function firstError(answers: SelfTestAnswers, lossSum: number, got: ReadonlyMap<string, Fingerprint>): string | null {
  if (!(Math.abs(lossSum / answers.loss - 1) < TOLERANCE)) return `the loss is ${lossSum}, not ${answers.loss}`;
  for (const [name, want] of Object.entries(answers.gradients)) {
    const found = got.get(name);
    const error =
      found === undefined
        ? Number.NaN
        : Math.max(Math.abs(found.norm - want.norm), Math.abs(found.signed - want.signed) / 4) / want.norm;
    if (!(error < TOLERANCE)) return `the gradient of ${name} is off by ${Math.round(100 * error)} %`;
  }
  return null;
}
