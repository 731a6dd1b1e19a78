import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { Host } from '../../worker/host.ts';
import { openFileOrHttp } from '../../worker/model/file-source.ts';
import { modelFileUrl } from '../../worker/model/model-files.ts';
import { encodeSafetensors, type NamedTensor } from '../../worker/model/safetensors.ts';
import { openWeights } from '../../worker/model/weights.ts';
import type { GradientPart, HostRequest, TokenBatch } from '../../worker/rpc.ts';
import { evaluateBatch, runOrder } from '../../worker/trainer.ts';

/**
 * One device's training run in this process, and everything that train.py needs to do the same in PyTorch: initial parameters, each
 * round's batch, the dev set.
 *
 *     npx tsx test/reference/single-run.ts --task sst2 --hub FOLDER --rounds 200 --rate 5e-3 --out RUN
 *
 * RUN.safetensors holds the inputs, RUN.json the losses and scores. --no-train writes the inputs alone.
 */
const { values: option } = parseArgs({
  options: {
    task: { type: 'string', default: 'grammar' },
    hub: { type: 'string', default: '../shared/hub' },
    rounds: { type: 'string', default: '80' },
    samples: { type: 'string', default: '32' },
    tokens: { type: 'string', default: '64' },
    rate: { type: 'string', default: '5e-3' },
    rank: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    every: { type: 'string', default: '50' },
    out: { type: 'string', default: 'run' },
    'no-train': { type: 'boolean', default: false },
  },
});

const rounds = Number(option.rounds);
const request: HostRequest = {
  model: { kind: 'embedded', id: 'roberta-mini' },
  weights: 'f32',
  task: { id: option.task, endpoint: new URL(`${option.hub}/`, `file://${process.cwd()}/`).href },
  lora: { rank: Number(option.rank), alpha: 16, targets: ['query', 'value'] },
  training: {
    rounds,
    samplesPerRound: Number(option.samples),
    maxTokens: Number(option.tokens),
    learningRate: Number(option.rate),
    weightDecay: 0.01,
    warmupFraction: 0.06,
    dropout: 0,
    evaluateEvery: Number(option.every),
    seed: Number(option.seed),
  },
  origin: new URL('../../', import.meta.url).href,
};
const { samplesPerRound, evaluateEvery } = request.training;
const DEV_CHUNK = 64;

const host = new Host(openFileOrHttp);
const { shape, task, lora } = await host.open(request);
const devChunks = Array.from({ length: Math.ceil(task.devExamples / DEV_CHUNK) }, (_, i) => ({
  start: i * DEV_CHUNK,
  count: Math.min(DEV_CHUNK, task.devExamples - i * DEV_CHUNK),
}));
await writeInputs();
if (!option['no-train']) await train();

async function writeInputs(): Promise<void> {
  const batchTensors = (name: string, { ids, lengths, labels, tokens }: TokenBatch): NamedTensor[] => [
    { name: `${name}.ids`, shape: [lengths.length, tokens], values: ids },
    { name: `${name}.lengths`, shape: [lengths.length], values: lengths },
    { name: `${name}.labels`, shape: [lengths.length], values: labels },
  ];
  const { values } = await host.parameters();
  const tensors: NamedTensor[] = [{ name: 'parameters', shape: [values.length], values }];
  for (let round = 1; round <= rounds; round++)
    tensors.push(...batchTensors(`round.${round}`, await host.roundBatch(round)));
  for (const [i, { start, count }] of devChunks.entries())
    tensors.push(...batchTensors(`dev.${i}`, await host.devBatch(start, count)));
  const facts = { training: request.training, lora, shape, labelCount: task.labelCount, metric: task.metric };
  writeFileSync(`${option.out}.safetensors`, encodeSafetensors(tensors, { run: JSON.stringify(facts) }));
}

async function train(): Promise<void> {
  const weights = await openWeights(
    await openFileOrHttp(modelFileUrl(request.model, request.origin, 'model.safetensors')),
  );
  const engine = await createOnnxEngine(
    { shape, lora, labelCount: task.labelCount, weights, weightStorage: 'f32', withDropout: false },
    'wasm',
  );
  const losses: number[] = [];
  const scores: { round: number; metric: string; value: number }[] = [];
  const score = async (round: number): Promise<void> => {
    await engine.setParameters((await host.parameters()).values);
    const logits = new Float32Array(task.devExamples * task.labelCount);
    for (const { start, count } of devChunks)
      logits.set(
        await evaluateBatch(engine, await host.devBatch(start, count), DEV_CHUNK, noPause),
        start * task.labelCount,
      );
    const { metric, value } = await host.score(logits);
    scores.push({ round, metric, value });
    console.log(`round ${round}: ${metric} ${value.toFixed(4)}`);
  };
  await score(0);
  const startMs = performance.now();
  for (let round = 1; round <= rounds; round++) {
    await engine.setParameters((await host.parameters()).values);
    const order = {
      round,
      batch: await host.roundBatch(round),
      layers: Array.from({ length: shape.layers }, (_, layer) => layer),
      head: true,
      microBatch: samplesPerRound,
      dropout: { probability: 0, seed: 0 },
    };
    const parts: GradientPart[] = [];
    for await (const part of runOrder(engine, order, noPause)) {
      if (part.kind === 'gradient')
        parts.push({ block: part.block, samples: { start: 0, count: samplesPerRound }, gradient: part.gradient });
      else losses.push(part.lossSum / samplesPerRound);
    }
    await host.step({ round, samples: samplesPerRound, parts });
    if (round === rounds || (evaluateEvery > 0 && round % evaluateEvery === 0)) await score(round);
  }
  const seconds = (performance.now() - startMs) / 1000;
  writeFileSync(`${option.out}.json`, JSON.stringify({ losses, scores, seconds }));
  console.log(`${rounds} rounds in ${seconds.toFixed(1)} s, evaluation included`);
  await engine.dispose();
}

async function noPause(): Promise<void> {}
