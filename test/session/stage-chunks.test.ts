import { describe, expect, it } from 'vitest';
import { evaluateBatch } from '../../worker/learn/trainer.ts';
import { pipeline, stageOrders } from '../learn/pipeline-scene.ts';
import { engine, LAYERS, model, PipelineScene, RUNS, recipe } from './stage-scene.ts';

const [LOW, MIDDLE, HIGH, SPARE] = ['lowlowlow', 'middlemid', 'highhighhigh', 'sparespare'] as const;
const IDS = [LOW, MIDDLE, HIGH, SPARE];
/** The pipeline's own gradient; that of one device with the same micro-batches, but for what a cut rounds in an engine of float64. */
const whole = await pipeline(
  RUNS.map(() => engine),
  stageOrders(recipe, LAYERS, RUNS, (s) => 3 - s),
);

function expectWhole(scene: PipelineScene): void {
  expect(scene.failures).toEqual([]);
  for (const [block, gradient] of whole.gradients) expect(scene.gradients.get(block)).toEqual(gradient);
  expect(scene.lossSum).toBe(whole.lossSum);
}

it('a chunk for a run that is not here any more is refused', async () => {
  const scene = new PipelineScene(IDS);
  await scene.device(MIDDLE).model.hold(RUNS[2]!);
  await scene.device(MIDDLE).host.send(scene.chunk(1, 1));
  await scene.device(LOW).model.hold(RUNS[0]!);
  await scene.device(LOW).host.send(scene.chunk(0, 1));
  await scene.until(() => scene.failures.length > 0);
  expect(scene.failures).toEqual([`${MIDDLE}: This device does not hold that part of the model any more.`]);
});

describe('an evaluation', () => {
  it('goes up through the stages and comes out as the logits of one device, beside a round', async () => {
    const scene = new PipelineScene(IDS);
    const wanted = await evaluateBatch(
      { ...engine, computesPadding: false },
      model.batch,
      model.batch.lengths.length,
      async () => {},
    );
    await scene.giveAll();
    await scene.until(() => scene.passes.size === RUNS.length);
    for (const s of RUNS.keys()) await scene.device(IDS[s]!).host.send(scene.chunk(s, 1));
    await scene.until(() => scene.logits !== null);
    await scene.done();
    expectWhole(scene);
    const logits = scene.logits!;
    expect(logits).toHaveLength(wanted.length);
    for (let i = 0; i < wanted.length; i++) expect(logits[i]).toBeCloseTo(wanted[i]!, 5);
  });

  it('that a device is no part of any more is not answered twice', async () => {
    const scene = new PipelineScene(IDS);
    for (const [s, run] of RUNS.entries()) await scene.device(IDS[s]!).model.hold(run);
    for (const s of [2, 1, 0]) await scene.device(IDS[s]!).host.send(scene.chunk(s, 1));
    await scene.until(() => scene.logits !== null);
    const first = scene.logits;
    scene.logits = null;
    for (const s of [2, 1, 0]) await scene.device(IDS[s]!).host.send(scene.chunk(s, 2));
    await scene.until(() => scene.logits !== null);
    expect(scene.logits).toEqual(first);
  });
});
