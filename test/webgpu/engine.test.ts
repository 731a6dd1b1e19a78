import { describe, expect, it } from 'vitest';
import { LORA_TARGETS, WEIGHT_STORAGES } from '../../signaling/protocol/settings.ts';
import { checkGolden, relativeError } from '../../worker/check/golden-check.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import { selfTest } from '../../worker/check/self-test.ts';
import type { Engine, EngineRequest } from '../../worker/engine/engine.ts';
import { hiddenFromValues } from '../../worker/engine/hidden.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { createEngineOn, createWebGpuEngine, type WebGpuChoices } from '../../worker/engine/webgpu/engine.ts';
import { recovering } from '../../worker/engine/webgpu/recovery.ts';
import { GOLDEN_NAMES, goldenCase } from '../engine/golden-cases.ts';
import { engineSuite } from '../engine/suite.ts';
import { needs } from '../needs.ts';
import { dawn, openGpu } from './dawn.ts';
import { GPU } from './gpu-need.ts';

const CHOICES: WebGpuChoices = {
  precision: 'f32',
  weights: 'f32',
  tile: { kind: 'subgroup', rows: 128, columns: 8, inner: 4, threadRows: 2, threadColumns: 8 },
  attentionThreads: 'sharing',
};

const create = async (request: EngineRequest, choices: Partial<WebGpuChoices> = {}) =>
  createEngineOn(await openGpu(), 'Dawn', request, { ...CHOICES, ...choices });

const NO_DROPOUT = { probability: 0, seed: 0, round: 1 };

