/**
 * How far two honest devices are apart: the difference (`web/session/rounds/audits/compare.ts`) of every block's gradient, and of the
 * loss, between every pair of engines, for each storage of the frozen weights:
 *
 *     npx tsx test/bench/audits/engine-pairs.ts [--draws 60] [--weights f32|f16|int8] [--models 'roberta-mini'|odd|'twelve layers']
 *       [--out test/fixtures/engine-pairs.json] && npx biome check --write test/fixtures/engine-pairs.json
 *
 * Draws are orders: samples of a round, dropout at 0.1, micro-batches of another size on each engine. Of roberta-mini they are taken along
 * a training, from fresh adapters to where its gradients have all but vanished; of small odd models, and of a deep one that bears rounding badly, at random parameters and weights. WebGPU is
 * Dawn on whatever driver is here; with f16 weights it computes in half precision where the driver has it. The file has for each pair
 * the sorted differences at evenly spaced ranks, the least and the greatest among them: tests draw from these, and the tolerances
 * (`tolerance.ts`) are held against them. `cuts` has the same of what a stage sends: the model is cut in the middle, the lower half goes up from
 * the token ids, the upper one down from what the first engine's lower half sent, so that each answers for its own inputs.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Block } from '../../../signaling/protocol/round.ts';
import { PLAIN_TRAINING, WEIGHT_STORAGES, type WeightStorage } from '../../../signaling/protocol/settings.ts';
import { type UnitRun, unitCount } from '../../../signaling/protocol/split.ts';
import {
  type Difference,
  differenceOf,
  lossDifference,
  type Products,
  productsOf,
} from '../../../web/session/rounds/audits/compare.ts';
import { toleranceFor } from '../../../web/session/rounds/audits/tolerance.ts';
import type { TokenBatch } from '../../../worker/api/batch.ts';
import { randomModel, randomValues } from '../../../worker/check/random-model.ts';
import type { Engine, EngineRequest } from '../../../worker/engine/engine.ts';
import { lossOf } from '../../../worker/engine/loss.ts';
import { createOnnxEngine } from '../../../worker/engine/onnx/engine.ts';
import { createReferenceEngine } from '../../../worker/engine/reference/engine.ts';
import { createWebGpuEngine } from '../../../worker/engine/webgpu/engine.ts';
import { Host } from '../../../worker/host/host.ts';
import { runStage } from '../../../worker/learn/stage.ts';
import { runOrder } from '../../../worker/learn/trainer.ts';
import { modelFiles } from '../../../worker/model/open-model.ts';
import { openFileOrHttp } from '../../../worker/node/file-source.ts';
import { installNodeWebGpu } from '../../../worker/node/node-webgpu.ts';
import { ODD_MODELS } from '../../engine/odd-models.ts';

const { values: options } = parseArgs({
  options: {
    draws: { type: 'string', default: '60' },
    weights: { type: 'string' },
    models: { type: 'string' },
    out: { type: 'string' },
  },
});
const DRAWS = Number(options.draws);
/** Rounds of the training after which roberta-mini is drawn from. */
const ROUNDS = [0, 2, 5, 12, 25, 50, 100, 200, 400];
/** As many layers as roberta-base has, in a width that a driver in software can take. */
const DEEP = { layers: 12, hiddenSize: 192, heads: 6, ffnSize: 384, tokens: 24, samples: 4, rank: 8 };
const RANKS = 65;
const PROBABILITY = 0.1;

interface Computed {
  readonly gradients: ReadonlyMap<Block, Float32Array>;
  readonly loss: number;
}

/** What one pair said of one order. */
interface Draw {
  readonly storage: WeightStorage;
  readonly pair: string;
  readonly model: string;
  readonly round: number;
  readonly samples: number;
  readonly blocks: readonly (Products & { readonly block: Block })[];
  /** Hidden states up and their gradient down. */
  readonly cuts: readonly Products[];
  readonly losses: readonly [number, number];
}

