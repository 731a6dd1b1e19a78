import { beforeAll, describe, expect, it } from 'vitest';
import type { Block } from '../../signaling/protocol/round.ts';
import { partOf, type UnitRun } from '../../signaling/protocol/split.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import type { Engine, EngineRequest } from '../../worker/engine/engine.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { createWebGpuEngine } from '../../worker/engine/webgpu/engine.ts';
import { adamWStep, createAdamWState } from '../../worker/learn/optimiser.ts';
import { placeOfBlock } from '../../worker/model/layout.ts';
import { installNodeWebGpu } from '../../worker/node/node-webgpu.ts';
import { type Outcome, oneDevice, pipeline, type Recipe, stageOrders } from '../learn/pipeline-scene.ts';
import { needs } from '../needs.ts';
import { GPU } from '../webgpu/gpu-need.ts';

/** Stages of one pipeline on different engines, each with its part of the model alone, through twenty rounds of AdamW. */
const LAYERS = 4;
const ROUNDS = 20;
const RUNS: readonly UnitRun[] = [
  { from: 0, to: 2 },
  { from: 2, to: 4 },
  { from: 4, to: 6 },
];
const SIZES = [2, 2, 1, 1];

const model = await randomModel({
  layers: LAYERS,
  hiddenSize: 16,
  heads: 2,
  ffnSize: 24,
  lengths: [3, 5, 6, 8, 9, 12],
  tokens: 12,
});
const recipe = (round: number): Recipe => ({
  batch: model.batch,
  round,
  layers: [0, 1, 2, 3],
  microBatchSizes: SIZES,
  dropout: { probability: 0.1, seed: 5 },
});

/** The losses before each of the rounds' steps. */
async function curve(
  engines: readonly Engine[],
  outcomeOf: (recipe: Recipe) => Promise<Outcome>,
): Promise<readonly number[]> {
  const { layout } = engines[0]!;
  const parameters = model.parameters.slice();
  const state = createAdamWState(layout.length);
  const losses: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    for (const engine of engines) await engine.setParameters(parameters);
    const { gradients, lossSum } = await outcomeOf(recipe(round));
    const mean = new Float32Array(layout.length);
    for (const [block, gradient] of gradients)
      mean.set(
        gradient.map((value) => value / model.batch.lengths.length),
        placeOf(block, engines[0]!),
      );
    losses.push(lossSum / model.batch.lengths.length);
    adamWStep(parameters, mean, state, { learningRate: 1e-2, weightDecay: 0.01 });
  }
  return losses;
}

const placeOf = (block: Block, { layout }: Engine): number => placeOfBlock(layout, block).offset;

const MAKE = {
  reference: (request: EngineRequest) => createReferenceEngine(request),
  onnx: (request: EngineRequest) => createOnnxEngine(request, 'wasm'),
  webgpu: (request: EngineRequest) => createWebGpuEngine(request),
} as const;
type Kind = keyof typeof MAKE;

async function alone(kind: Kind): Promise<readonly number[]> {
  const engine = await MAKE[kind](model);
  const losses = await curve([engine], (of) => oneDevice(engine, of));
  await engine.dispose();
  return losses;
}

async function split(kinds: readonly Kind[]): Promise<readonly number[]> {
  const engines: Engine[] = [];
  for (const [s, kind] of kinds.entries()) engines.push(await MAKE[kind]({ ...model, part: partOf(RUNS[s]!, LAYERS) }));
  const losses = await curve(engines, (of) =>
    pipeline(
      engines,
      stageOrders(of, LAYERS, RUNS, (s) => RUNS.length - s),
    ),
  );
  for (const engine of engines) await engine.dispose();
  return losses;
}

const furthest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((loss, i) => Math.abs(loss - b[i]!) / Math.abs(b[i]!)));

describe('a pipeline of mixed engines', needs(GPU), () => {
  let wanted: readonly number[];
  beforeAll(async () => {
    await installNodeWebGpu();
    wanted = await alone('reference');
  });

  it('learns: what the curves are compared by is no constant', () => {
    expect(wanted.at(-1)).toBeLessThan(0.9 * wanted[0]!);
  });

  it.each<readonly [Kind, Kind, Kind]>([
    ['webgpu', 'onnx', 'reference'],
    ['reference', 'webgpu', 'onnx'],
    ['onnx', 'reference', 'webgpu'],
  ])('%s, %s, %s: within 1e-4 of one device through twenty rounds', async (...kinds) => {
    const found = await split(kinds);
    expect(found).toHaveLength(ROUNDS);
    expect(furthest(found, wanted)).toBeLessThan(1e-4);
    // They do round differently; were one engine behind all three names, they would not.
    expect(furthest(found, wanted)).toBeGreaterThan(0);
  });
});
