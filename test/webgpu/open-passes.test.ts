import { describe, expect, it } from 'vitest';
import { LORA_TARGETS } from '../../signaling/protocol/settings.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { type RandomModel, randomModel } from '../../worker/check/random-model.ts';
import { rowsOf } from '../../worker/data/batches.ts';
import type { EngineRequest, Pass } from '../../worker/engine/engine.ts';
import { createEngineOn, type WebGpuChoices } from '../../worker/engine/webgpu/engine.ts';
import { needs } from '../needs.ts';
import { openGpu } from './dawn.ts';
import { GPU } from './gpu-need.ts';

const CHOICES: WebGpuChoices = {
  precision: 'f32',
  weights: 'f32',
  tile: { kind: 'subgroup', rows: 128, columns: 8, inner: 4, threadRows: 2, threadColumns: 8 },
  attentionThreads: 'sharing',
};
const DROPOUT = { probability: 0.25, seed: 11, round: 4 };
const LAYERS = 3;

const create = async (request: EngineRequest) => createEngineOn(await openGpu(), 'Dawn', request, CHOICES);
type Made = Awaited<ReturnType<typeof create>>;

const total = (bytes: { weightsBytes: number; transientBytes: number; savedBytes: number; gradientBytes: number }) =>
  bytes.weightsBytes + bytes.transientBytes + bytes.savedBytes + bytes.gradientBytes;

/** Each sample as a micro-batch of its own, padded no further than itself. */
const singles = ({ batch }: RandomModel) => Array.from(batch.lengths, (_, row) => rowsOf(batch, [row]));

const forward = async (pass: Pass, batch: RandomModel['batch']) => {
  const hidden = await pass.forward({ from: 0, to: LAYERS }, await pass.embed());
  return { pass, batch, output: await hidden.readPacked() };
};

const backward = async (engine: Made, { pass, batch, output }: Awaited<ReturnType<typeof forward>>, from: number) => {
  const gradient = new Float32Array(engine.layout.length);
  const hidden = await engine.wrapHidden(batch, output);
  const { logits, lossSum, dHidden, head } = await pass.loss(hidden, { dHidden: true, headGradient: true });
  gradient.set(head!.gradient, engine.layout.head.offset);
  for await (const { block, gradient: values } of pass.backward({ from, to: LAYERS }, dHidden!, false))
    gradient.set(values, engine.layout.layers[Number(block)]!.offset);
  pass.dispose();
  return { logits, lossSum, gradient };
};

describe('several open passes', needs(GPU), () => {
  it.each([
    ['what they keep', false],
    ['their inputs alone', true],
  ])('give what each gives alone, to the bit, in any order, by %s', async (_, recompute) => {
    const model = await randomModel({ layers: LAYERS, tokens: 9, lengths: [3, 9, 1, 6], targets: LORA_TARGETS });
    const batches = singles(model);
    const [engine, alone] = [await create(model), await create(model)];
    for (const made of [engine, alone]) await made.setParameters(model.parameters);
    const want = [];
    for (const batch of batches) want.push(await lossAndGradient(alone, batch, 2, DROPOUT, recompute));
    const options = { saveFrom: 1, dropout: DROPOUT, recompute };
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const open = [];
      for (const batch of batches) open.push(await forward(await engine.begin(batch, options), batch));
      for (const index of order)
        expect(await backward(engine, open[index]!, 1), `sample ${index}`).toEqual(want[index]);
    }
    for (const made of [engine, alone]) await made.dispose();
  });

  it('take exactly the bytes that are stated for so many, and no more the next time', async () => {
    const model = await randomModel({ layers: LAYERS, tokens: 6, samples: 4, lengths: [6, 6, 6, 6] });
    const batches = singles(model);
    for (const recompute of [false, true])
      for (let openPasses = 1; openPasses <= 4; openPasses++) {
        const engine = await create(model);
        await engine.setParameters(model.parameters);
        const stated = total(engine.bytes(1, 6, { savedLayers: 2, openPasses, recompute }));
        for (let time = 0; time < 2; time++) {
          const open = [];
          for (const batch of batches.slice(0, openPasses))
            open.push(await forward(await engine.begin(batch, { saveFrom: 1, dropout: DROPOUT, recompute }), batch));
          for (const one of open) await backward(engine, one, 1);
          expect(engine.gpu.allocatedBytes, `${openPasses} passes, the ${time + 1}. time`).toBe(stated);
        }
        expect(await engine.fits(1, 6, { savedLayers: 2, openPasses, recompute })).toBe(true);
        await engine.dispose();
      }
  });

  it('never take more than is stated where later ones are longer', async () => {
    const model = await randomModel({ layers: LAYERS, tokens: 9, lengths: [2, 4, 7, 9] });
    const engine = await create(model);
    await engine.setParameters(model.parameters);
    const stated = total(engine.bytes(1, 9, { savedLayers: 3, openPasses: 2 }));
    let before: Awaited<ReturnType<typeof forward>> | null = null;
    for (const batch of singles(model)) {
      const next = await forward(await engine.begin(batch, { saveFrom: 0, dropout: DROPOUT }), batch);
      expect(engine.gpu.allocatedBytes).toBeLessThanOrEqual(stated);
      if (before !== null) await backward(engine, before, 0);
      before = next;
    }
    await backward(engine, before!, 0);
    expect(engine.gpu.allocatedBytes).toBeLessThanOrEqual(stated);
    await engine.dispose();
  });

  it('may follow passes of the other kind, and one that was left in the middle', async () => {
    const model = await randomModel({ layers: LAYERS, tokens: 5 });
    const engine = await create(model);
    await engine.setParameters(model.parameters);
    const want = await lossAndGradient(engine, model.batch, 3, DROPOUT);
    const left = await engine.begin(model.batch, { saveFrom: 0, dropout: DROPOUT, recompute: true });
    const hidden = await left.forward({ from: 0, to: LAYERS }, await left.embed());
    const { dHidden } = await left.loss(hidden, { dHidden: true, headGradient: false });
    const generator = left.backward({ from: 0, to: LAYERS }, dHidden!, false);
    await generator.next();
    left.dispose();
    expect(await lossAndGradient(engine, model.batch, 3, DROPOUT)).toEqual(want);
    await generator.return(null);
    expect(await lossAndGradient(engine, model.batch, 3, DROPOUT)).toEqual(want);
    await engine.dispose();
  });

  it('that find no memory leave those that are open as they were', async () => {
    const model = await randomModel({ layers: LAYERS, tokens: 5 });
    const engine = await create(model);
    await engine.setParameters(model.parameters);
    const want = await lossAndGradient(engine, model.batch, 3, DROPOUT);
    const open = await forward(await engine.begin(model.batch, { saveFrom: 0, dropout: DROPOUT }), model.batch);
    const { device } = engine.gpu;
    const answer = device.popErrorScope.bind(device);
    device.popErrorScope = async () => {
      await answer();
      return new GPUOutOfMemoryError('no memory left');
    };
    await expect(engine.begin(model.batch, { saveFrom: 0, dropout: DROPOUT })).rejects.toThrow('too little memory');
    device.popErrorScope = answer;
    expect(await backward(engine, open, 0)).toEqual(want);
    await engine.dispose();
  });
});
