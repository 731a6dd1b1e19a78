import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SCHEDULES } from '../../signaling/protocol/settings.ts';
import { recipeFor } from '../../signaling/protocol/words/recipes.ts';
import type { GradientPart } from '../../worker/api/batch.ts';
import type { HostRequest } from '../../worker/api/host-api.ts';
import { randomValues } from '../../worker/check/random-model.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { bytesSource } from '../../worker/files/byte-source.ts';
import { Host } from '../../worker/host/host.ts';
import { evaluateBatch, runOrder } from '../../worker/learn/trainer.ts';
import { openWeights } from '../../worker/model/weights.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';

/**
 * How long two runs that are equal but for rounding stay together: the embedded model with its rounds whole, and the same with them in
 * pieces of 5 samples, as several devices share a round, and with `--noise` its gradient moved as well, as another kind of engine moves it
 * (WebGPU beside WASM: about 1e-5 of the largest value of a tensor).
 *
 *     npx tsx test/reference/curve-distance.ts --rounds 300 [--noise 1e-5] [--task grammar] [--rate X] [--clip X] [--warmup X] [--schedule S]
 *
 * Prints, one JSON object a run: both scores, and for rounds 1 to 20, 50, 100 and so on the largest relative difference of the loss.
 */
const { values: option } = parseArgs({
  options: {
    task: { type: 'string', default: 'grammar' },
    hub: { type: 'string', default: '../shared/hub' },
    rounds: { type: 'string' },
    samples: { type: 'string' },
    rate: { type: 'string' },
    clip: { type: 'string' },
    warmup: { type: 'string' },
    epsilon: { type: 'string' },
    beta2: { type: 'string' },
    schedule: { type: 'string', default: 'linear' },
    noise: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    every: { type: 'string', default: '0' },
  },
});
const recipe = recipeFor(option.task, 'mini');
const schedule = SCHEDULES.find((one) => one === option.schedule) ?? 'linear';
const asked = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : Number(text));
const request: HostRequest = {
  model: { kind: 'embedded', id: 'roberta-mini' },
  weights: 'f32',
  task: { id: option.task, endpoint: new URL(`${option.hub}/`, `file://${process.cwd()}/`).href },
  lora: recipe.lora,
  training: {
    ...recipe.training,
    rounds: asked(option.rounds, recipe.training.rounds),
    samplesPerRound: asked(option.samples, recipe.training.samplesPerRound),
    learningRate: asked(option.rate, recipe.training.learningRate),
    maxGradientNorm: asked(option.clip, recipe.training.maxGradientNorm),
    warmupFraction: asked(option.warmup, recipe.training.warmupFraction),
    epsilon: asked(option.epsilon, recipe.training.epsilon),
    beta2: asked(option.beta2, recipe.training.beta2),
    schedule,
    dropout: 0,
    evaluateEvery: 0,
    seed: Number(option.seed),
  },
  origin: new URL('../../', import.meta.url).href,
};
const noPause = async () => {};
const weights = await openWeights(
  bytesSource(readFileSync(new URL('../../models/roberta-mini/model.safetensors', import.meta.url))),
);

/** In micro-batches of `microBatch`, the gradient moved by `noise` of its largest value. */
async function run(
  microBatch: number,
  noise: number,
): Promise<{ losses: number[]; norms: number[]; scores: number[] }> {
  const host = new Host(openFileOrHttp);
  const { shape, task, lora } = await host.open(request);
  const engine = await createOnnxEngine(
    { shape, lora, labelCount: task.labelCount, weights, weightStorage: 'f32', withDropout: false },
    'wasm',
  );
  const { rounds } = request.training;
  const [losses, norms, scores]: [number[], number[], number[]] = [[], [], []];
  const score = async () => {
    await engine.setParameters((await host.parameters()).values);
    const logits: number[] = [];
    for (let start = 0; start < task.devExamples; start += 100) {
      const batch = await host.devBatch(start, Math.min(100, task.devExamples - start));
      logits.push(...(await evaluateBatch(engine, batch, 100, noPause)));
    }
    scores.push((await host.scoreDev(Float32Array.from(logits))).value);
  };
  for (let round = 1; round <= rounds; round++) {
    await engine.setParameters((await host.parameters()).values);
    const batch = await host.roundBatch(round);
    const samples = batch.lengths.length;
    const layers = Array.from({ length: shape.layers }, (_, layer) => layer);
    const order = {
      round,
      batch,
      layers,
      head: true,
      microBatch: Math.min(microBatch, samples),
      dropout: { probability: 0, seed: 0 },
    };
    const parts: GradientPart[] = [];
    let lossSum = 0;
    for await (const part of runOrder(engine, order, noPause)) {
      if (part.kind === 'done') lossSum = part.lossSum;
      else {
        const { block, gradient } = part;
        const place = block === 'head' ? engine.layout.head : engine.layout.layers[block]!;
        // Rounding errors are relative to what was added up: about the largest value of a tensor, and nothing where all is 0.
        for (const { offset, length } of noise === 0 ? [] : place.slots) {
          const own = gradient.subarray(offset - place.offset, offset - place.offset + length);
          const most = noise * own.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
          const moved = randomValues(length, round * 7919 + offset, most);
          for (let i = 0; i < length; i++) own[i]! += moved[i]!;
        }
        parts.push({ block, samples: { start: 0, count: samples }, gradient });
      }
    }
    const stepped = await host.step({ round, samples, parts, lossSum });
    if (stepped.kind !== 'stepped') throw new Error(`Round ${round} is not finite.`);
    losses.push(stepped.loss);
    norms.push(stepped.gradientNorm);
    if (round === rounds || round % Number(option.every) === 0) await score();
  }
  await engine.dispose();
  return { losses, norms, scores };
}

const [plain, moved] = [await run(4096, 0), await run(5, Number(option.noise))];
const apart = plain.losses.map((loss, i) => Math.abs(loss - moved.losses[i]!) / Math.abs(loss));
const beyond = apart.findIndex((difference) => difference > 1e-4);
const largest = Object.fromEntries(
  [20, 50, 100, 200, 300, 500, 1000]
    .filter((to) => to <= apart.length)
    .map((to) => [to, Number(Math.max(...apart.slice(0, to)).toPrecision(2))]),
);
const sorted = plain.norms.toSorted((a, b) => a - b);
const { learningRate, maxGradientNorm, warmupFraction, epsilon, beta2, rounds, samplesPerRound } = request.training;
console.log(
  JSON.stringify({
    ...{
      task: option.task,
      rounds,
      samplesPerRound,
      learningRate,
      maxGradientNorm,
      warmupFraction,
      epsilon,
      beta2,
      schedule,
    },
    noise: Number(option.noise),
    scores: [plain.scores, moved.scores],
    lastLosses: plain.losses.slice(-20).reduce((a, b) => a + b, 0) / 20,
    norms: { median: sorted[sorted.length >> 1], largest: sorted.at(-1) },
    largest,
    firstBeyond1e4: beyond < 0 ? null : beyond + 1,
  }),
);
