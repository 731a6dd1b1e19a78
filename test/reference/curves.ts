import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { rounded } from '../../signaling/protocol/exchange/upload-codec.ts';
import { UPLOADS, type Uploads } from '../../signaling/protocol/settings.ts';
import { recipeFor } from '../../signaling/protocol/words/recipes.ts';
import { productsOf } from '../../web/session/rounds/audits/compare.ts';
import { samplesOf } from '../../web/session/rounds/run-round.ts';
import type { GradientPart } from '../../worker/api/batch.ts';
import type { HostRequest } from '../../worker/api/host-api.ts';
import { ENGINES, type EngineKind } from '../../worker/device/engines.ts';
import type { Engine } from '../../worker/engine/engine.ts';
import { bytesSource } from '../../worker/files/byte-source.ts';
import { Host } from '../../worker/host/host.ts';
import { evaluateBatch, runOrder } from '../../worker/learn/trainer.ts';
import { openWeights } from '../../worker/model/weights.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { installNodeWebGpu } from '../../worker/node/node-webgpu.ts';

/**
 * How long the loss curve of devices with different engines, one of which is lost every so often, is the curve of one device.
 *
 *     npx tsx test/reference/curves.ts [--task grammar] [--rounds N] [--stop N] [--rate X] [--clip X] [--lose 20] [--engines A,B,C] [--uploads U] [--one FILE]
 *
 * The embedded model learns twice by the task's recipe, from the same parameters and on the same batches: on one device (WASM), and on three.
 * There the first takes half of a round's samples with all blocks, the second and the third share the blocks of the other half. Every
 * `--lose` rounds the second or the third, in turn, is gone in the middle of a round: its part is computed again by the first,
 * which has its blocks until the device is back after as many rounds. Everything but the links is what runs in a room.
 *
 * `--uploads` f16 or int8 rounds what the three send, and what the optimiser takes of it, as a session does that chose so; the one device is exact
 * all the same. *rounding* is then how far the gradients that were sent are from what they were, over their length, in the mean of all rounds.
 *
 * `--one` keeps what the one device came to in a file, and takes it from there the next time.
 *
 * `--stop` ends early, the schedule being that of `--rounds`. Prints one JSON object: the scores of both in the end, and for the first 20, 50, 100 rounds
 * and so on the largest relative difference of the loss, and in which round it was first above 1e-5 and 1e-4.
 */
const { values: option } = parseArgs({
  options: {
    task: { type: 'string', default: 'grammar' },
    hub: { type: 'string', default: '../shared/hub' },
    rounds: { type: 'string' },
    stop: { type: 'string' },
    rate: { type: 'string' },
    clip: { type: 'string' },
    lose: { type: 'string', default: '20' },
    engines: { type: 'string', default: 'onnx-wasm,webgpu,onnx-wasm' },
    seed: { type: 'string', default: '1' },
    uploads: { type: 'string', default: 'f32' },
    one: { type: 'string' },
  },
});
const asked = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : Number(text));
const recipe = recipeFor(option.task, 'mini');
const request: HostRequest = {
  model: { kind: 'embedded', id: 'roberta-mini' },
  weights: 'f32',
  task: { id: option.task, endpoint: new URL(`${option.hub}/`, `file://${process.cwd()}/`).href },
  lora: recipe.lora,
  training: {
    ...recipe.training,
    rounds: asked(option.rounds, recipe.training.rounds),
    learningRate: asked(option.rate, recipe.training.learningRate),
    maxGradientNorm: asked(option.clip, recipe.training.maxGradientNorm),
    evaluateEvery: 0,
    seed: Number(option.seed),
  },
  origin: new URL('../../', import.meta.url).href,
};
const uploads = UPLOADS.find((one) => one === option.uploads);
if (uploads === undefined) throw new Error(`--uploads takes ${UPLOADS.join(', ')}.`);
const { rounds, samplesPerRound, learningRate, maxGradientNorm, dropout, seed } = request.training;
const stop = asked(option.stop, rounds);
const loseEvery = Number(option.lose);
const weights = await openWeights(
  bytesSource(readFileSync(new URL('../../models/roberta-mini/model.safetensors', import.meta.url))),
);
const noPause = async () => {};

/** What one device computes in a round. */
interface Work {
  readonly engine: Engine;
  readonly layers: readonly number[];
  readonly head: boolean;
  readonly start: number;
  readonly count: number;
}

interface Learnt {
  readonly losses: readonly number[];
  readonly scores: readonly number[];
  readonly rounding: number;
}

type Deal = (round: number, samples: number, layers: readonly number[]) => readonly Work[];

const alone =
  (engine: Engine): Deal =>
  (_, samples, layers) => [{ engine, layers, head: true, start: 0, count: samples }];

/** Lost in round `lose`, 3 `lose`, ...: the second device, back after `lose` rounds; in 2 `lose`, 4 `lose`, ...: the third. */
const withLosses =
  ([first, second, third]: readonly Engine[]): Deal =>
  (round, samples, layers) => {
    const gone = loseEvery > 0 ? Math.floor(round / loseEvery) : 0;
    const half = samples >> 1;
    const border = layers.length >> 1;
    const rest = { start: half, count: samples - half };
    return [
      { engine: first!, layers, head: true, start: 0, count: half },
      { engine: gone % 2 === 1 ? first! : second!, layers: layers.slice(border), head: true, ...rest },
      { engine: gone > 0 && gone % 2 === 0 ? first! : third!, layers: layers.slice(0, border), head: false, ...rest },
    ];
  };

