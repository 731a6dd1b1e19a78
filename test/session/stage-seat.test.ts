import { describe, expect, it } from 'vitest';
import { oneDevice, pipeline, stageOrders } from '../learn/pipeline-scene.ts';
import { engine, LAYERS, PipelineScene, RUNS, recipe } from './stage-scene.ts';

const IDS = ['lowlowlow', 'middlemid', 'highhighhigh', 'sparespare'];
const whole = await pipeline(
  RUNS.map(() => engine),
  stageOrders(recipe, LAYERS, RUNS, (s) => 3 - s),
);

describe('three devices, hidden states by way of the host', () => {
  it('come to the gradient of one device', async () => {
    const scene = new PipelineScene(IDS);
    await scene.giveAll();
    await scene.done();
    expect(scene.failures).toEqual([]);
    expect(scene.outcome.lossSum).toBe(whole.lossSum);
    for (const [block, gradient] of whole.gradients) expect(scene.gradients.get(block)).toEqual(gradient);
    const one = await oneDevice(engine, recipe);
    expect(scene.lossSum).toBeCloseTo(one.lossSum, 5);
  });
});
