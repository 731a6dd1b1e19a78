import { describe, expect, it } from 'vitest';
import { LORA_TARGETS } from '../../signaling/protocol/settings.ts';
import { partOf, type UnitRun, unitCount } from '../../signaling/protocol/split.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import type { EngineRequest, Hidden } from '../../worker/engine/engine.ts';
import { createEngineOn, precisionsFor, type WebGpuChoices } from '../../worker/engine/webgpu/engine.ts';
import { onlyTheRun, partSuite } from '../engine/part-suite.ts';
import { needs } from '../needs.ts';
import { openGpu } from './dawn.ts';
import { GPU } from './gpu-need.ts';

const CHOICES: WebGpuChoices = {
  precision: 'f32',
  weights: 'f32',
  tile: { kind: 'subgroup', rows: 128, columns: 8, inner: 4, threadRows: 2, threadColumns: 8 },
  attentionThreads: 'sharing',
};
const NO_DROPOUT = { probability: 0, seed: 0, round: 1 };

const create = async (request: EngineRequest, choices: Partial<WebGpuChoices> = {}) =>
  createEngineOn(await openGpu(), 'Dawn', request, { ...CHOICES, ...choices });

describe('webgpu', needs(GPU), () => {
  // As devices without half precision have it.
  const asStored = (request: EngineRequest) => create(request, precisionsFor(request.weightStorage, false));
  partSuite('parts on Dawn', asStored, {
    tolerance: 0,
    refuses: ['no width divisible by four'],
  });

  const layers = 3;
  const runs: readonly UnitRun[] = Array.from({ length: unitCount(layers) }, (_, from) =>
    Array.from({ length: unitCount(layers) - from }, (__, i) => ({ from, to: from + i + 1 })),
  ).flat();

  it.each(runs)('allocates for units $from to $to exactly what it states', async (run) => {
    const model = await randomModel({ layers, tokens: 9, targets: LORA_TARGETS });
    const part = partOf(run, layers);
    const samples = model.batch.lengths.length;
    const held = part.layers.to - part.layers.from;
    for (let savedLayers = 0; savedLayers <= held; savedLayers++) {
      const engine = await create({ ...model, part, weights: onlyTheRun(model, run) });
      await engine.setParameters(model.parameters);
      const bytes = engine.bytes(samples, 9, { savedLayers });
      expect(engine.gpu.allocatedBytes).toBe(bytes.weightsBytes);
      const saveFrom = part.layers.to - savedLayers;
      const pass = await engine.begin(model.batch, { saveFrom, dropout: NO_DROPOUT });
      const rows = model.batch.lengths.reduce((a, b) => a + b, 0) * model.shape.hiddenSize;
      const wrapped = () => engine.wrapHidden(model.batch, new Float32Array(rows).fill(0.25));
      const output = await pass.forward(part.layers, part.embeddings ? await pass.embed() : await wrapped());
      let dHidden: Hidden | null = null;
      if (part.head) dHidden = (await pass.loss(output, { dHidden: true, headGradient: true })).dHidden;
      else {
        await output.readPacked();
        if (savedLayers > 0) dHidden = await wrapped();
      }
      if (dHidden !== null) {
        const backward = pass.backward({ from: saveFrom, to: part.layers.to }, dHidden, true);
        let step = await backward.next();
        for (; !step.done; step = await backward.next());
        expect((await step.value!.readFirst()).length).toBe(samples * model.shape.hiddenSize);
      }
      expect(engine.gpu.allocatedBytes).toBe(
        bytes.weightsBytes + bytes.transientBytes + bytes.savedBytes + bytes.gradientBytes,
      );
      pass.dispose();
      await engine.dispose();
      expect(engine.gpu.allocatedBytes).toBe(0);
    }
  });

  it('reads tables of 8 bits beside matrices and activations of 16', async () => {
    const model = await randomModel({ hiddenSize: 32, heads: 2, ffnSize: 64, tokens: 9 });
    const embedded = async (choices: Partial<WebGpuChoices>, of: Partial<EngineRequest>) => {
      const engine = await create({ ...model, ...of }, choices);
      const pass = await engine.begin(model.batch, { saveFrom: 2, dropout: NO_DROPOUT });
      const rows = await (await pass.embed()).readPacked();
      pass.dispose();
      await engine.dispose();
      return rows;
    };
    const want = await embedded({ weights: 'int8' }, { weightStorage: 'int8' });
    for (const choices of [{ weights: 'packed' }, { weights: 'f16', precision: 'f16' }] as const) {
      const got = await embedded(choices, { weightStorage: 'f16', embeddingStorage: 'int8' });
      const off = got.reduce((most, value, i) => Math.max(most, Math.abs(value - want[i]!)), 0);
      expect(off, choices.weights).toBeLessThan(choices.weights === 'packed' ? 1e-7 : 4e-3);
    }
  });
});
