import { expect, test } from 'vitest';
import { Evaluator } from '../../../signaling/planner/pipelines/evaluator.ts';
import { fastestPipeline } from '../../../signaling/planner/pipelines/fastest-pipeline.ts';
import { generateSplitProblem } from '../../../signaling/planner/pipelines/generator.ts';
import { roomBound } from '../../../signaling/planner/pipelines/room-bound.ts';
import { rowsOf } from '../../../signaling/planner/pipelines/rows.ts';
import { WORK } from '../../../signaling/planner/replicas/solve-split.ts';
import { bestKnown, INSTANCES, nameOf } from './best-known.ts';

test('every instance has a best known plan, which takes as long as is said', () => {
  for (const instance of INSTANCES) {
    const known = bestKnown[nameOf(instance)];
    const { seed, ...shape } = instance;
    const problem = generateSplitProblem(seed, shape);
    const evaluator = new Evaluator(rowsOf(problem));
    const pipeline = {
      devices: known.stages.map(([id]) => problem.devices.findIndex((device) => device.id === id)),
      ends: known.stages.map(([, end]) => end),
      stages: known.stages.length,
      microBatches: known.microBatches,
      rule: known.windowRule === 'all' ? Infinity : known.windowRule,
    };
    expect(evaluator.load(pipeline)).toBe(true);
    expect(evaluator.seconds()).toBeCloseTo(known.seconds, 9);
    expect(new Set(pipeline.devices).size).toBe(pipeline.stages);
  }
});

test('50 devices and 24 layers: the short search is 5 % above the best known at most, in the mean; the bound 0.75 of the plan', {
  timeout: 120_000,
}, () => {
  const rows = INSTANCES.map((instance) => {
    const { seed, ...shape } = instance;
    const best = fastestPipeline(generateSplitProblem(seed, shape), WORK);
    if ('reason' in best) throw new Error(best.reason);
    const { seconds } = best.found;
    return {
      gap: seconds / bestKnown[nameOf(instance)].seconds - 1,
      bound: roomBound(best.evaluator, seconds) / seconds,
    };
  });
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  expect(mean(rows.map(({ gap }) => gap))).toBeLessThan(0.05);
  expect(mean(rows.map(({ bound }) => bound))).toBeGreaterThan(0.75);
});