async function learn(deal: Deal, uploads: Uploads): Promise<Learnt> {
  const host = new Host(openFileOrHttp);
  const { shape, task } = await host.open({ ...request, training: { ...request.training, uploads } });
  const roundings: number[] = [];
  const layers = Array.from({ length: shape.layers }, (_, layer) => layer);
  const [losses, scores]: [number[], number[]] = [[], []];
  const score = async () => {
    const [{ engine }] = deal(0, samplesPerRound, layers) as [Work];
    await engine.setParameters((await host.parameters()).values);
    const logits: number[] = [];
    for (let start = 0; start < task.devExamples; start += 64) {
      const batch = await host.devBatch(start, Math.min(64, task.devExamples - start));
      logits.push(...(await evaluateBatch(engine, batch, 64, noPause)));
    }
    scores.push((await host.scoreDev(Float32Array.from(logits))).value);
  };
  for (let round = 1; round <= stop; round++) {
    const { values } = await host.parameters();
    const batch = await host.roundBatch(round);
    const samples = batch.lengths.length;
    const parts: GradientPart[] = [];
    let lossSum = 0;
    for (const { engine, layers: owned, head, start, count } of deal(round, samples, layers)) {
      await engine.setParameters(values);
      const order = {
        ...{ round, layers: owned, head, microBatch: count, batch: samplesOf(batch, start, count) },
        dropout: { probability: dropout, seed },
      };
      for await (const part of runOrder(engine, order, noPause)) {
        if (part.kind === 'gradient') {
          const { block } = part;
          const gradient = rounded(part.gradient, uploads, { seed, round, block, position: order.batch.positions[0]! });
          const { bb, apart } = productsOf(gradient, part.gradient);
          if (bb > 0) roundings.push(Math.sqrt(apart / bb));
          parts.push({ block, gradient, samples: { start, count } });
        } else if (head) lossSum += part.lossSum;
      }
    }
    const stepped = await host.step({ round, samples, parts, lossSum });
    if (stepped.kind !== 'stepped') throw new Error(`Round ${round} is not finite.`);
    losses.push(stepped.loss);
    if (process.stderr.isTTY && round % 10 === 0) process.stderr.write(`\r${round} of ${stop} rounds`);
  }
  await score();
  return { losses, scores, rounding: roundings.reduce((a, b) => a + b, 0) / Math.max(1, roundings.length) };
}

const webGpu = await installNodeWebGpu();
const host = new Host(openFileOrHttp);
const { shape, task, lora } = await host.open(request);
const engineOf = async (id: string): Promise<Engine> => {
  const kind: EngineKind | undefined = ENGINES.find((one) => one.id === id);
  const absent = kind === undefined ? 'there is no such engine' : await kind.absent();
  if (kind === undefined || absent !== null) throw new Error(`${id}: ${absent}`);
  return kind.create({ shape, lora, labelCount: task.labelCount, weights, weightStorage: 'f32', withDropout: true });
};
const ids = option.engines.split(',');
// Two devices of one kind compute the same bits: one engine is enough.
const engines = new Map<string, Engine>();
for (const id of ['onnx-wasm', ...ids]) if (!engines.has(id)) engines.set(id, await engineOf(id));

const started = performance.now();
const kept = option.one !== undefined && existsSync(option.one) ? option.one : null;
const one: Learnt =
  kept === null ? await learn(alone(engines.get('onnx-wasm')!), 'f32') : JSON.parse(readFileSync(kept, 'utf8'));
if (option.one !== undefined && kept === null) writeFileSync(option.one, JSON.stringify(one));
if (one.losses.length !== stop) throw new Error(`${option.one} is of ${one.losses.length} rounds, not of ${stop}.`);
const three = await learn(withLosses(ids.map((id) => engines.get(id)!)), uploads);
const apart = one.losses.map((loss, i) => Math.abs(loss - three.losses[i]!) / Math.abs(loss));
const firstAbove = (limit: number) => {
  const at = apart.findIndex((difference) => !(difference <= limit));
  return at < 0 ? null : at + 1;
};
const marks = [20, 50, 100, 200, 300, 500, 1000].filter((to) => to < stop);
const largest = [...marks, stop].map((to) => [to, Number(Math.max(...apart.slice(0, to)).toPrecision(2))]);
const lossAtEnd = (losses: readonly number[]) => losses.slice(-20).reduce((a, b) => a + b, 0) / Math.min(20, stop);
console.log(
  JSON.stringify({
    ...{
      task: option.task,
      rounds,
      stop,
      samplesPerRound,
      learningRate,
      maxGradientNorm,
      engines: ids,
      uploads,
      lose: loseEvery,
    },
    rounding: three.rounding,
    scores: { metric: task.metric, one: one.scores, three: three.scores },
    lossAtEnd: { one: lossAtEnd(one.losses), three: lossAtEnd(three.losses) },
    largest: Object.fromEntries(largest),
    firstAbove: { '1e-5': firstAbove(1e-5), '1e-4': firstAbove(1e-4) },
    seconds: Math.round((performance.now() - started) / 1000),
  }),
);
webGpu.release();
process.exit(0);
