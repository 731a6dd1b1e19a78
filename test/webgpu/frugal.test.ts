import { describe, expect, it } from 'vitest';
import { LORA_TARGETS, type LoraTarget, type WeightStorage } from '../../signaling/protocol/settings.ts';
import { relativeError } from '../../worker/check/golden-check.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import type { EngineRequest } from '../../worker/engine/engine.ts';
import { hiddenFromValues } from '../../worker/engine/hidden.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { createEngineOn, precisionsFor, type WebGpuChoices } from '../../worker/engine/webgpu/engine.ts';
import type { WeightPrecision } from '../../worker/engine/webgpu/kernels/kernel.ts';
import { needs } from '../needs.ts';
import { openGpu } from './dawn.ts';
import { GPU } from './gpu-need.ts';

/** What the engine does for devices with little memory: smaller weights, and layers that go forward twice. */

const CHOICES: WebGpuChoices = {
  precision: 'f32',
  weights: 'f32',
  tile: { kind: 'subgroup', rows: 128, columns: 8, inner: 4, threadRows: 2, threadColumns: 8 },
  attentionThreads: 'sharing',
};
const DROPOUT = { probability: 0.25, seed: 11, round: 4 };

const create = async (request: EngineRequest, choices: Partial<WebGpuChoices> = {}) =>
  createEngineOn(await openGpu(), 'Dawn', request, { ...CHOICES, ...choices });

const total = (bytes: { weightsBytes: number; transientBytes: number; savedBytes: number; gradientBytes: number }) =>
  bytes.weightsBytes + bytes.transientBytes + bytes.savedBytes + bytes.gradientBytes;

it("computes in half precision where the session's weights have it and the device, too", () => {
  expect(precisionsFor('f16', true)).toEqual({ precision: 'f16', weights: 'f16' });
  expect(precisionsFor('f16', false)).toEqual({ precision: 'f32', weights: 'packed' });
  expect(precisionsFor('int8', true)).toEqual({ precision: 'f32', weights: 'int8' });
  expect(precisionsFor('f32', true)).toEqual({ precision: 'f32', weights: 'f32' });
});

describe('frozen weights', needs(GPU), () => {
  it.each([
    ['packed', 'f16'],
    ['f16', 'f16'],
    ['int8', 'int8'],
  ] as const satisfies readonly (readonly [WeightPrecision, WeightStorage])[])(
    'stored %s give what the reference computes with %s weights',
    async (weights, weightStorage) => {
      const random = await randomModel({ targets: LORA_TARGETS, hiddenSize: 36, heads: 3, ffnSize: 52, tokens: 9 });
      const model = { ...random, weightStorage };
      const [engine, reference] = [await create(model, { weights }), await createReferenceEngine(model)];
      await engine.setParameters(model.parameters);
      await reference.setParameters(model.parameters);
      const got = await lossAndGradient(engine, model.batch, 2, DROPOUT);
      const want = await lossAndGradient(reference, model.batch, 2, DROPOUT);
      expect(relativeError(got.logits, want.logits)).toBeLessThan(1e-5);
      expect(relativeError(got.gradient, want.gradient)).toBeLessThan(1e-5);
      expect(engine.gpu.allocatedBytes).toBe(total(engine.bytes(model.batch.lengths.length, 9, { savedLayers: 2 })));
      await engine.dispose();
    },
  );

  it('take a quarter of the bytes in 8-bit codes, but for vectors and scales', async () => {
    const model = await randomModel({ hiddenSize: 64, heads: 2, ffnSize: 256, layers: 1 });
    const bytes = async (weights: WeightPrecision) => {
      const engine = await create(model, { weights });
      const { weightsBytes } = engine.bytes(1, 1, { savedLayers: 0 });
      await engine.dispose();
      return weightsBytes;
    };
    const [full, codes] = [await bytes('f32'), await bytes('int8')];
    const rows = 4 * 64 + 256 + 64 + model.shape.vocabSize + model.shape.maxPositions + 1;
    const elements = 4 * 64 * 64 + 2 * 64 * 256 + (model.shape.vocabSize + model.shape.maxPositions + 1) * 64;
    expect(full - codes).toBe(3 * elements - 4 * rows);
  });
});

