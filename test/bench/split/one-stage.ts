import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WEIGHT_STORAGES } from '../../../signaling/protocol/settings.ts';
import { partOf } from '../../../signaling/protocol/split.ts';
import { lossAndGradient } from '../../../worker/check/loss-and-gradient.ts';
import { claimedBytes } from '../../../worker/learn/stage-memory.ts';
import { parseModelConfig } from '../../../worker/model/config.ts';
import { oneLayerModel, randomWeights } from '../../../worker/model/random-part.ts';
import { openWeights } from '../../../worker/model/weights.ts';
import { collectNearLimit } from '../../../worker/node/collect-near-limit.ts';
import { fileSource } from '../../../worker/node/file-source.ts';
import { allocated } from './allocations.ts';
import { randomModelFolder, SIZES } from './random-folder.ts';

/**
 * What one stage of a large model allocates, counted from outside (`count-allocations.mjs`), in a process of its own: a pass through one
 * layer as a device measures itself before anything is fetched, loading, and a round of eight samples of 13 tokens with dropout.
 *
 *     npx tsx test/bench/split/one-stage.ts --size large --weights f16 --units 4,11 --window 5
 */
const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'large' },
    weights: { type: 'string', default: 'f16' },
    /** The first one, and the end; of 24 layers the head is unit 25. */
    units: { type: 'string', default: '4,11' },
    window: { type: 'string', default: '5' },
    /** Every micro-batch forward again before it goes backward. */
    recompute: { type: 'boolean', default: false },
    /** Megabytes that it is to keep to. */
    limit: { type: 'string' },
  },
});
const size = Object.keys(SIZES).find((one): one is keyof typeof SIZES => one === values.size);
const weightStorage = WEIGHT_STORAGES.find((one) => one === values.weights);
const [from = 0, to = 0] = values.units.split(',').map(Number);
if (size === undefined || weightStorage === undefined) throw new Error('There is no such size or storage.');

const counts = mkdtempSync(join(tmpdir(), 'tabloom-one-stage-'));
process.env.TABLOOM_COUNT = counts;
const { countAgain }: { countAgain(): void } = await import(`${new URL('./count-allocations.mjs', import.meta.url)}`);
if (values.limit !== undefined) collectNearLimit(1e6 * Number(values.limit));
// The library looks for WebAssembly when it is loaded, which is counted from here on.
const { createOnnxEngine } = await import('../../../worker/engine/onnx/engine.ts');
const { runStage } = await import('../../../worker/learn/stage.ts');

const inMegabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
async function say(what: string): Promise<void> {
  await sleep(200);
  for (const { wasm, buffers } of allocated(counts).values())
    console.log(`${what}: ${inMegabytes(wasm + buffers)} at most, ${inMegabytes(wasm)} of them WebAssembly`);
  countAgain();
}

const folder = await randomModelFolder(size, join(tmpdir(), 'tabloom-random-models'));
const shape = parseModelConfig(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')));
const lora = { rank: 8, alpha: 16, targets: ['query' as const, 'value' as const] };
const request = { labelCount: 2, weightStorage, withDropout: true };
const [samples, length, tokens] = [8, 13, 32];

const small = await createOnnxEngine({ ...request, ...oneLayerModel(shape, lora), weights: randomWeights(1) }, 'wasm');
const ids = new Int32Array(tokens).fill(2);
const labels = Float32Array.of(1);
await lossAndGradient(small, { tokens, ids, labels, lengths: Int32Array.of(tokens), positions: Int32Array.of(0) });
await small.dispose();
await say('measured on one layer');

const part = partOf({ from, to }, shape.layers);
const weights = await openWeights(await fileSource(join(folder, 'model.safetensors')));
const engine = await createOnnxEngine({ ...request, shape, lora, weights, part }, 'wasm');
await say(`units ${from} to ${to - 1} loaded`);

const layers = Array.from({ length: part.layers.to - part.layers.from }, (_, i) => part.layers.from + i);
const window = Number(values.window);
const recompute = values.recompute ?? false;
const needs = { savedLayers: layers.length, openPasses: recompute ? 1 : window };
console.log(`what the engine counts of it: ${inMegabytes(claimedBytes(engine, 1, length, needs))}`);
const parts = runStage(
  engine,
  {
    ...{ round: 1, run: { from, to }, layers, head: part.head, lowest: 0, window, recompute, tokens },
    microBatchSizes: new Array<number>(samples).fill(1),
    lengths: new Int32Array(samples).fill(length),
    positions: Int32Array.from({ length: samples }, (_, i) => i),
    ids: from === 0 ? new Int32Array(samples * tokens).fill(2) : null,
    labels: part.head ? new Float32Array(samples).fill(1) : null,
    dropout: { probability: 0.1, seed: 1 },
  },
  {
    // Before the head one token a sample goes over a cut.
    take: async (kind) => {
      const cut = kind === 'hidden' ? from : to;
      const rows = cut === shape.layers + 1 ? 1 : length;
      return Float32Array.from({ length: rows * shape.hiddenSize }, (_, i) => Math.sin(i));
    },
  },
  async () => undefined,
);
let passes = 0;
for await (const { kind } of parts) if (kind === 'passed') passes++;
await say(`${passes} passes done`);
process.exit(0);
