import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { ProfileSchema } from '../../signaling/protocol/profile.ts';
import { WEIGHT_STORAGES } from '../../signaling/protocol/settings.ts';
import { requestOf } from '../../worker/device/loading.ts';
import { measurePart } from '../../worker/device/measure-part.ts';
import { memoryOf } from '../../worker/device/stated.ts';
import type { EngineRequest } from '../../worker/engine/engine.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { embeddingBytes, layerBytes } from '../../worker/model/description.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { oneLayerModel, randomWeights } from '../../worker/model/random-part.ts';
import { SETTINGS } from '../protocol/samples.ts';

const shape = { ...SETTINGS.shape, layers: 5, hiddenSize: 24, heads: 2, ffnSize: 32, vocabSize: 300, maxPositions: 20 };
const lora = {
  rank: 2,
  alpha: 4,
  targets: ['query' as const, 'value' as const],
  layers: [1, 2, 4],
  rankPattern: { 2: 3 },
};
const settings = {
  ...SETTINGS,
  shape,
  lora,
  task: { ...SETTINGS.task, roundTokens: 6 },
  training: { ...SETTINGS.training, maxTokens: 8, samplesPerRound: 4 },
};

describe.each([
  ['reference', (request: EngineRequest) => createReferenceEngine(request)],
  ['onnx', (request: EngineRequest) => createOnnxEngine(request, 'wasm')],
] as const)('before anything of a model is fetched, the %s engine', (name, create) => {
  it.each(WEIGHT_STORAGES)(
    'states the bytes that the whole model would take in it, with %s weights',
    async (weights) => {
      const asked: EngineRequest[] = [];
      const session = { ...settings, weights };
      const profile = await measurePart(session, { slowdown: 1, memoryLimitBytes: 5e7 }, (request) => {
        asked.push(request);
        return create(request);
      });
      expect(asked.map((request) => request.shape)).toEqual([{ ...shape, layers: 1, vocabSize: 64 }]);
      const whole = await create({ ...requestOf(session), weights: randomWeights(3) });
      const layout = parameterLayout(shape, lora, settings.task.labelCount);
      expect(profile).toMatchObject({ engine: name, backend: whole.backend });
      expect(profile.memory).toEqual(memoryOf(whole, 8, 5e7));
      expect(profile.parts).toMatchObject({
        embeddingBytes: embeddingBytes(shape, weights),
        // Of the layer with most: rank 3, two targets of (24, 24).
        layerBytes: layerBytes(shape, weights) + 4 * 2 * 3 * 48,
        headBytes: 8 * layout.head.length,
      });
      await whole.dispose();
    },
  );

  it('states seconds by unit, the overhead of the whole model among them, as the protocol has them', async () => {
    const profile = await measurePart(settings, { slowdown: 1, memoryLimitBytes: 1e6 }, create);
    expect(v.safeParse(ProfileSchema, { ...profile, linkBitsPerSecond: 1e8 }).success).toBe(true);
    const { embed, head, forwardPerLayer, backwardPerLayer } = profile.parts!.fixedSeconds;
    // The lowest of 5 layers with adapters is the second: four go backward at most, two in the mean.
    expect(profile.overheadSeconds).toBeCloseTo(embed + head + 5 * forwardPerLayer + 2 * backwardPerLayer, 12);
    for (const [part, seconds] of Object.entries(profile.secondsPerSample)) expect(seconds, part).toBeGreaterThan(0);
  });
});

it('one layer stands for the one with most to do, its adapters as strong', () => {
  expect(oneLayerModel(shape, { ...lora, alphaPattern: { 2: 9 }, rslora: true })).toEqual({
    shape: { ...shape, layers: 1, vocabSize: 64 },
    lora: { rank: 3, alpha: 9, targets: ['query', 'value'], rslora: true },
  });
  expect(oneLayerModel({ ...shape, vocabSize: 9 }, lora).shape.vocabSize).toBe(9);
});

describe('random weights', () => {
  it('come in whole rows, in order, and are the same for a seed', async () => {
    const read = async (seed: number) => {
      const pieces: number[] = [];
      const values = new Float32Array(1000 * 700);
      await randomWeights(seed).stream([
        {
          name: 'a.weight',
          shape: [1000, 700],
          take: (piece, offset) => {
            pieces.push(offset % 700, piece.length % 700);
            values.set(piece, offset);
          },
        },
      ]);
      return { values, pieces };
    };
    const { values, pieces } = await read(5);
    expect(pieces.length).toBeGreaterThan(4);
    expect(pieces.every((rest) => rest === 0)).toBe(true);
    expect((await read(5)).values).toEqual(values);
    expect((await read(6)).values).not.toEqual(values);
    const [least, most] = [Math.min(...values.subarray(0, 9e4)), Math.max(...values.subarray(0, 9e4))];
    expect(least).toBeGreaterThanOrEqual(-1 / Math.sqrt(700));
    expect(most).toBeLessThanOrEqual(1 / Math.sqrt(700));
    expect(most - least).toBeGreaterThan(1.9 / Math.sqrt(700));
  });

  it('normalise by about 1', async () => {
    const values = await randomWeights(1).read('x.LayerNorm.weight', [64]);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0.9);
    expect(Math.max(...values)).toBeLessThanOrEqual(1.1);
  });
});
