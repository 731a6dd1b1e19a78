import { median } from '../../signaling/protocol/median.ts';
import type { Profile } from '../../signaling/protocol/profile.ts';
import type { ModelShape, SessionSettings, TrainingSettings } from '../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { Engine } from '../engine/engine.ts';
import { labelsForLoss, lossOf } from '../engine/loss.ts';
import { maxTokens } from '../model/config.ts';
import { deepestTrained } from '../model/layout.ts';

type UnitSeconds = Profile['secondsPerSample'];
type Seconds = Pick<Profile, 'overheadSeconds' | 'secondsPerSample'> & {
  /** Of a pass, whatever its samples, by unit. */
  readonly fixedSeconds: UnitSeconds;
};
type Speed = Seconds & Pick<Profile, 'flopsPerSecond'>;
/** With whether the machine had something else to do meanwhile. */
export type MeasuredSpeed = { readonly speed: Speed; readonly wasBusy: boolean };

/** Seconds that the whole measurement may take, about; and one that is made again, beside a session's rounds. */
const BUDGET_SECONDS = 2;
export const AGAIN_BUDGET_SECONDS = 1;
/** Warm-up ends after so many passes in a row that were no faster, or after this part of the time. */
const CALM_PASSES = 5;
const WARM_UP_PART = 0.4;
const FEWEST_REPETITIONS = 3;
const MOST_REPETITIONS = 7;
/** Beyond it more samples tell nothing new. */
const MOST_SAMPLES = 16;
/** Where passes usually take so many times as long as the quickest of their kind, something else wants the machine, too. */
const BUSY = 1.3;
/** Then it is measured for so many times as long. */
const PATIENCE_WHILE_BUSY = 2;

/** Measured seconds of passes: embeddings alone; with head and loss; with some layers forward, too; and backward. */
export interface PassSeconds {
  readonly embed: number;
  readonly head: number;
  readonly forward: number;
  readonly backward: number;
}

/**
 * Seconds of a pass with the real engine at the session's shapes. Each kind of pass ends with a read-back (loss, gradient), which waits
 * for whatever a device computes in the background; what a layer costs is the difference of two kinds, measured one after the other so
 * that they see the same machine. Medians of a few repetitions, with one sample and with as many as the time allows. The overhead is that of
 * `model`'s layers, of which the engine may have fewer.
 */
