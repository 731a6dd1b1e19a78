import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LORA_TARGETS, type WeightStorage } from '../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../../worker/api/batch.ts';
import { relativeError } from '../../worker/check/golden-check.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomValues } from '../../worker/check/random-model.ts';
import type { BlockGradient, Engine, EngineRequest, Hidden } from '../../worker/engine/engine.ts';
import { hiddenFromValues } from '../../worker/engine/hidden.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { openHttp } from '../../worker/files/open-file.ts';
import { adamWStep, createAdamWState } from '../../worker/learn/optimiser.ts';
import { frozenBytes } from '../../worker/model/description.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { modelFiles } from '../../worker/model/open-model.ts';
import type { Weights } from '../../worker/model/weights.ts';
import { randomModelFile, ROBERTA_BASE as shape } from '../files/random-file.ts';
import { RangeServer } from '../files/range-server.ts';

/** roberta-base's full size: 498 MB of random weights, made as they are asked for, over HTTP into the engine. */

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
/** Bytes of all ArrayBuffers that are in use. */
const bufferBytes = (): number => {
  collect();
  return process.memoryUsage().arrayBuffers;
};

const server = await new RangeServer().start();
const lora = { rank: 8, alpha: 16, targets: [...LORA_TARGETS] };
const layout = parameterLayout(shape, lora, 2);
const LARGEST_TENSOR = 4 * shape.vocabSize * shape.hiddenSize;
const [samples, tokens] = [2, 12];
const batch: TokenBatch = {
  ids: Int32Array.from({ length: samples * tokens }, (_, i) => (i % tokens === 0 ? 0 : 4 + ((i * 7919) % 50_000))),
  lengths: Int32Array.of(12, 12),
  labels: Float32Array.of(0, 1),
  positions: Int32Array.of(0, 1),
  tokens,
};

/** WebAssembly's memory, which the library makes when it is loaded. */
const memories: WebAssembly.Memory[] = [];
const OriginalMemory = WebAssembly.Memory;
WebAssembly.Memory = class extends OriginalMemory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor);
    memories.push(this);
  }
};
const heapBytes = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);

beforeAll(() => {
  const file = randomModelFile(shape);
  expect(file.size).toBeGreaterThan(498e6);
  server.files.set('/base/resolve/main/model.safetensors', file);
});
afterAll(() => {
  WebAssembly.Memory = OriginalMemory;
  server.stop();
});

const open = (onRead?: (bytes: number) => void) =>
  modelFiles(openHttp, null, { kind: 'hub', id: 'base', endpoint: server.url, revision: 'main' }, '').weights(onRead);

async function load(weightStorage: WeightStorage): Promise<{ engine: Engine; outsideBytes: number }> {
  const before = bufferBytes();
  let [unseen, most] = [0, 0];
  const weights = await open((bytes) => {
    unseen += bytes;
    if (unseen < 16e6) return;
    unseen = 0;
    most = Math.max(most, bufferBytes() - before);
  });
  const request: EngineRequest = { shape, lora, labelCount: 2, weights, weightStorage, withDropout: false };
  const engine = await createOnnxEngine(request, 'wasm');
  // The engine takes the memory of all tensors before it reads the first.
  return { engine, outsideBytes: most - frozenBytes(shape, weightStorage) };
}

