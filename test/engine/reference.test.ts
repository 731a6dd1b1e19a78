import { describe, expect, it } from 'vitest';
import { LORA_TARGETS } from '../../signaling/protocol/settings.ts';
import { checkGolden, relativeError } from '../../worker/check/golden-check.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { type RandomModelOptions, randomModel, randomValues } from '../../worker/check/random-model.ts';
import type { Loss } from '../../worker/engine/loss.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { erfc } from '../../worker/engine/reference/functions.ts';
import { GOLDEN_NAMES, goldenCase } from './golden-cases.ts';

describe('reference engine', () => {
  it.each(GOLDEN_NAMES)('reproduces PyTorch on %s', async (name) => {
    const golden = await goldenCase(name);
    const engine = await createReferenceEngine(golden);
    const errors = await checkGolden(engine, golden);
    // The file was computed in float64 and stored as float32.
    expect(errors.logits).toBeLessThan(1e-6);
    expect(errors.loss).toBeLessThan(1e-6);
    for (const [group, error] of errors.gradients) expect(error, group).toBeLessThan(1e-6);
    expect(errors.lossCurve).toBeLessThan(1e-4);

    await engine.setParameters(golden.parameters);
    const pass = await engine.begin(golden.batch, {
      saveFrom: golden.shape.layers,
      dropout: { probability: 0, seed: 0, round: 1 },
    });
    let hidden = await pass.embed();
    expect(relativeError(await hidden.read(), golden.expected.hidden[0]!)).toBeLessThan(1e-6);
    for (let layer = 0; layer < golden.shape.layers; layer++) {
      hidden = await pass.forward({ from: layer, to: layer + 1 }, hidden);
      expect(relativeError(await hidden.read(), golden.expected.hidden[layer + 1]!)).toBeLessThan(1e-6);
    }
  });
});

const MIXED: NonNullable<RandomModelOptions['adapters']> = {
  layers: [1, 3],
  rankPattern: { 3: 4 },
  alphaPattern: { 1: 3 },
  rslora: true,
};

const WEIGHTED: Loss = { kind: 'cross-entropy', classWeights: [0.5, 2, 7], labelSmoothing: 0.2 };

describe('gradients against central differences', () => {
  it.each([
    ['classification', { labelCount: 3 }, 0],
    ['regression', { labelCount: 1 }, 0],
    ['class weights and smoothing', { labelCount: 3, loss: WEIGHTED }, 0],
    ['several labels', { labelCount: 3, loss: { kind: 'binary-cross-entropy' } }, 0],
    ['classification with dropout', { labelCount: 3 }, 0.3],
    ['one token, one sample', { labelCount: 2, tokens: 1, samples: 1 }, 0],
    ['a row of nothing but padding', { labelCount: 2, lengths: [7, 0, 2] }, 0],
    ['two of four layers, of two ranks', { layers: 4, labelCount: 2, tokens: 4, samples: 2, adapters: MIXED }, 0.3],
  ] as const)('%s', async (_, sizes, probability) => {
    const model = await randomModel({ layers: 2, ...sizes, targets: LORA_TARGETS });
    const engine = await createReferenceEngine(model);
    const dropout = { probability, seed: 5, round: 2 };
    const lossAt = async (parameters: Float32Array) => {
      await engine.setParameters(parameters);
      return lossAndGradient(engine, model.batch, model.shape.layers, dropout);
    };
    const { gradient } = await lossAt(model.parameters);
    // Whole tensors at once, along seeded directions: every entry of every slot takes part in one of them.
    for (const { name, offset, length } of [...engine.layout.layers, engine.layout.head].flatMap(
      (block) => block.slots,
    )) {
      const direction = randomValues(length, offset + 1, 1);
      const moved = (by: number) => {
        const parameters = model.parameters.slice();
        for (let i = 0; i < length; i++) parameters[offset + i]! += by * direction[i]!;
        return parameters;
      };
      const step = 1e-3;
      const [up, down] = [moved(step), moved(-step)];
      const difference = (await lossAt(up)).lossSum - (await lossAt(down)).lossSum;
      // Parameters are f32: the step that was taken is not quite the one that was asked for.
      let predicted = 0;
      for (let i = offset; i < offset + length; i++) predicted += gradient[i]! * (up[i]! - down[i]!);
      // What a random direction sees of a gradient, on average.
      const typical =
        (step * Math.hypot(...gradient.subarray(offset, offset + length)) * Math.hypot(...direction)) /
        Math.sqrt(length);
      expect(Math.abs(difference - predicted), name).toBeLessThan(1e-3 * typical + 1e-10);
    }
  });
});

describe('erfc', () => {
  it.each([
    [0, 1],
    [0.5, 0.4795001221869535],
    [1, 0.15729920705028513],
    [2.4, 0.0006885138966450789],
    [2.6, 0.00023603441652934908],
    [4, 1.541725790028002e-8],
    [-1, 1.842700792949715],
  ])('at %f is %f', (x, want) => {
    expect(Math.abs(erfc(x) / want - 1)).toBeLessThan(1e-12);
  });
});

