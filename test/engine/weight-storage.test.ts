import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { LORA_TARGETS, type WeightStorage } from '../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../../worker/api/batch.ts';
import { relativeError } from '../../worker/check/golden-check.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomModel, randomValues } from '../../worker/check/random-model.ts';
import type { EngineRequest } from '../../worker/engine/engine.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { bytesSource } from '../../worker/files/byte-source.ts';
import { parseModelConfig } from '../../worker/model/config.ts';
import { initialParameters } from '../../worker/model/initial-parameters.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { trainingBytes } from '../../worker/model/model-preflight.ts';
import { openWeights } from '../../worker/model/weights.ts';

const DROPOUT = { probability: 0.25, seed: 11, round: 4 };

describe.each(['f16', 'int8'] as const)('%s weights on WASM', (weightStorage) => {
  it.each([
    ['every target', { targets: LORA_TARGETS, layers: 3, tokens: 9 }],
    ['odd widths', { hiddenSize: 15, heads: 3, ffnSize: 17, tokens: 5, rank: 3 }],
    ['a wide model', { hiddenSize: 96, heads: 1, ffnSize: 160, tokens: 33, rank: 8 }],
  ])('equal the reference with the same storage, forward and backward: %s', async (_, options) => {
    const model = { ...(await randomModel(options)), weightStorage };
    const [engine, reference] = [await createOnnxEngine(model, 'wasm'), await createReferenceEngine(model)];
    await engine.setParameters(model.parameters);
    await reference.setParameters(model.parameters);
    const got = await lossAndGradient(engine, model.batch, model.shape.layers, DROPOUT);
    const want = await lossAndGradient(reference, model.batch, model.shape.layers, DROPOUT);
    expect(relativeError(got.logits, want.logits)).toBeLessThan(1e-4);
    expect(relativeError(got.gradient, want.gradient)).toBeLessThan(1e-4);
    // And it is not f32 after all.
    const exact = await createReferenceEngine({ ...model, weightStorage: 'f32' });
    await exact.setParameters(model.parameters);
    expect(relativeError((await lossAndGradient(exact, model.batch)).gradient, want.gradient)).toBeGreaterThan(1e-5);
    await engine.dispose();
  });
});

describe.each(['f32', 'f16', 'int8'] as const)('a WASM engine with %s weights', (weightStorage) => {
  it('holds what the pre-flight says', async () => {
    const model = {
      ...(await randomModel({ layers: 3, hiddenSize: 64, heads: 4, ffnSize: 256, tokens: 40 })),
      weightStorage,
    };
    const engine = await createOnnxEngine({ ...model, withDropout: false }, 'wasm');
    const tokens = model.shape.maxPositions - 2;
    const { weightsBytes, transientBytes, savedBytes } = engine.bytes(1, tokens, { savedLayers: 3 });
    const told = trainingBytes(model.shape, weightStorage);
    expect(told / (weightsBytes + transientBytes + savedBytes)).toBeGreaterThan(0.95);
    expect(told / (weightsBytes + transientBytes + savedBytes)).toBeLessThan(1.05);
    await engine.dispose();
  });
});

describe('roberta-mini, all targets adapted, 8 samples', () => {
  it.each([
    // Its file is F16, so f16 storage loses nothing.
    ['f16', 1e-5, 1e-5],
    ['int8', 0.03, 0.1],
  ] as const)('with %s weights has gradients close to those of f32', async (storage, typical, worst) => {
    const errors = await gradientErrors(storage);
    const sorted = [...errors.values()].sort((a, b) => a - b);
    expect(sorted[sorted.length >> 1]).toBeLessThan(typical);
    expect(sorted.at(-1)).toBeLessThan(worst);
  });
});

/** Of each trained tensor: the norm of the gradients' difference over the norm of the gradient with f32 weights. */
async function gradientErrors(weightStorage: WeightStorage): Promise<ReadonlyMap<string, number>> {
  const folder = new URL('../../models/roberta-mini/', import.meta.url);
  const shape = parseModelConfig(JSON.parse(await readFile(new URL('config.json', folder), 'utf8')));
  const weights = await openWeights(bytesSource(await readFile(new URL('model.safetensors', folder))));
  const lora = { rank: 8, alpha: 16, targets: [...LORA_TARGETS] };
  const layout = parameterLayout(shape, lora, 2);
  const parameters = await initialParameters(layout, weights, 5);
  // As after some steps: B is no longer zero.
  const noise = randomValues(layout.length, 6, 0.02);
  for (let i = 0; i < parameters.length; i++) parameters[i]! += noise[i]!;
  const [samples, tokens] = [8, 24];
  const batch: TokenBatch = {
    ids: Int32Array.from({ length: samples * tokens }, (_, i) =>
      i % tokens === 0 ? 0 : 4 + ((i * 2654435761) % 8000),
    ),
    lengths: Int32Array.from({ length: samples }, (_, i) => tokens - 2 * i),
    labels: Float32Array.from({ length: samples }, (_, i) => i % 2),
    positions: Int32Array.from({ length: samples }, (_, i) => i),
    tokens,
  };
  const gradient = async (storage: WeightStorage) => {
    const request: EngineRequest = { shape, lora, labelCount: 2, weights, weightStorage: storage, withDropout: false };
    const engine = await createOnnxEngine(request, 'wasm');
    await engine.setParameters(parameters);
    const result = await lossAndGradient(engine, batch);
    await engine.dispose();
    return result.gradient;
  };
  const [exact, got] = [await gradient('f32'), await gradient(weightStorage)];
  return new Map(
    [...layout.layers, layout.head]
      .flatMap((block) => block.slots)
      .map(({ name, offset, length }) => {
        let [difference, size] = [0, 0];
        for (let i = offset; i < offset + length; i++) {
          difference += (got[i]! - exact[i]!) ** 2;
          size += exact[i]! ** 2;
        }
        return [name, Math.sqrt(difference / size)];
      }),
  );
}
