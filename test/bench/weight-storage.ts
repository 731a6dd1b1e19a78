import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  LORA_TARGETS,
  type ModelShape,
  WEIGHT_STORAGES,
  type WeightStorage,
} from '../../signaling/protocol/settings.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomValues } from '../../worker/check/random-model.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { openHttp } from '../../worker/files/open-file.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { modelFiles } from '../../worker/model/open-model.ts';
import { ROBERTA_BASE, randomModelFile } from '../files/random-file.ts';
import { RangeServer } from '../files/range-server.ts';

/**
 * Bytes and seconds of a model of full size with random weights on WASM, in one storage, and the error of its gradient against f32:
 *
 *     npx tsx test/bench/weight-storage.ts distil|base|large f32|f16|int8
 *
 * `buffers`: ArrayBuffers that are in use once the model is loaded. `heap`: WebAssembly's memory after
 * training steps through all layers. `load`: from the first request to the last tensor, over HTTP on this machine. `step`: the best of
 * three, 4 samples of 32 tokens, all six matrices adapted at rank 8. The error is the norm of the difference over the norm, over all
 * adapters and the head.
 */
const SHAPES: Readonly<Record<string, ModelShape>> = {
  distil: { ...ROBERTA_BASE, layers: 6 },
  base: ROBERTA_BASE,
  large: { ...ROBERTA_BASE, layers: 24, hiddenSize: 1024, heads: 16, ffnSize: 4096 },
};
const [modelName = '', storageName] = process.argv.slice(2);
const shape = SHAPES[modelName];
const weightStorage = WEIGHT_STORAGES.find((storage) => storage === storageName);
if (shape === undefined || weightStorage === undefined)
  throw new Error(`Give one of ${Object.keys(SHAPES).join(', ')} and one of ${WEIGHT_STORAGES.join(', ')}.`);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
/** What is no longer in use is given back by a thread of its own, a little later. */
const bufferBytes = async (): Promise<number> => {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return process.memoryUsage().arrayBuffers;
};

const memories: WebAssembly.Memory[] = [];
const OriginalMemory = WebAssembly.Memory;
WebAssembly.Memory = class extends OriginalMemory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor);
    memories.push(this);
  }
};

const server = await new RangeServer().start();
const file = randomModelFile(shape);
server.files.set('/m/resolve/main/model.safetensors', file);
const source = { kind: 'hub', id: 'm', endpoint: server.url, revision: 'main' } as const;
const lora = { rank: 8, alpha: 16, targets: [...LORA_TARGETS] };
const layout = parameterLayout(shape, lora, 2);
const parameters = randomValues(layout.length, 3, 0.03);
const [samples, tokens] = [4, 32];
const batch = {
  ids: Int32Array.from({ length: samples * tokens }, (_, i) => (i % tokens === 0 ? 0 : 4 + ((i * 7919) % 50_000))),
  lengths: new Int32Array(samples).fill(tokens),
  labels: Float32Array.of(0, 1, 1, 0),
  positions: Int32Array.of(0, 1, 2, 3),
  tokens,
};

const heapBytes = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
const megabytes = (bytes: number): number => Math.round(bytes / 1e6);

async function measure(weightStorage: WeightStorage) {
  const before = await bufferBytes();
  const startMs = performance.now();
  const weights = await modelFiles(openHttp, null, source, '').weights();
  const request = { shape: shape!, lora, labelCount: 2, weights, weightStorage, withDropout: false };
  const engine = await createOnnxEngine(request, 'wasm');
  const loadSeconds = (performance.now() - startMs) / 1000;
  const buffers = (await bufferBytes()) - before;
  await engine.setParameters(parameters);
  let stepSeconds = Number.POSITIVE_INFINITY;
  let gradient = new Float32Array(0);
  for (let i = 0; i < 3; i++) {
    const stepMs = performance.now();
    gradient = (await lossAndGradient(engine, batch)).gradient as Float32Array<ArrayBuffer>;
    stepSeconds = Math.min(stepSeconds, (performance.now() - stepMs) / 1000);
  }
  const { weightsBytes, transientBytes, savedBytes } = engine.bytes(samples, tokens, { savedLayers: shape!.layers });
  const heap = heapBytes();
  await engine.dispose();
  return { gradient, buffers, heap, loadSeconds, stepSeconds, weightsBytes, passBytes: transientBytes + savedBytes };
}

const got = await measure(weightStorage);
const exact = weightStorage === 'f32' ? got.gradient : (await measure('f32')).gradient;
let [difference, size] = [0, 0];
for (let i = 0; i < exact.length; i++) {
  difference += (got.gradient[i]! - exact[i]!) ** 2;
  size += exact[i]! ** 2;
}
console.log(
  JSON.stringify({
    model: modelName,
    weights: weightStorage,
    fileMB: megabytes(file.size),
    buffersMB: megabytes(got.buffers),
    heapMB: megabytes(got.heap),
    engineSays: { weightsMB: megabytes(got.weightsBytes), passMB: megabytes(got.passBytes) },
    loadSeconds: Number(got.loadSeconds.toFixed(1)),
    stepSeconds: Number(got.stepSeconds.toFixed(2)),
    gradientError: Number(Math.sqrt(difference / size).toPrecision(3)),
  }),
);
server.stop();
process.exit(0);