export async function measureSeconds(
  engine: Engine,
  { training, task }: Pick<SessionSettings, 'training' | 'task'>,
  model: { readonly layers: number; readonly deepest: number } = {
    layers: engine.shape.layers,
    deepest: deepestTrained(engine.layout),
  },
  { budgetSeconds = BUDGET_SECONDS, stop }: { readonly budgetSeconds?: number; readonly stop?: AbortSignal } = {},
): Promise<MeasuredSpeed> {
  const deepest = deepestTrained(engine.layout);
  const tokens = Math.min(task.roundTokens, maxTokens(engine.shape));
  // One for each label where a sample may have several: the loss is computed as in a round.
  const labels = labelsForLoss(lossOf(task, training), task.labelCount);
  const trial = (samples: number): TokenBatch => fullBatch(samples, tokens, labels);
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  const pass = (samples: number, layerCount: number, depth: number) => {
    stop?.throwIfAborted();
    return timePass(engine, training, trial(samples), layerCount, depth);
  };
  // The first passes compile kernels or graphs, and browsers go on to optimise the code that is hot; they are no measurement.
  await pass(1, 1, 0);
  let one = await pass(1, 1, 1);
  for (let calm = 0; calm < CALM_PASSES && elapsed() < WARM_UP_PART * budgetSeconds; ) {
    const again = await pass(1, 1, 1);
    calm = again < 0.9 * one ? 0 : calm + 1;
    one = Math.min(one, again);
  }

  // A repetition runs three kinds of passes at both sample counts, in about twice the time of the longest kind.
  const affordable = (budgetSeconds - elapsed()) / (2 * FEWEST_REPETITIONS * one);
  const samples = Math.max(1, Math.min(training.samplesPerRound, MOST_SAMPLES, Math.floor(affordable) - 1));
  // The last ones, which most orders go back through: what a layer costs is the mean over those with adapters and those without.
  const layerCount = Math.max(1, Math.min(deepest, Math.floor(affordable / (samples + 1))));
  const few: PassSeconds[] = [];
  const many: PassSeconds[] = [];
  const measure = async (count: number): Promise<PassSeconds> => ({
    embed: await timeEmbedding(engine, trial(count)),
    head: await pass(count, 0, 0),
    forward: await pass(count, layerCount, 0),
    backward: await pass(count, layerCount, layerCount),
  });
  const isWanted = (done: number): boolean => {
    if (done < FEWEST_REPETITIONS) return true;
    // What else runs leaves a quicker pass through sooner or later.
    const more = isScattered(few) || isScattered(many) ? PATIENCE_WHILE_BUSY : 1;
    return done < more * MOST_REPETITIONS && elapsed() < more * budgetSeconds;
  };
  for (let done = 0; isWanted(done); done++) {
    few.push(await measure(1));
    if (samples > 1) many.push(await measure(samples));
    // A device on which a single pass takes seconds is measured once.
    if (elapsed() > 2 * budgetSeconds) break;
  }
  const seconds = fitSeconds({ ...model, measured: layerCount, samples, few, many });
  const { forwardPerLayer, backwardPerLayer } = seconds.secondsPerSample;
  const flopsPerSecond = layerFlops(engine.shape, tokens) / (forwardPerLayer + backwardPerLayer);
  return { speed: { ...seconds, flopsPerSecond }, wasBusy: isScattered(few) || isScattered(many) };
}

/** Whether something else kept the machine busy: left alone, a device takes about as long for the same pass every time. */
function isScattered(passes: readonly PassSeconds[]): boolean {
  const whole = passes.map(({ backward }) => backward);
  return whole.length > 1 && median(whole) > BUSY * Math.min(...whole);
}

/**
 * The cost model's coefficients from repeated passes of 1 (`few`) and of `samples` (`many`, empty for 1) samples through `measured` of
 * `layers` layers. The slope over samples is what a sample costs; the rest is overhead, for all layers forward and half of the `deepest` (all unless given)
 * back.
 */
export function fitSeconds(input: {
  readonly layers: number;
  readonly deepest?: number;
  readonly measured: number;
  readonly samples: number;
  readonly few: readonly PassSeconds[];
  readonly many: readonly PassSeconds[];
}): Seconds {
  const { layers, deepest = layers, measured, samples, few, many } = input;
  const parts = (pass: PassSeconds) => {
    const perLayer = (pass.backward - pass.head) / measured;
    const forward = (pass.forward - pass.head) / measured;
    // Small passes among other programs' work: what the two take together is told better than where one ends.
    const forwardPerLayer = Math.min(MOST_FORWARD * perLayer, Math.max(LEAST_FORWARD * perLayer, forward));
    return {
      embed: pass.embed,
      head: pass.head - pass.embed,
      forwardPerLayer,
      backwardPerLayer: perLayer - forwardPerLayer,
    };
  };
  const least = (passes: readonly PassSeconds[], part: keyof ReturnType<typeof parts>) =>
    Math.max(LEAST_SECONDS, parts(quickest(passes))[part]);
  const perSample = (part: keyof ReturnType<typeof parts>) => {
    const one = least(few, part);
    if (samples === 1) return one;
    const all = least(many, part);
    // Between "all overhead", which noise can make of a small slope, and none.
    return Math.min(all / samples, Math.max(all / samples / 10, (all - one) / (samples - 1)));
  };
  const secondsPerSample = {
    embed: perSample('embed'),
    forwardPerLayer: perSample('forwardPerLayer'),
    backwardPerLayer: perSample('backwardPerLayer'),
    head: perSample('head'),
  };
  const fixed = (part: keyof UnitSeconds) => Math.max(0, least(few, part) - secondsPerSample[part]);
  const fixedSeconds = {
    embed: fixed('embed'),
    forwardPerLayer: fixed('forwardPerLayer'),
    backwardPerLayer: fixed('backwardPerLayer'),
    head: fixed('head'),
  };
  const { embed, head, forwardPerLayer, backwardPerLayer } = fixedSeconds;
  const overheadSeconds = embed + head + layers * forwardPerLayer + (deepest / 2) * backwardPerLayer;
  return { overheadSeconds, secondsPerSample, fixedSeconds };
}