const draws: Draw[] = [];
const webgpu = await installNodeWebGpu();
if (webgpu.absent !== null) throw new Error(webgpu.absent);

async function compute(engine: Engine, batch: TokenBatch, microBatch: number, round: number): Promise<Computed> {
  const { layers } = engine.layout;
  const trained = layers.flatMap(({ length }, i) => (length > 0 ? [i] : []));
  const gradients = new Map<Block, Float32Array>();
  const dropout = { probability: PROBABILITY, seed: 11 };
  const order = { round, batch, layers: trained, head: true, microBatch, dropout };
  let loss = Number.NaN;
  for await (const part of runOrder(engine, order, async () => undefined))
    if (part.kind === 'gradient') gradients.set(part.block, part.gradient);
    else loss = part.lossSum;
  return { gradients, loss };
}

/** What a stage sends in a round, micro-batches of `size` samples one after the other; `input` is what it is sent. */
async function sent(
  engine: Engine,
  batch: TokenBatch,
  run: UnitRun,
  { size, round, input }: { readonly size: number; readonly round: number; readonly input: Float32Array | null },
): Promise<Float32Array> {
  const { lengths, tokens } = batch;
  const samples = lengths.length;
  const { layers, hiddenSize } = engine.shape;
  const microBatchSizes = Array.from({ length: Math.ceil(samples / size) }, (_, j) =>
    Math.min(size, samples - j * size),
  );
  const head = run.to === unitCount(layers);
  let at = 0;
  const inputs = microBatchSizes.map((count, j) => {
    const rows = lengths
      .subarray(j * size, j * size + count)
      .reduce((sum, length) => sum + Math.min(Math.max(1, length), tokens), 0);
    at += rows * hiddenSize;
    return input?.slice(at - rows * hiddenSize, at) ?? new Float32Array();
  });
  const order = {
    ...{ round, run, head, layers: [], lowest: 0, microBatchSizes, window: 1, recompute: false, ...batch },
    ids: run.from === 0 ? batch.ids : null,
    // What goes up does not need what comes down: the lower half is not asked to go backward.
    ...(head ? {} : { lowest: layers }),
    dropout: { probability: PROBABILITY, seed: 11 },
  };
  const made: Float32Array[] = [];
  const take = async (_: string, j: number): Promise<Float32Array> => inputs[j] ?? new Float32Array();
  for await (const part of runStage(engine, order, { take }, async () => undefined))
    if (part.kind === 'hidden' || part.kind === 'dHidden') made[part.microBatch] = part.values;
  const all = new Float32Array(made.reduce((sum, { length }) => sum + length, 0));
  let to = 0;
  for (const values of made) {
    all.set(values, to);
    to += values.length;
  }
  return all;
}

/** What every engine's halves of the model send. */
async function cutsOf(engines: readonly Named[], batch: TokenBatch, round: number): Promise<readonly Float32Array[][]> {
  const samples = batch.lengths.length;
  const sizes = engines.map((_, i) => Math.max(1, samples >> i));
  const ups: Float32Array[] = [];
  const downs: Float32Array[] = [];
  for (const [i, { engine }] of engines.entries()) {
    const units = unitCount(engine.shape.layers);
    const lower = { from: 0, to: Math.max(2, units >> 1) };
    ups.push(await sent(engine, batch, lower, { size: sizes[i], round, input: null }));
    const upper = { from: lower.to, to: units };
    downs.push(await sent(engine, batch, upper, { size: sizes[i], round, input: ups[0] }));
  }
  return engines.map((_, i) => [ups[i], downs[i]]);
}

interface Named {
  readonly name: string;
  readonly engine: Engine;
}