describe('recomputation', needs(GPU), () => {
  const TARGETS: readonly (readonly [string, readonly LoraTarget[]])[] = [
    ['query and value', ['query', 'value']],
    ['every target', LORA_TARGETS],
    ['the shallowest target alone', ['output.dense']],
  ];

  it('of layers with adapters of two ranks, and without', async () => {
    const adapters = { layers: [0, 2, 3], rankPattern: { 2: 9 } };
    const model = await randomModel({ layers: 5, tokens: 9, targets: LORA_TARGETS, adapters });
    const [usual, engine] = [await create(model), await create(model)];
    for (const made of [usual, engine]) await made.setParameters(model.parameters);
    const bytes = () => engine.bytes(model.batch.lengths.length, 9, { savedLayers: 5, recompute: true });
    const got = await lossAndGradient(engine, model.batch, 5, DROPOUT, true);
    expect(engine.gpu.allocatedBytes).toBe(total(bytes()));
    const want = await lossAndGradient(usual, model.batch, 5, DROPOUT);
    expect(got.logits).toEqual(want.logits);
    expect(relativeError(got.gradient, want.gradient)).toBeLessThan(2e-6);
    expect(usual.gpu.allocatedBytes).toBe(total(usual.bytes(model.batch.lengths.length, 9, { savedLayers: 5 })));
    for (const made of [usual, engine]) await made.dispose();
  });

  it.each(TARGETS)('gives the same gradients at every depth, in the bytes that it states: %s', async (_, targets) => {
    const model = await randomModel({ layers: 3, tokens: 9, targets });
    const samples = model.batch.lengths.length;
    const usual = await create(model);
    await usual.setParameters(model.parameters);
    for (let depth = 0; depth <= 3; depth++) {
      const engine = await create(model);
      await engine.setParameters(model.parameters);
      const got = await lossAndGradient(engine, model.batch, depth, DROPOUT, true);
      const want = await lossAndGradient(usual, model.batch, depth, DROPOUT);
      expect(got.logits).toEqual(want.logits);
      expect(relativeError(got.gradient, want.gradient)).toBeLessThan(2e-6);
      expect(engine.gpu.allocatedBytes).toBe(total(engine.bytes(samples, 9, { savedLayers: depth, recompute: true })));
      await engine.dispose();
    }
    await usual.dispose();
  });

  it('keeps for each further layer its input and its gradient, no more', async () => {
    const model = await randomModel({ layers: 3, tokens: 9 });
    const engine = await create(model);
    const at = (depth: number) => engine.bytes(2, 9, { savedLayers: depth, recompute: true });
    const input = 2 * 9 * model.shape.hiddenSize * 4;
    expect(at(3).savedBytes).toBe(3 * input);
    expect(at(3).transientBytes).toBe(at(1).transientBytes);
    expect(total(at(3)) - total(at(2))).toBe(input + engine.layout.layers[0]!.length * 4);
    expect(total(at(3))).toBeLessThan(total(engine.bytes(2, 9, { savedLayers: 3 })));
    expect(at(0)).toEqual(engine.bytes(2, 9, { savedLayers: 0 }));
    await engine.dispose();
  });

  it('may follow and precede usual passes of the same engine', async () => {
    const model = await randomModel({ layers: 2, tokens: 5 });
    const engine = await create(model);
    await engine.setParameters(model.parameters);
    const want = await lossAndGradient(engine, model.batch, 2, DROPOUT);
    const again = await lossAndGradient(engine, model.batch, 2, DROPOUT, true);
    expect(relativeError(again.gradient, want.gradient)).toBeLessThan(2e-6);
    expect(await lossAndGradient(engine, model.batch, 2, DROPOUT)).toEqual(want);
    await engine.dispose();
  });

  it('takes hidden states that came from elsewhere', async () => {
    const model = await randomModel({ layers: 2, tokens: 5 });
    const engine = await create(model);
    await engine.setParameters(model.parameters);
    const want = await lossAndGradient(engine, model.batch, 1);
    const none = { probability: 0, seed: 0, round: 1 };
    const pass = await engine.begin(model.batch, { saveFrom: 1, dropout: none, recompute: true });
    const below = await pass.forward({ from: 0, to: 1 }, await pass.embed());
    const elsewhere = hiddenFromValues(model.batch, (await below.read()).slice());
    const top = await pass.forward({ from: 1, to: 2 }, elsewhere);
    const { dHidden } = await pass.loss(top, { dHidden: true, headGradient: false });
    const block = engine.layout.layers[1]!;
    for await (const part of pass.backward({ from: 1, to: 2 }, dHidden!, false))
      expect(relativeError(part.gradient, want.gradient.slice(block.offset, block.offset + block.length))).toBeLessThan(
        2e-6,
      );
    pass.dispose();
    await engine.dispose();
  });
});

describe('want of memory', needs(GPU), () => {
  it('that the device reports fails one pass, gives back what was taken, and the next pass works', async () => {
    const model = await randomModel();
    const engine = await create(model);
    await engine.setParameters(model.parameters);
    const { weightsBytes } = engine.bytes(1, 1, { savedLayers: 0 });
    const { device } = engine.gpu;
    // A driver in software hands out what it does not have, so the device's answer is put in its place.
    const answer = device.popErrorScope.bind(device);
    device.popErrorScope = async () => {
      await answer();
      return new GPUOutOfMemoryError('no memory left');
    };
    const options = { saveFrom: 0, dropout: { probability: 0, seed: 0, round: 1 } };
    await expect(engine.begin(model.batch, options)).rejects.toThrow('too little memory for this work');
    expect(await engine.fits(2, 7, { savedLayers: 2 })).toBe(false);
    expect(engine.gpu.allocatedBytes).toBe(weightsBytes);
    device.popErrorScope = answer;
    expect((await lossAndGradient(engine, model.batch)).logits).toHaveLength(6);
    await engine.dispose();
  });
});

describe('an engine that cannot recompute', () => {
  it('says so', async () => {
    expect((await createReferenceEngine(await randomModel())).recomputes).toBe(false);
  });
});