describe('webgpu', needs(GPU), () => {
  // Its kernels take four values at a time; no published RoBERTa has other widths.
  engineSuite('engine webgpu on Dawn', (request) => create(request), ['no width divisible by four']);

  it('refuses widths that its kernels cannot take', async () => {
    const model = await randomModel({ hiddenSize: 15, heads: 3, ffnSize: 17 });
    await expect(create(model)).rejects.toThrow('a hidden size that is a multiple of 4, not 15');
  });

  it.each([
    ['staged', 'pairs'],
    ['direct', 'alone'],
  ] as const)('is as exact with %s tiles and threads in %s', async (kind, attentionThreads) => {
    const golden = await goldenCase('three-way');
    const tile =
      kind === 'staged'
        ? { kind, rows: 16, columns: 32, inner: 8, threadRows: 4, threadColumns: 8 }
        : { kind, rows: 64, columns: 8, inner: 4, threadRows: 1, threadColumns: 8 };
    const engine = await create(golden, { tile, attentionThreads });
    const errors = await checkGolden(engine, golden);
    expect(errors.logits).toBeLessThan(1e-5);
    for (const [group, error] of errors.gradients) expect(error, group).toBeLessThan(1e-4);
    await engine.dispose();
  });

  it('takes 511 tokens', async () => {
    const model = await randomModel({
      layers: 1,
      hiddenSize: 16,
      heads: 2,
      ffnSize: 24,
      tokens: 511,
      lengths: [511, 37],
    });
    const engine = await create(model);
    const reference = await createReferenceEngine(model);
    await engine.setParameters(model.parameters);
    await reference.setParameters(model.parameters);
    const got = await lossAndGradient(engine, model.batch);
    const want = await lossAndGradient(reference, model.batch);
    expect(relativeError(got.logits, want.logits)).toBeLessThan(1e-5);
    expect(relativeError(got.gradient, want.gradient)).toBeLessThan(1e-4);
    await engine.dispose();
  });

  it.each(WEIGHT_STORAGES)(
    'passes the self-test with %s weights as devices make it, its tile chosen by trial',
    async (storage) => {
      await selfTest((request) => createWebGpuEngine(request, dawn), storage);
    },
  );

  it('goes on with a new device when it loses its own', async () => {
    const model = await randomModel();
    const opened: GPUDevice[] = [];
    const engine = await recovering(async () => {
      const made = await create(model);
      opened.push(made.gpu.device);
      return made;
    });
    await engine.setParameters(model.parameters);
    const want = await lossAndGradient(engine, model.batch);
    const pass = await engine.begin(model.batch, { saveFrom: 0, dropout: NO_DROPOUT });
    const hidden = await pass.embed();
    opened[0]!.destroy();
    await expect(hidden.read()).rejects.toThrow('The graphics device was lost');
    pass.dispose();
    expect(await lossAndGradient(engine, model.batch)).toEqual(want);
    expect(opened).toHaveLength(2);
    await engine.dispose();
    await expect(lossAndGradient(engine, model.batch)).rejects.toThrow('has been closed');
  });

  it('says when a buffer is larger than the device allows, and serves smaller batches afterwards', async () => {
    const model = await randomModel();
    const engine = await create(model);
    await engine.setParameters(model.parameters);
    const samples = 2_000_000;
    const batch = {
      ids: new Int32Array(7 * samples).fill(5),
      lengths: new Int32Array(samples).fill(7),
      labels: new Float32Array(samples),
      positions: new Int32Array(samples),
      tokens: 7,
    };
    const options = { saveFrom: 0, dropout: NO_DROPOUT };
    await expect(engine.begin(batch, options)).rejects.toThrow(
      /this graphics device allows [\d.]+ [MG]B; use a smaller micro-batch/,
    );
    expect((await lossAndGradient(engine, model.batch)).logits).toHaveLength(6);
    await engine.dispose();
  });

  it('says what fits by taking it, gives it back, and works on where something did not', async () => {
    const model = await randomModel();
    const engine = await create(model);
    const { weightsBytes } = engine.bytes(1, 1, { savedLayers: 0 });
    expect(await engine.fits(4, 7, { savedLayers: 2 })).toBe(true);
    expect(engine.gpu.allocatedBytes).toBe(weightsBytes);
    expect(await engine.fits(2_000_000, 7, { savedLayers: 2 })).toBe(false);
    expect(engine.gpu.allocatedBytes).toBe(weightsBytes);
    await engine.setParameters(model.parameters);
    expect((await lossAndGradient(engine, model.batch)).logits).toHaveLength(6);
    expect(await engine.copyBytesPerSecond()).toBeGreaterThan(1e6);
    expect(engine.gpu.failure).toBe(null);
    await engine.dispose();
  });

  describe('half precision', () => {
    it.each(GOLDEN_NAMES)('is within 2e-2 of PyTorch on %s', async (name) => {
      const golden = await goldenCase(name);
      const engine = await create(golden, { precision: 'f16', weights: 'f16' });
      const errors = await checkGolden(engine, golden);
      expect(errors.logits).toBeLessThan(2e-2);
      expect(errors.loss).toBeLessThan(2e-2);
      for (const [group, error] of errors.gradients) expect(error, group).toBeLessThan(2e-2);
      await engine.dispose();
    });

    it('halves the bytes of matrices and of what is saved', async () => {
      const model = await randomModel({ hiddenSize: 32, heads: 2, ffnSize: 64, tokens: 24 });
      const bytes = async (precision: 'f32' | 'f16') => {
        const engine = await create(model, { precision, weights: precision });
        const sizes = engine.bytes(3, 24, { savedLayers: 2 });
        await engine.setParameters(model.parameters);
        await lossAndGradient(engine, model.batch);
        const { weightsBytes, transientBytes, savedBytes, gradientBytes } = sizes;
        expect(engine.gpu.allocatedBytes).toBe(weightsBytes + transientBytes + savedBytes + gradientBytes);
        await engine.dispose();
        return sizes;
      };
      const [full, half] = [await bytes('f32'), await bytes('f16')];
      expect(half.savedBytes / full.savedBytes).toBeLessThan(0.6);
    });
  });

  describe('bytes', () => {
    it('are exactly what a pass allocates, at every depth', async () => {
      const model = await randomModel({ layers: 3, tokens: 9, targets: LORA_TARGETS });
      const samples = model.batch.lengths.length;
      for (let depth = 0; depth <= 3; depth++) {
        const engine = await create(model);
        await engine.setParameters(model.parameters);
        const { weightsBytes, transientBytes, savedBytes, gradientBytes } = engine.bytes(samples, 9, {
          savedLayers: depth,
        });
        expect(engine.gpu.allocatedBytes).toBe(weightsBytes);
        await lossAndGradient(engine, model.batch, depth);
        expect(engine.gpu.allocatedBytes).toBe(weightsBytes + transientBytes + savedBytes + gradientBytes);
        await engine.dispose();
        expect(engine.gpu.allocatedBytes).toBe(0);
      }
    });

    it('do not grow for a smaller batch, and by what a larger one needs', async () => {
      const model = await randomModel({ tokens: 16, samples: 2 });
      const engine = await create(model);
      await engine.setParameters(model.parameters);
      const total = (tokens: number) => {
        const bytes = engine.bytes(2, tokens, { savedLayers: 2 });
        return bytes.weightsBytes + bytes.transientBytes + bytes.savedBytes + bytes.gradientBytes;
      };
      const cut = (tokens: number) => ({
        ...model.batch,
        ids: model.batch.ids.filter((_, i) => i % 16 < tokens),
        lengths: model.batch.lengths.map((length) => Math.min(tokens, length)),
        tokens,
      });
      await lossAndGradient(engine, cut(4));
      expect(engine.gpu.allocatedBytes).toBe(total(4));
      await lossAndGradient(engine, cut(16));
      expect(engine.gpu.allocatedBytes).toBe(total(16));
      await lossAndGradient(engine, cut(8));
      expect(engine.gpu.allocatedBytes).toBe(total(16));
      await engine.dispose();
    });
  });

  describe('misuse', () => {
    const opened = async () => {
      const model = await randomModel();
      const engine: Engine = await create(model);
      await engine.setParameters(model.parameters);
      const options = { saveFrom: 1, dropout: NO_DROPOUT };
      return { model, engine, options, pass: await engine.begin(model.batch, options) };
    };

    it('of one pass while another is pulled backward is refused, and may follow', async () => {
      const { model, engine, options, pass } = await opened();
      const hidden = await pass.forward({ from: 0, to: 2 }, await pass.embed());
      const { dHidden } = await pass.loss(hidden, { dHidden: true, headGradient: false });
      const backward = pass.backward({ from: 1, to: 2 }, dHidden!, false);
      await backward.next();
      await expect(engine.begin(model.batch, options)).rejects.toThrow('Another pass is on its way backward');
      expect((await backward.next()).done).toBe(true);
      (await engine.begin(model.batch, options)).dispose();
      const again = await engine.begin(model.batch, options);
      await again.embed();
      await expect(engine.fits(1, 7, { savedLayers: 1 })).rejects.toThrow('A pass is still open');
      again.dispose();
      pass.dispose();
      await expect(pass.embed()).rejects.toThrow('This pass has ended.');
      await engine.dispose();
    });

    it('of hidden states that another pass has taken the place of is refused', async () => {
      const { model, engine, options, pass } = await opened();
      const hidden = await pass.embed();
      const other = await engine.begin(model.batch, options);
      await other.embed();
      await expect(hidden.readPacked()).rejects.toThrow('have been used up');
      await expect(pass.forward({ from: 0, to: 1 }, hidden)).rejects.toThrow('have been used up');
      other.dispose();
      pass.dispose();
      await engine.dispose();
    });

    it('of layers and hidden states that are not there is refused', async () => {
      const { engine, pass } = await opened();
      const hidden = await pass.embed();
      await expect(pass.forward({ from: 1, to: 3 }, hidden)).rejects.toThrow('not a range of the model');
      const next = await pass.forward({ from: 0, to: 2 }, hidden);
      await expect(hidden.read()).rejects.toThrow('used up');
      const { dHidden } = await pass.loss(next, { dHidden: true, headGradient: false });
      await expect(pass.backward({ from: 0, to: 2 }, dHidden!, false).next()).rejects.toThrow('Layer 0 was not saved');
      await expect(
        pass.forward(
          { from: 0, to: 1 },
          hiddenFromValues({ lengths: Int32Array.of(1), tokens: 1 }, new Float32Array(5)),
        ),
      ).rejects.toThrow('do not fit');
      await engine.dispose();
    });

    it('of a backward pass that is left early leaves the engine usable', async () => {
      const { model, engine, pass } = await opened();
      const want = await (async () => {
        const hidden = await pass.forward({ from: 0, to: 2 }, await pass.embed());
        const { logits, dHidden } = await pass.loss(hidden, { dHidden: true, headGradient: false });
        for await (const _ of pass.backward({ from: 1, to: 2 }, dHidden!, true)) break;
        pass.dispose();
        return logits;
      })();
      expect((await lossAndGradient(engine, model.batch, 2)).logits).toEqual(want);
      await engine.dispose();
    });
  });
});