async function enginesFor(request: EngineRequest): Promise<readonly Named[]> {
  const named: Named[] = [
    { name: 'reference', engine: await createReferenceEngine(request) },
    { name: 'onnx', engine: await createOnnxEngine(request, 'wasm') },
  ];
  try {
    const engine = await createWebGpuEngine(request);
    named.push({ name: engine.backend.includes('half precision') ? 'webgpu half' : 'webgpu', engine });
  } catch (error) {
    // Its kernels do not take every width.
    if (!(error instanceof RangeError)) throw error;
  }
  return named;
}

async function draw(
  engines: readonly Named[],
  about: Pick<Draw, 'storage' | 'model' | 'round'>,
  parameters: Float32Array,
  batch: TokenBatch,
): Promise<void> {
  const samples = batch.lengths.length;
  const computed: Computed[] = [];
  for (const [i, { engine }] of engines.entries()) {
    await engine.setParameters(parameters);
    computed.push(await compute(engine, batch, Math.max(1, samples >> i), about.round + 1));
  }
  const cuts = await cutsOf(engines, batch, about.round + 1);
  for (let i = 0; i < engines.length; i++)
    for (let j = i + 1; j < engines.length; j++) {
      const [a, b] = [computed[i], computed[j]];
      const blocks = [...a.gradients].map(([block, gradient]) => {
        const other = b.gradients.get(block);
        if (other === undefined) throw new Error(`One engine gave no gradient of block ${block}.`);
        return { block, ...productsOf(gradient, other) };
      });
      const pair = `${engines[i].name}, ${engines[j].name}`;
      const sentOf = cuts[i].map((values, way) => productsOf(values, cuts[j][way]));
      draws.push({ ...about, samples, pair, blocks, cuts: sentOf, losses: [a.loss, b.loss] });
    }
}

const rows = (batch: TokenBatch, count: number): TokenBatch => ({
  ids: batch.ids.subarray(0, count * batch.tokens),
  lengths: batch.lengths.subarray(0, count),
  labels: batch.labels.subarray(0, (count * batch.labels.length) / batch.lengths.length),
  positions: batch.positions.subarray(0, count),
  tokens: batch.tokens,
});

async function mini(storage: WeightStorage): Promise<void> {
  const origin = new URL('../../../', import.meta.url).href;
  const model = { kind: 'embedded', id: 'roberta-mini' } as const;
  const training = {
    ...PLAIN_TRAINING,
    ...{ rounds: 500, samplesPerRound: 16, maxTokens: 64, learningRate: 3e-3, weightDecay: 0.01 },
    ...{ warmupFraction: 0.05, dropout: PROBABILITY, evaluateEvery: 0, seed: 7 },
  };
  const host = new Host(openFileOrHttp, null);
  const lora = { rank: 8, alpha: 16, targets: ['query', 'value'] } as const;
  const opened = await host.open({
    ...{ model, weights: storage, task: { id: 'grammar', endpoint: origin }, training, origin },
    lora: { ...lora, targets: [...lora.targets] },
  });
  const weights = await modelFiles(openFileOrHttp, null, model, origin).weights();
  const engines = await enginesFor({
    ...{ shape: opened.shape, lora: opened.lora, labelCount: opened.task.labelCount, weights },
    ...{ weightStorage: storage, withDropout: true, loss: lossOf(opened.task, opened.training) },
  });
  const trainer = engines.find(({ name }) => name === 'onnx');
  if (trainer === undefined) throw new Error('There is nothing to train with.');
  for (let round = 0; round <= Math.max(...ROUNDS); round++) {
    const { values } = await host.parameters();
    if (ROUNDS.includes(round)) {
      for (let i = 0; i < Math.max(1, DRAWS / ROUNDS.length); i++) {
        const count = [1, 2, 4, 8, 16][(i + round) % 5];
        await draw(
          engines,
          { storage, model: 'roberta-mini', round },
          values,
          rows(await host.roundBatch(round + 1 + 37 * i), count),
        );
      }
      console.error(`${storage}: roberta-mini after round ${round}`);
    }
    const batch = await host.roundBatch(round + 1);
    await trainer.engine.setParameters(values);
    const { gradients, loss } = await compute(trainer.engine, batch, 16, round + 1);
    const samples = batch.lengths.length;
    const parts = [...gradients].map(([block, gradient]) => ({
      block,
      samples: { start: 0, count: samples },
      gradient,
    }));
    const stepped = await host.step({ round: round + 1, samples, parts, lossSum: loss });
    if (stepped.kind !== 'stepped') throw new Error('Training was not finite.');
  }
  for (const { engine } of engines) await engine.dispose();
}