describe('adapters on some layers', () => {
  it('are what adapters on all layers are whose B is zero elsewhere', async () => {
    const sizes = { layers: 4, rank: 3, targets: LORA_TARGETS } as const;
    const some = await randomModel({ ...sizes, adapters: { layers: [1, 3] } });
    const all = await randomModel(sizes);
    const [few, whole] = [await createReferenceEngine(some), await createReferenceEngine(all)];
    const parameters = all.parameters.slice();
    for (const block of whole.layout.layers)
      for (const { name, offset, length } of block.slots) {
        const same = few.layout.layers.flatMap(({ slots }) => slots).find((slot) => slot.name === name);
        if (same) parameters.set(some.parameters.subarray(same.offset, same.offset + length), offset);
        else if (name.endsWith('.B')) parameters.fill(0, offset, offset + length);
      }
    const [from, to] = [few.layout.head, whole.layout.head];
    parameters.set(some.parameters.subarray(from.offset, from.offset + from.length), to.offset);
    await few.setParameters(some.parameters);
    await whole.setParameters(parameters);
    const dropout = { probability: 0.2, seed: 5, round: 2 };
    const got = await lossAndGradient(few, some.batch, 4, dropout);
    const want = await lossAndGradient(whole, all.batch, 4, dropout);
    expect(got.lossSum).toBe(want.lossSum);
    for (const layer of [1, 3]) {
      const [g, w] = [few.layout.layers[layer]!, whole.layout.layers[layer]!];
      expect(got.gradient.subarray(g.offset, g.offset + g.length)).toEqual(
        want.gradient.subarray(w.offset, w.offset + w.length),
      );
    }
    expect(few.layout.layers.map(({ length }) => length > 0)).toEqual([false, true, false, true]);
  });

  it('are rank-stabilised by alpha / sqrt(R): 3 at rank 4 is what 6 is without', async () => {
    // 3 / sqrt(4) = 6 / 4.
    const stable = await randomModel({ rank: 4, adapters: { rslora: true, alphaPattern: { 0: 3, 1: 3 } } });
    const plain = await randomModel({ rank: 4, adapters: { alphaPattern: { 0: 6, 1: 6 } } });
    const results = [];
    for (const model of [stable, plain]) {
      const engine = await createReferenceEngine(model);
      await engine.setParameters(model.parameters);
      results.push(await lossAndGradient(engine, model.batch));
    }
    expect(results[0]).toEqual(results[1]);
  });
});

describe('what a pass keeps', () => {
  it('is known of layers from `saveFrom` on, until it was used', async () => {
    const model = await randomModel({ layers: 3 });
    const engine = await createReferenceEngine(model);
    await engine.setParameters(model.parameters);
    const pass = await engine.begin(model.batch, { saveFrom: 1, dropout: { probability: 0, seed: 0, round: 1 } });
    const hidden = await pass.forward({ from: 0, to: 3 }, await pass.embed());
    const { dHidden } = await pass.loss(hidden, { dHidden: true, headGradient: false });
    const deepest = async (from: number, to: number) => {
      const blocks: (number | 'head')[] = [];
      for await (const { block } of pass.backward({ from, to }, dHidden!, false)) blocks.push(block);
      return blocks;
    };
    expect(await deepest(1, 3)).toEqual([2, 1]);
    await expect(deepest(2, 3)).rejects.toThrow('Layer 2 was not saved');
    await expect(deepest(0, 1)).rejects.toThrow('Layer 0 was not saved');
    await pass.forward({ from: 2, to: 3 }, await pass.embed());
    pass.dispose();
    await expect(deepest(2, 3)).rejects.toThrow('Layer 2 was not saved');
  });

  it('has bytes that can be counted by hand', async () => {
    // C = 12, F = 20, H = 3; 31 tokens and 9 positions are known. Q and V have A (2,12) and B (12,2) in 2 layers: 192 numbers;
    // the head 12 * 12 + 12 + 2 * 12 + 2 = 182. A layer: 4 (12 * 12 + 12), F (12 + 1), C (20 + 1), two norms of 24: 1184.
    const engine = await createReferenceEngine(await randomModel({ tokens: 7 }));
    const embeddings = (31 + 9 + 1 + 2) * 12;
    expect(engine.bytes(2, 7, { savedLayers: 2 })).toEqual({
      // All of it in float32, and one layer in float64 while it works.
      weightsBytes: 4 * (embeddings + 2 * 1184) + 4 * (192 + 182) + 8 * 1184,
      // 14 rows of 6 C, 2 F and, in each head, the scores of 7 keys.
      transientBytes: 8 * 14 * (72 + 40 + 21),
      // 14 rows of Q, K, V and two normalised sums, F, probabilities, two deviations; input and x A of both adapters. In 2 layers.
      savedBytes: 8 * 14 * (60 + 20 + 21 + 2 + 2 * (12 + 2)) * 2,
      gradientBytes: 4 * (192 + 182),
    });
    // The largest rank counts where layers differ, and of the last projection an input of F.
    const some = await createReferenceEngine(
      await randomModel({ tokens: 7, targets: ['output.dense'], adapters: { rankPattern: { 0: 5 } } }),
    );
    expect(some.bytes(1, 7, { savedLayers: 1 }).savedBytes).toBe(8 * 7 * (60 + 20 + 21 + 2 + (20 + 5)));
  });

  it('is its own: parameters that change outside later change nothing', async () => {
    const model = await randomModel();
    const engine = await createReferenceEngine(model);
    const mine = model.parameters.slice();
    await engine.setParameters(mine);
    const want = await lossAndGradient(engine, model.batch);
    mine.fill(9);
    expect(await lossAndGradient(engine, model.batch)).toEqual(want);
  });
});

it('loading is told tensor by tensor: 5 of the embeddings, 16 of each layer', async () => {
  const told: unknown[] = [];
  await createReferenceEngine({ ...(await randomModel({ layers: 2 })), onProgress: (progress) => told.push(progress) });
  expect(told.length).toBe(5 + 2 * 16);
  expect(told[0]).toEqual({ stage: 'weights', done: 1, total: 37 });
  expect(told.at(-1)).toEqual({ stage: 'weights', done: 37, total: 37 });
});