/** The quickest pass of each kind. */
function quickest(passes: readonly PassSeconds[]): PassSeconds {
  const least = (kind: keyof PassSeconds): number => Math.min(...passes.map((pass) => pass[kind]));
  return { embed: least('embed'), head: least('head'), forward: least('forward'), backward: least('backward') };
}

/**
 * Useful floating-point operations of one layer on one sample of T tokens, forward and backward down to its input: twice the products
 * of rows with the four frozen matrices; of attention two products forward and four backward. What is small (adapters, norms) or only
 * done again (scores in the backward pass) does not count.
 */
export function layerFlops({ hiddenSize: c, ffnSize: f }: ModelShape, tokens: number): number {
  const matrices = 2 * tokens * (4 * c * c + 2 * c * f);
  const attention = 2 * tokens * tokens * c;
  return 2 * matrices + 6 * attention;
}

/** The forward part of what a layer takes both ways: their products are about as many, and engines do some again going back. */
const LEAST_FORWARD = 0.2;
const MOST_FORWARD = 0.75;

/** Nothing is free; a difference that noise made negative counts as this. */
const LEAST_SECONDS = 1e-6;

async function timeEmbedding(engine: Engine, batch: TokenBatch): Promise<number> {
  const pass = await engine.begin(batch, { saveFrom: engine.shape.layers, dropout: NO_DROPOUT });
  try {
    const start = performance.now();
    const hidden = await pass.embed();
    try {
      await hidden.read();
      return (performance.now() - start) / 1000;
    } finally {
      hidden.dispose();
    }
  } finally {
    pass.dispose();
  }
}

/** Seconds of a pass of `samples` through the embeddings, the last `layers` layers, head and loss, and backward through `depth` of them. */
async function timePass(
  engine: Engine,
  training: TrainingSettings,
  batch: TokenBatch,
  layers: number,
  depth: number,
): Promise<number> {
  const dropout = { probability: training.dropout, seed: training.seed, round: 1 };
  const to = engine.shape.layers;
  const start = performance.now();
  const pass = await engine.begin(batch, { saveFrom: to - depth, dropout });
  try {
    let hidden = await pass.embed();
    if (layers > 0) hidden = await pass.forward({ from: to - layers, to }, hidden);
    const { dHidden } = await pass.loss(hidden, { dHidden: depth > 0, headGradient: true });
    if (dHidden !== null) {
      const backward = pass.backward({ from: to - depth, to }, dHidden, true);
      let next = await backward.next();
      while (!next.done) next = await backward.next();
      next.value?.dispose();
    }
  } finally {
    pass.dispose();
  }
  return (performance.now() - start) / 1000;
}

const NO_DROPOUT = { probability: 0, seed: 0, round: 1 };

/** Samples without padding: the session's longest. */
function fullBatch(samples: number, tokens: number, labels: number): TokenBatch {
  return {
    ids: new Int32Array(samples * tokens).fill(3),
    lengths: new Int32Array(samples).fill(tokens),
    labels: new Float32Array(samples * labels),
    positions: Int32Array.from({ length: samples }, (_, i) => i),
    tokens,
  };
}