async function random(storage: WeightStorage, models: typeof ODD_MODELS, seeds: number): Promise<void> {
  for (const [name, model] of Object.entries(models)) {
    for (let seed = 1; seed <= seeds; seed++) {
      const request = { ...(await randomModel({ ...model, seed })), weightStorage: storage };
      const engines = await enginesFor(request);
      for (const [round, deviation] of [0.05, 0.4].entries()) {
        const parameters = randomValues(request.parameters.length, 40 + seed, deviation);
        await draw(engines, { storage, model: name, round }, parameters, request.batch);
      }
      for (const { engine } of engines) await engine.dispose();
    }
    console.error(`${storage}: ${name}`);
  }
}

const storages = WEIGHT_STORAGES.filter((one) => options.weights === undefined || one === options.weights);
const kinds = (['roberta-mini', 'odd', 'twelve layers'] as const).filter(
  (one) => options.models === undefined || one === options.models,
);
for (const storage of storages) {
  if (kinds.includes('roberta-mini')) await mini(storage);
  if (kinds.includes('odd')) await random(storage, ODD_MODELS, Math.max(1, DRAWS / 20));
  if (kinds.includes('twelve layers')) await random(storage, { 'twelve layers': DEEP }, Math.max(1, DRAWS / 8));
}

const ranked = (values: readonly number[]): readonly number[] => {
  const sorted = [...values].sort((a, b) => a - b);
  return Array.from({ length: RANKS }, (_, i) =>
    Number(sorted[Math.round((i * (sorted.length - 1)) / (RANKS - 1))].toPrecision(3)),
  );
};

const kindOf = ({ model }: Draw) => kinds.find((kind) => kind === model) ?? 'odd';
const pairs = storages.flatMap((storage) =>
  kinds.flatMap((models) => {
    const all = draws.filter((d) => d.storage === storage && kindOf(d) === models);
    return [...new Set(all.map(({ pair }) => pair))].map((pair) => {
      const own = all.filter((d) => d.pair === pair);
      const differences: readonly Difference[] = own.flatMap(({ blocks }) => blocks.map((p) => differenceOf(p, 0)));
      const sentBy: readonly Difference[] = own.flatMap(({ cuts }) => cuts.map((p) => differenceOf(p, 0)));
      const losses = own.map(({ losses: [a, b], samples }) =>
        lossDifference(a, b, samples, toleranceFor(storage, []).leastLoss),
      );
      return {
        ...{ weights: storage, models, pair, orders: own.length, blocks: differences.length },
        distance: ranked(differences.map(({ distance }) => distance)),
        stretch: ranked(differences.map(({ stretch }) => stretch)),
        loss: ranked(losses),
        cuts: {
          orders: own.length,
          distance: ranked(sentBy.map(({ distance }) => distance)),
          stretch: ranked(sentBy.map(({ stretch }) => stretch)),
        },
      };
    });
  }),
);
/** One pair a line, those of others as they were. */
function written(file: string): string {
  const before: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  const kept = Array.isArray(before)
    ? before.filter(({ weights, models }) => !(storages.includes(weights) && kinds.includes(models)))
    : [];
  return `[\n${[...kept, ...pairs].map((pair) => JSON.stringify(pair)).join(',\n')}\n]\n`;
}
if (options.out === undefined) console.log(JSON.stringify(pairs, null, 1));
else writeFileSync(resolve(options.out), written(resolve(options.out)));
webgpu.release();
process.exit(0);
