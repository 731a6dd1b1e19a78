import type { Profile } from '../signaling/protocol/profile.ts';
import type { TrainingSettings } from '../signaling/protocol/settings.ts';
import type { Engine } from './engine/engine.ts';
import type { TokenBatch } from './rpc.ts';

type Seconds = Pick<Profile, 'overheadSeconds' | 'secondsPerSample'>;

/** Seconds that the whole measurement may take, about. */
const BUDGET_SECONDS = 2;
const REPETITIONS = 3;
/** Beyond it more samples tell nothing new. */
const MOST_SAMPLES = 16;

/** Seconds of a pass of `samples` through the embeddings, `layers` layers forward, head and loss, and `depth` of them backward. */
type TimedPass = (samples: number, layers: number, depth: number) => Promise<number>;

/**
 * Seconds of a pass with the real engine at the session's shapes. Each kind of pass ends with a read-back (loss, gradient), which waits
 * for whatever a device computes in the background; what a layer costs is the difference of two kinds. Medians of a few repetitions.
 */
export async function measureSeconds(engine: Engine, training: TrainingSettings): Promise<Seconds> {
  const { layers } = engine.shape;
  const tokens = Math.min(training.maxTokens, engine.shape.maxPositions - engine.shape.padTokenId - 1);
  const timed: TimedPass = (samples, layerCount, depth) =>
    timePass(engine, training, samples, tokens, layerCount, depth);
  const start = performance.now();
  // The first pass compiles kernels or graphs; it is not a measurement.
  await timed(1, 1, 1);
  const one = await timed(1, 1, 1);
  const left = BUDGET_SECONDS - (performance.now() - start) / 1000;
  // At each of the two sample counts three kinds of passes, which take about as long as two of the longest.
  const affordable = Math.max(1, Math.floor(left / (2 * REPETITIONS * one)) - 1);
  const samples = Math.min(training.samplesPerRound, MOST_SAMPLES, affordable);
  const layerCount = Math.max(1, Math.min(layers, Math.floor(affordable / samples)));

  const medians = async (count: number): Promise<PassSeconds> => {
    const expected = one * count * layerCount;
    return {
      embed: await median(() => timeEmbedding(engine, count, tokens), one),
      head: await median(() => timed(count, 0, 0), one),
      forward: await median(() => timed(count, layerCount, 0), expected),
      backward: await median(() => timed(count, layerCount, layerCount), expected),
    };
  };
  const few = await medians(1);
  return fitSeconds(layers, layerCount, samples, few, samples === 1 ? few : await medians(samples));
}

/** Measured seconds of passes: embeddings alone; with head and loss; with some layers forward, too; and backward. */
export interface PassSeconds {
  readonly embed: number;
  readonly head: number;
  readonly forward: number;
  readonly backward: number;
}

/**
 * The cost model's coefficients from passes of 1 and of `samples` samples through `measured` of `layers` layers: the slope over samples
 * is what a sample costs, the rest is overhead, for half of the layers backward.
 */
export function fitSeconds(
  layers: number,
  measured: number,
  samples: number,
  one: PassSeconds,
  many: PassSeconds,
): Seconds {
  const parts = (pass: PassSeconds) => ({
    embed: pass.embed,
    head: Math.max(0, pass.head - pass.embed),
    forwardPerLayer: Math.max(0, pass.forward - pass.head) / measured,
    backwardPerLayer: Math.max(0, pass.backward - pass.forward) / measured,
  });
  const [a, b] = [parts(one), parts(many)];
  const slope = (part: keyof typeof a) => (samples === 1 ? a[part] : Math.max(0, (b[part] - a[part]) / (samples - 1)));
  const secondsPerSample = {
    embed: slope('embed'),
    forwardPerLayer: slope('forwardPerLayer'),
    backwardPerLayer: slope('backwardPerLayer'),
    head: slope('head'),
  };
  const fixed = (part: keyof typeof a) => Math.max(0, a[part] - secondsPerSample[part]);
  const overheadSeconds =
    fixed('embed') + fixed('head') + layers * fixed('forwardPerLayer') + (layers / 2) * fixed('backwardPerLayer');
  return { overheadSeconds, secondsPerSample };
}

/** Median of a few repetitions; of one where a single one is expected to be slow. */
async function median(measure: () => Promise<number>, expectedSeconds: number): Promise<number> {
  const seconds: number[] = [];
  for (let i = 0; i < (expectedSeconds > BUDGET_SECONDS / 4 ? 1 : REPETITIONS); i++) seconds.push(await measure());
  return seconds.sort((a, b) => a - b)[Math.floor(seconds.length / 2)]!;
}

async function timeEmbedding(engine: Engine, samples: number, tokens: number): Promise<number> {
  const pass = await engine.begin(fullBatch(samples, tokens), { saveFrom: engine.shape.layers, dropout: NO_DROPOUT });
  const start = performance.now();
  const hidden = await pass.embed();
  await hidden.read();
  const seconds = (performance.now() - start) / 1000;
  hidden.dispose();
  pass.dispose();
  return seconds;
}

async function timePass(
  engine: Engine,
  training: TrainingSettings,
  samples: number,
  tokens: number,
  layers: number,
  depth: number,
): Promise<number> {
  const dropout = { probability: training.dropout, seed: training.seed, round: 1 };
  const start = performance.now();
  const pass = await engine.begin(fullBatch(samples, tokens), { saveFrom: layers - depth, dropout });
  let hidden = await pass.embed();
  if (layers > 0) hidden = await pass.forward({ from: 0, to: layers }, hidden);
  const { dHidden } = await pass.loss(hidden, { dHidden: depth > 0, headGradient: true });
  if (dHidden !== null) {
    const backward = pass.backward({ from: layers - depth, to: layers }, dHidden, true);
    let next = await backward.next();
    while (!next.done) next = await backward.next();
    next.value?.dispose();
  }
  pass.dispose();
  return (performance.now() - start) / 1000;
}

const NO_DROPOUT = { probability: 0, seed: 0, round: 1 };

/** Samples without padding: the session's longest. */
function fullBatch(samples: number, tokens: number): TokenBatch {
  return {
    ids: new Int32Array(samples * tokens).fill(3),
    lengths: new Int32Array(samples).fill(tokens),
    labels: new Float32Array(samples),
    positions: Int32Array.from({ length: samples }, (_, i) => i),
    tokens,
  };
}
