/**
 * What padding costs the `onnx` engine on WASM, roberta-mini, before and now in turns of one run:
 *
 *   npx tsx test/bench/padding-time.ts [HUB] [TASK ...]
 *
 * Before: 32 dev examples, or a round's samples, as they come, in one micro-batch padded to the longest. Now: examples in order of length,
 * rounds in micro-batches cut by length. 256 dev examples and ten rounds of the recipe's size a turn; medians of five turns.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { median } from '../../signaling/protocol/median.ts';
import { recipeFor } from '../../signaling/protocol/words/recipes.ts';
import type { TokenBatch } from '../../worker/api/batch.ts';
import type { Engine } from '../../worker/engine/engine.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { Host } from '../../worker/host/host.ts';
import { evaluateBatch, runOrder } from '../../worker/learn/trainer.ts';
import { modelFiles } from '../../worker/model/open-model.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';

const TURNS = 5;
const DEV = 256;
const ROUNDS = 10;
const CHUNK = 32;
const origin = new URL('../../', import.meta.url).href;
const model = { kind: 'embedded', id: 'roberta-mini' } as const;
const noPause = async () => {};

const [hub = '../shared/hub', ...tasks] = process.argv.slice(2);
for (const task of tasks.length > 0 ? tasks : ['sst2', 'qnli']) {
  const { lora, training } = recipeFor(task, 'mini');
  const host = new Host(openFileOrHttp);
  const opened = await host.open({
    ...{ model, weights: 'f32', lora, origin },
    task: { id: task, endpoint: pathToFileURL(resolve(hub)).href },
    training: { ...training, evaluateEvery: 0, seed: 1 },
  });
  const engine = await createOnnxEngine(
    {
      ...{ shape: opened.shape, lora: opened.lora, labelCount: opened.task.labelCount, withDropout: false },
      ...{ weights: await modelFiles(openFileOrHttp, null, model, origin).weights(), weightStorage: 'f32' },
    },
    'wasm',
  );
  await engine.setParameters((await host.parameters()).values);
  const before: Engine = { ...engine, computesPadding: false };
  const layers = Array.from({ length: opened.shape.layers }, (_, layer) => layer);
  const train = async (on: Engine, batch: TokenBatch) => {
    const order = { round: 1, batch, layers, head: true, microBatch: batch.lengths.length };
    for await (const _ of runOrder(on, { ...order, dropout: { probability: 0, seed: 0 } }, noPause));
  };
  const rounds = await Promise.all(Array.from({ length: ROUNDS }, (_, i) => host.roundBatch(i + 1)));
  const asTheyCome = await Promise.all(Array.from({ length: DEV / CHUNK }, (_, i) => host.devBatch(i * CHUNK, CHUNK)));
  const { length } = await host.devLengths('first');
  // Every so many of the order by length, so that both ways have examples of all lengths.
  const places = Array.from({ length: DEV }, (_, i) => Math.floor((i * length) / DEV));
  const sorted = await Promise.all(places.map((place) => host.devChunk('first', place, 1)));
  const longest = sorted.at(-1)?.tokens ?? 1;
  const inOrder: TokenBatch = {
    ids: Int32Array.from(sorted.flatMap(({ ids, tokens }) => [...ids, ...Array<number>(longest - tokens).fill(1)])),
    lengths: Int32Array.from(sorted, ({ tokens }) => tokens),
    labels: new Float32Array(DEV),
    positions: new Int32Array(DEV),
    tokens: longest,
  };
  const timed = async (work: () => Promise<unknown>) => {
    const start = performance.now();
    await work();
    return (performance.now() - start) / 1000;
  };
  const ways = {
    evaluationBefore: async () => {
      for (const batch of asTheyCome) await evaluateBatch(before, batch, CHUNK, noPause);
    },
    evaluationNow: () => evaluateBatch(engine, inOrder, CHUNK, noPause),
    trainingBefore: async () => {
      for (const batch of rounds) await train(before, batch);
    },
    trainingNow: async () => {
      for (const batch of rounds) await train(engine, batch);
    },
  };
  for (const work of Object.values(ways)) await work();
  const seen = new Map<string, number[]>();
  for (let turn = 0; turn < TURNS; turn++)
    for (const [name, work] of Object.entries(ways)) seen.set(name, [...(seen.get(name) ?? []), await timed(work)]);
  const of = (name: keyof typeof ways) => median(seen.get(name) ?? []).toFixed(2);
  console.log(
    `${task}: evaluation ${of('evaluationBefore')} -> ${of('evaluationNow')} s, ${ROUNDS} rounds ${of('trainingBefore')} -> ${of('trainingNow')} s`,
  );
  await engine.dispose();
}
process.exit(0);
