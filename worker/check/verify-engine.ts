import { fromHalf, toHalf } from '../../signaling/protocol/exchange/half.ts';
import { median } from '../../signaling/protocol/median.ts';
import type { Engine, EnginePrecision } from '../engine/engine.ts';
import { createReferenceEngine, type Store } from '../engine/reference/engine.ts';
import { adamWStep, createAdamWState } from '../learn/optimiser.ts';
import type { ParameterLayout } from '../model/layout.ts';
import { checkGolden, FULL_LIMIT, type GoldenErrors, relativeError, tensorErrors, tensorKind } from './golden-check.ts';
import type { GoldenCase } from './golden-file.ts';
import { lossAndGradient } from './loss-and-gradient.ts';

export interface EngineErrors extends GoldenErrors {
  /** Of the gradients at the golden file's parameters with dropout, where the plain reference takes PyTorch's place. */
  readonly dropout: number;
}

/** Every error beside the most that it may be. */
export interface EngineCheck {
  readonly errors: EngineErrors;
  readonly limits: EngineErrors;
  readonly ok: boolean;
}

/** Of full precision with dropout: a mask or a scale that is wrong is off by far more, and models differ in how far they carry rounding. */
const DROPOUT_LIMIT = 5e-3;
/** So many times the largest error of the rounded references are allowed to half precision. */
export const HALF_FACTOR = 4;
/** Spacing of binary16 at 1: no yardstick is shorter. */
const HALF_SPACING = 2 ** -10;
/** Of the rounded references: one rounds to the nearest, as engines do, the others by chance, since one's errors may cancel. */
const ROUNDED = 3;
/** A tensor that rounding alone puts further off in a step says nothing about an engine in that step. */
const SAYS_NOTHING = 0.1;

const NO_DROPOUT = { probability: 0, seed: 0, round: 1 };
const DROPOUT = { probability: 0.25, seed: 11, round: 4 };

/**
 * Compares an engine, made from `golden` with dropout, with PyTorch.
 *
 * In full precision every error has one limit, and the engine trains on its own: its loss curve is PyTorch's.
 *
 * In half precision no fixed limit means anything: rounding alone puts a gradient off by 1e-3 in one model and by 1e-2 in another, and AdamW,
 * whose first steps follow little but signs, carries that along the curve. So plain references run beside the engine, one exact, others with
 * weights and activations rounded where the engine rounds them. All are asked at the parameters of the exact one, step after step. The
 * engine must be no further from PyTorch (logits, loss and gradients of the first step, every loss) and from the exact reference (later
 * gradients) than `HALF_FACTOR` times the rounded ones are, tensor by tensor and step by step. That all but the rounding is right is then seen
 * at 1e-3 or so: a gradient that is 5 % too long fails.
 */
export async function verifyEngine(
  engine: Engine,
  golden: GoldenCase,
  precision: EnginePrecision,
): Promise<EngineCheck> {
  const exact = await createReferenceEngine({ ...golden, withDropout: true });
  if (precision === 'half') return verifyHalf(engine, golden, exact);
  const errors = await checkGolden(engine, golden);
  const [want, got] = await together([exact, engine], golden, golden.parameters, DROPOUT);
  const dropout = Math.max(...tensorErrors(golden.layout, got.gradient, want.gradient).values());
  const gradients = new Map([...errors.gradients.keys()].map((kind) => [kind, FULL_LIMIT]));
  const limits = { logits: FULL_LIMIT, loss: FULL_LIMIT, gradients, lossCurve: FULL_LIMIT, dropout: DROPOUT_LIMIT };
  return verdict({ ...errors, dropout }, limits);
}

async function verifyHalf(engine: Engine, golden: GoldenCase, exact: Engine): Promise<EngineCheck> {
  const { layout, expected } = golden;
  const samples = golden.batch.lengths.length;
  const request = { ...golden, withDropout: true, weightStorage: 'f16' } as const;
  const rounded = await Promise.all(
    Array.from({ length: ROUNDED }, (_, seed) => createReferenceEngine(request, halfStore(seed))),
  );
  const parameters = golden.parameters.slice();
  const state = createAdamWState(layout.length);
  const logits: Pair[] = [];
  const losses: Pair[] = [];
  const gradients = new Map<string, Pair[]>();
  for (const [step, wantLoss] of expected.losses.entries()) {
    const [want, got, ...near] = await together([exact, engine, ...rounded], golden, parameters, NO_DROPOUT);
    const first = step === 0;
    const mean = want.gradient.map((value) => value / samples);
    if (first)
      logits.push({
        error: relativeError(got.logits, expected.logits),
        yardstick: Math.max(...near.map((one) => relativeError(one.logits, want.logits))),
      });
    losses.push({
      error: Math.abs(got.lossSum / samples / wantLoss - 1),
      yardstick: Math.max(...near.map((one) => Math.abs(one.lossSum / want.lossSum - 1))),
    });
    const gotMean = got.gradient.map((value) => value / samples);
    const errors = tensorErrors(layout, gotMean, first ? expected.gradient : mean);
    for (const [name, pair] of paired(layout, errors, near, want)) {
      gradients.set(name, [...(gradients.get(name) ?? []), pair]);
    }
    adamWStep(parameters, mean, state, { learningRate: golden.learningRate, weightDecay: golden.weightDecay });
  }
  const [want, got, ...near] = await together([exact, engine, ...rounded], golden, golden.parameters, DROPOUT);
  const dropped = [...paired(layout, tensorErrors(layout, got.gradient, want.gradient), near, want).values()];

  const ofKind = new Map<string, Limited[]>();
  for (const [name, pairs] of gradients) {
    const kind = tensorKind(name);
    ofKind.set(kind, [...(ofKind.get(kind) ?? []), limited(pairs)]);
  }
  const rows = {
    logits: limited(logits),
    loss: limited(losses.slice(0, 1)),
    gradients: new Map([...ofKind].map(([kind, tensors]) => [kind, worstOf(tensors)])),
    lossCurve: limited(losses),
    dropout: worstOf(dropped.map((pair) => limited([pair]))),
  };
  const side = (of: 'error' | 'limit'): EngineErrors => ({
    logits: rows.logits[of],
    loss: rows.loss[of],
    gradients: new Map([...rows.gradients].map(([kind, row]) => [kind, row[of]])),
    lossCurve: rows.lossCurve[of],
    dropout: rows.dropout[of],
  });
  return verdict(side('error'), side('limit'));
}

