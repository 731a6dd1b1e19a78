import { expect, test } from 'vitest';
import { planRoom } from '../../signaling/planner/room-plan.ts';
import { POLICIES } from '../../signaling/protocol/settings.ts';
import { roomProblem } from '../../signaling/room/planning.ts';
import type { GradientPart } from '../../worker/api/batch.ts';
import { lossAndGradient } from '../../worker/check/loss-and-gradient.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { mergeGradients, missingPairs } from '../../worker/learn/merge.ts';
import { runOrder } from '../../worker/learn/trainer.ts';
import { profile, SETTINGS } from '../protocol/samples.ts';

/** A round of which layers 1, 3 and 4 of five are trained, at ranks 2, 5 and 2. */
const model = await randomModel({
  layers: 5,
  samples: 6,
  tokens: 8,
  lengths: [8, 2, 5, 6, 1, 4],
  targets: ['query', 'output.dense'],
  adapters: { layers: [1, 3, 4], rankPattern: { 3: 5 }, alphaPattern: { 4: 9 }, rslora: true },
});
const engine = await createReferenceEngine(model);
await engine.setParameters(model.parameters);
const round = 3;
const dropout = { probability: 0.25, seed: 4 };
const { layout } = engine;

/** As a room with five devices would, of different speeds and links, on one of which only the last layers fit. */
function planOf(policy: (typeof POLICIES)[number]) {
  const settings = {
    ...SETTINGS,
    shape: model.shape,
    lora: model.lora,
    training: { ...SETTINGS.training, samplesPerRound: 6 },
    policy,
  };
  const trainers = ['host', 'b', 'c', 'd', 'e'].map((id, i) => {
    const measured = profile();
    const { forwardPerLayer, backwardPerLayer } = measured.secondsPerSample;
    const speed = {
      ...measured.secondsPerSample,
      forwardPerLayer: forwardPerLayer * (1 + i),
      backwardPerLayer: backwardPerLayer * (2 + i),
    };
    return { id, name: id, profile: { ...measured, secondsPerSample: speed, linkBitsPerSecond: 1e5 * (1 + i) } };
  });
  return planRoom(roomProblem(settings, 'host', trainers, new Map()));
}

// Split models have their own tests: `test/session/run-split-round.test.ts`.
test.each(POLICIES.filter((policy) => policy !== 'split'))(
  '%s: the merged gradient is one device’s',
  async (policy) => {
    const answer = planOf(policy);
    if (!answer.feasible) throw new Error(answer.reason);
    const parts: GradientPart[] = [];
    for (const work of answer.plan.assignments) {
      const { start, count } = work.samples;
      if (count === 0) continue;
      const { tokens } = model.batch;
      const batch = {
        ids: model.batch.ids.slice(start * tokens, (start + count) * tokens),
        lengths: model.batch.lengths.slice(start, start + count),
        labels: model.batch.labels.slice(start, start + count),
        positions: model.batch.positions.slice(start, start + count),
        tokens,
      };
      const { layers, head, microBatch } = work;
      for await (const part of runOrder(engine, { round, batch, layers, head, microBatch, dropout }, async () => {}))
        if (part.kind === 'gradient') parts.push({ block: part.block, samples: work.samples, gradient: part.gradient });
    }
    expect(new Set(parts.map(({ block }) => block))).toEqual(new Set(['head', 4, 3, 1]));
    const merged = mergeGradients({ layout, samples: 6 }, parts);
    const want = await lossAndGradient(engine, model.batch, 5, { ...dropout, round });
    for (const { name, offset, length } of [...layout.layers, layout.head].flatMap(({ slots }) => slots)) {
      const [got, whole] = [merged.subarray(offset, offset + length), want.gradient.subarray(offset, offset + length)];
      const largest = Math.max(...whole.map(Math.abs));
      for (let i = 0; i < length; i++) expect(Math.abs(got[i]! - whole[i]!), name).toBeLessThan(2e-6 * largest);
    }
  },
);

test('nobody owes a layer without adapters, and nobody can send one', () => {
  const shape = { layout, samples: 6 };
  expect(missingPairs(shape, []).map(({ block }) => block)).toEqual(['head', 4, 3, 1]);
  const stray = { block: 2, samples: { start: 0, count: 6 }, gradient: new Float32Array(0) };
  expect(() => mergeGradients(shape, [stray])).toThrow('The session trains no block 2.');
});
