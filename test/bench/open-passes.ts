/**
 * What keeping passes open side by side saves a stage of a split room, against going forward again from the inputs.
 *
 *     npx tsx test/bench/open-passes.ts
 *
 * One stage, the middle one of three, of a model of roberta-mini's width with random weights, on this machine's WebGPU and on WASM: six
 * micro-batches of two samples of 32 tokens, a window of three, every layer trained. The same order is run with open passes and with none
 * (an engine that says it has one pass), by turns; medians of five rounds. Inputs are there when they are asked for: no network, no waiting.
 */

import { median } from '../../signaling/protocol/median.ts';
import { partOf } from '../../signaling/protocol/split.ts';
import type { StageOrder } from '../../worker/api/stage-api.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import { ENGINES } from '../../worker/device/engines.ts';
import type { Engine } from '../../worker/engine/engine.ts';
import { runStage } from '../../worker/learn/stage.ts';
import { installNodeWebGpu } from '../../worker/node/node-webgpu.ts';

const LAYERS = 6;
const RUN = { from: 3, to: 5 };
const SAMPLES = 12;
const TOKENS = 32;
const ROUNDS = 5;

const model = await randomModel({
  layers: LAYERS,
  hiddenSize: 192,
  heads: 6,
  ffnSize: 768,
  rank: 8,
  tokens: TOKENS,
  samples: SAMPLES,
  lengths: Array.from({ length: SAMPLES }, () => TOKENS),
});
const order: StageOrder = {
  round: 1,
  run: RUN,
  layers: [2, 3],
  head: false,
  lowest: 0,
  microBatchSizes: Array.from({ length: SAMPLES / 2 }, () => 2),
  window: 3,
  recompute: false,
  tokens: TOKENS,
  lengths: model.batch.lengths,
  positions: model.batch.positions,
  ids: null,
  labels: null,
  dropout: { probability: 0.1, seed: 1 },
};
const rows = 2 * TOKENS * model.shape.hiddenSize;
const inputs = { take: async () => Float32Array.from({ length: rows }, (_, i) => Math.sin(i)) };

async function seconds(engine: Engine): Promise<number> {
  const start = performance.now();
  for await (const _ of runStage(engine, order, inputs, async () => undefined));
  return (performance.now() - start) / 1000;
}

const webGpu = await installNodeWebGpu();
for (const kind of ENGINES.filter(({ id }) => id === 'webgpu' || id === 'onnx-wasm')) {
  if ((await kind.absent()) !== null) continue;
  const engine = await kind.create({ ...model, part: partOf(RUN, LAYERS) });
  await engine.setParameters(model.parameters);
  const again: Engine = { ...engine, openPasses: 1 };
  for (const one of [engine, again]) await seconds(one);
  const open: number[] = [];
  const stateless: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    open.push(await seconds(engine));
    stateless.push(await seconds(again));
  }
  const bytes = (openPasses: number) => engine.bytes(2, TOKENS, { savedLayers: 2, openPasses }).savedBytes;
  process.stdout.write(
    `${engine.backend}: ${median(open).toFixed(3)} s with open passes, ${median(stateless).toFixed(3)} s going forward again ` +
      `(${(median(stateless) / median(open)).toFixed(2)} times); ${bytes(3)} bytes kept instead of ${bytes(1)}\n`,
  );
  await engine.dispose();
}
webGpu.release();