/** The engine's error, and the largest of the rounded references', at one step. */
interface Pair {
  readonly error: number;
  readonly yardstick: number;
}

interface Limited {
  readonly error: number;
  readonly limit: number;
}

/**
 * Of several steps the one that comes nearest to its limit. A step's yardstick is at least what is usual over the steps; steps that say
 * nothing are left out, but for the one that says most where all are.
 */
function limited(steps: readonly Pair[]): Limited {
  const usual = median(steps.map(({ yardstick }) => yardstick));
  const telling = steps.filter(({ yardstick }) => yardstick <= SAYS_NOTHING);
  const most = steps.reduce((a, b) => (b.yardstick < a.yardstick ? b : a));
  return worstOf(
    (telling.length > 0 ? telling : [most]).map(({ error, yardstick }) => ({
      error,
      limit: HALF_FACTOR * Math.max(HALF_SPACING, Math.min(usual, SAYS_NOTHING), yardstick),
    })),
  );
}

function worstOf(some: readonly Limited[]): Limited {
  // An error that is not a number is the worst there is.
  return some.reduce((a, b) => (a.error / a.limit >= b.error / b.limit || Number.isNaN(a.error) ? a : b));
}

type Answer = Awaited<ReturnType<typeof lossAndGradient>>;

/** What each engine computes at the same parameters; there are at least two. */
async function together(
  engines: readonly Engine[],
  { batch, shape }: GoldenCase,
  parameters: Float32Array,
  dropout: typeof DROPOUT,
): Promise<readonly [Answer, Answer, ...Answer[]]> {
  const ask = async (engine: Engine): Promise<Answer> => {
    await engine.setParameters(parameters);
    return lossAndGradient(engine, batch, shape.layers, dropout);
  };
  const [first, second, ...rest] = engines;
  const answers: [Answer, Answer, ...Answer[]] = [await ask(first!), await ask(second!)];
  for (const engine of rest) answers.push(await ask(engine));
  return answers;
}

/** An engine's errors by tensor beside the largest of the rounded references'. */
function paired(
  layout: ParameterLayout,
  errors: ReadonlyMap<string, number>,
  near: readonly Answer[],
  want: Answer,
): Map<string, Pair> {
  const yardsticks = near.map((one) => tensorErrors(layout, one.gradient, want.gradient));
  return new Map(
    [...errors].map(([name, error]) => [
      name,
      { error, yardstick: Math.max(...yardsticks.map((one) => one.get(name)!)) },
    ]),
  );
}

/** Rounds to binary16: to the nearest with seed 0, else up or down by chance, the likelier the nearer. */
function halfStore(seed: number): Store {
  let state = seed;
  // A linear congruential generator (Numerical Recipes); its upper bits are good enough to round by.
  const chance = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  // The distance to the next binary16: values are normal up to 65,504 and at least 2^-14, below that multiples of 2^-24.
  const spacing = (x: number) => 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(x)))) - 10);
  return ({ data, ...size }) => {
    const values = Float32Array.from(data, (x) => (seed === 0 || x === 0 ? x : x + chance() * spacing(x)));
    return { ...size, data: Float64Array.from(fromHalf(toHalf(values))) };
  };
}

function verdict(errors: EngineErrors, limits: EngineErrors): EngineCheck {
  // Written so that NaN fails.
  const ok =
    errors.logits <= limits.logits &&
    errors.loss <= limits.loss &&
    [...errors.gradients].every(([kind, error]) => error <= limits.gradients.get(kind)!) &&
    errors.lossCurve <= limits.lossCurve &&
    errors.dropout <= limits.dropout;
  return { errors, limits, ok };
}