describe('roberta-base at full size on WASM', () => {
  it('streams into the engine, and its training step equals the reference', async () => {
    const { engine, outsideBytes } = await load('f32');
    const parameters = randomValues(layout.length, 3, 0.03);
    await engine.setParameters(parameters);
    expect(outsideBytes).toBeGreaterThan(0);
    // A second copy of the largest tensor, for a moment, would already be more.
    expect(outsideBytes).toBeLessThan(0.6 * LARGEST_TENSOR);

    const { lossSum, gradient } = await lossAndGradient(engine, batch);
    expect(gradient.every(Number.isFinite)).toBe(true);
    await expectLayerEqualsReference(engine, parameters, 6);

    for (let i = 0; i < gradient.length; i++) gradient[i]! /= samples;
    adamWStep(parameters, gradient, createAdamWState(layout.length), { learningRate: 1e-5, weightDecay: 0 });
    await engine.setParameters(parameters);
    expect((await lossAndGradient(engine, batch, 0)).lossSum).toBeLessThan(lossSum);
    // Of the weights, WebAssembly holds the layer that runs, and the engine counts what there is.
    expect(heapBytes()).toBeLessThan(0.2 * frozenBytes(shape, 'f32'));
    const { weightsBytes, transientBytes, savedBytes } = engine.bytes(samples, tokens, { savedLayers: shape.layers });
    const counted = weightsBytes + transientBytes + savedBytes;
    const held = frozenBytes(shape, 'f32') + heapBytes();
    expect(held / counted).toBeGreaterThan(0.85);
    expect(held / counted).toBeLessThan(1.15);
    await engine.dispose();
  }, 120_000);
});

/** One layer of the engine, forward and backward, next to the reference with that layer alone. */
async function expectLayerEqualsReference(engine: Engine, parameters: Float32Array, layer: number): Promise<void> {
  const options = { saveFrom: 0, dropout: { probability: 0, seed: 0, round: 1 } };
  const pass = await engine.begin(batch, options);
  const before = await pass.forward({ from: 0, to: layer }, await pass.embed());
  const input = (await before.read()).slice();
  const middle = await pass.forward({ from: layer, to: layer + 1 }, before);
  const output = (await middle.read()).slice();
  const { dHidden } = await pass.loss(await pass.forward({ from: layer + 1, to: shape.layers }, middle), {
    dHidden: true,
    headGradient: false,
  });
  const dOutput = await last(pass.backward({ from: layer + 1, to: shape.layers }, dHidden!, true));
  const dOutputValues = (await dOutput.hidden!.read()).slice();
  const own = await last(pass.backward({ from: layer, to: layer + 1 }, dOutput.hidden!, true));

  const small = { ...shape, layers: 1, vocabSize: 8, maxPositions: tokens + 2 };
  const reference = await createReferenceEngine({
    shape: small,
    lora,
    labelCount: 2,
    weights: onlyLayer(await open(), layer),
    weightStorage: 'f32',
    withDropout: false,
  });
  const { layers, length } = parameterLayout(small, lora, 2);
  const values = new Float32Array(length);
  values.set(parameters.subarray(layout.layers[layer]!.offset).subarray(0, layers[0]!.length));
  await reference.setParameters(values);
  const there = await reference.begin({ ...batch, ids: new Int32Array(batch.ids.length) }, options);
  const expected = await there.forward({ from: 0, to: 1 }, hiddenFromValues(batch, input));
  expect(relativeError(output, await expected.read())).toBeLessThan(1e-4);
  const theirs = await last(there.backward({ from: 0, to: 1 }, hiddenFromValues(batch, dOutputValues), true));
  expect(relativeError(own.gradients[0]!, theirs.gradients[0]!)).toBeLessThan(1e-3);
  expect(relativeError(await own.hidden!.read(), await theirs.hidden!.read())).toBeLessThan(1e-3);
  pass.dispose();
}

/** A generator's yielded gradients and what it returns. */
async function last(
  passed: AsyncGenerator<BlockGradient, Hidden | null>,
): Promise<{ readonly gradients: readonly Float32Array[]; readonly hidden: Hidden | null }> {
  const gradients: Float32Array[] = [];
  let next = await passed.next();
  for (; !next.done; next = await passed.next()) gradients.push(next.value.gradient);
  return { gradients, hidden: next.value };
}

/** A model of one layer and empty embeddings. */
function onlyLayer(weights: Weights, layer: number): Weights {
  return {
    ...weights,
    stream: (wanted) =>
      weights.stream(
        wanted
          .filter(({ name }) => name.includes('.layer.'))
          .map((tensor) => ({ ...tensor, name: tensor.name.replace('.layer.0.', `.layer.${layer}.`) })),
      ),
  };
}
