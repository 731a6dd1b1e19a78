import { describe, expect, it } from 'vitest';
import { PLAIN_TRAINING, type TrainingSettings } from '../../signaling/protocol/settings.ts';
import { readClassWeights } from '../../signaling/protocol/words/class-weights.ts';
import type { GradientPart, TokenBatch } from '../../worker/api/batch.ts';
import { randomModel } from '../../worker/check/random-model.ts';
import { rowsOf } from '../../worker/data/batches.ts';
import { findTask, type Task } from '../../worker/data/tasks.ts';
import { type Loss, sampleWeight } from '../../worker/engine/loss.ts';
import { createReferenceEngine } from '../../worker/engine/reference/engine.ts';
import { createLearner, takeStep } from '../../worker/learn/learner.ts';
import { createAdamWState } from '../../worker/learn/optimiser.ts';
import { sessionTraining } from '../../worker/learn/session-training.ts';
import { runOrder } from '../../worker/learn/trainer.ts';

const base: TrainingSettings = {
  ...PLAIN_TRAINING,
  rounds: 4,
  samplesPerRound: 5,
  maxTokens: 8,
  learningRate: 0.1,
  weightDecay: 0,
  warmupFraction: 0,
  dropout: 0,
  evaluateEvery: 0,
  seed: 1,
};
const sst2 = findTask('sst2');
const example = (label: number) => ({ text: 'a', pair: null, label });

describe('balanced class weights', () => {
  it('are samples / (classes * samples of the class)', () => {
    const training = { ...base, classWeights: 'balanced' as const };
    const { classWeights } = sessionTraining(training, sst2, [0, 1, 1, 1, 1, 1, 1, 1].map(example));
    expect(classWeights).toEqual([4, 8 / 14]);
    expect(sessionTraining(training, sst2, [example(1), example(1)]).classWeights).toEqual([1, 0.5]);
  });

  it('say what a task without classes is, whichever of the two is asked for, and leave it alone otherwise', () => {
    const stsb = findTask('stsb');
    for (const change of [{ classWeights: 'balanced' as const }, { labelSmoothing: 0.1 }])
      expect(() => sessionTraining({ ...base, ...change }, stsb, [])).toThrow('are for classes');
    const plain = { ...base, classWeights: null, labelSmoothing: 0 };
    expect(sessionTraining(plain, stsb, [])).toBe(plain);
  });

  it('a best adapter is chosen by a score that the task has, or by the loss', () => {
    const by = (bestBy: TrainingSettings['bestBy'], task: Task) => () => sessionTraining({ ...base, bestBy }, task, []);
    expect(by('pearson', sst2)).toThrow('can be chosen by');
    expect(by('accuracy', findTask('stsb'))).toThrow('or loss, not by accuracy');
    for (const bestBy of [null, 'loss', 'accuracy'] as const) expect(by(bestBy, sst2)().bestBy).toBe(bestBy);
  });

  it.each<[string, Partial<TrainingSettings>, Task, string]>([
    ['another number of them', { classWeights: [1, 2, 3] }, sst2, '2 classes, negative, positive; 3 class weights'],
    ['a number to predict', { classWeights: 'balanced' }, findTask('stsb'), 'a task whose label is a number'],
    ['several labels', { labelSmoothing: 0.1 }, { ...sst2, kind: 'multi-label' }, 'a task of several labels'],
  ])('are refused for %s', (_, change, task, sentence) => {
    expect(() => sessionTraining({ ...base, ...change }, task, [])).toThrow(sentence);
  });
});

it.each([
  ['', null],
  [' Balanced ', 'balanced'],
  ['1, 2.5,3', [1, 2.5, 3]],
  ['1', undefined],
  ['1,', undefined],
  ['1,0', undefined],
  ['1,-2', undefined],
  ['1,x', undefined],
  ['1,Infinity', undefined],
])('class weights typed as "%s" are %o', (typed, want) => {
  expect(readClassWeights(typed)).toEqual(want);
});

describe('a weighted round', () => {
  const loss: Loss = { kind: 'cross-entropy', classWeights: [0.5, 2, 7], labelSmoothing: 0.2 };

  it.each<[string, Loss]>([
    ['weighted and smoothed', loss],
    ['several labels', { kind: 'binary-cross-entropy' }],
  ])('%s: is the same step however it is split', async (_, ofRound) => {
    const model = await randomModel({ labelCount: 3, samples: 5, tokens: 8, loss: ofRound });
    const engine = await createReferenceEngine(model);
    await engine.setParameters(model.parameters);
    const weights = [...model.batch.labels].map((label) => sampleWeight(ofRound, label));
    const denominator = ofRound.kind === 'cross-entropy' ? weights.reduce((a, b) => a + b, 0) : 5;

    const stepOver = async (batches: readonly TokenBatch[]) => {
      const learner = createLearner(
        engine.layout,
        model.parameters.slice(),
        createAdamWState(engine.layout.length),
        base,
      );
      const parts: GradientPart[] = [];
      let [lossSum, start] = [0, 0];
      for (const batch of batches) {
        const count = batch.lengths.length;
        const order = {
          round: 1,
          batch,
          layers: [0, 1],
          head: true,
          microBatch: 2,
          dropout: { probability: 0, seed: 1 },
        };
        for await (const part of runOrder(engine, order, async () => {})) {
          if (part.kind === 'done') lossSum += part.lossSum;
          else parts.push({ block: part.block, samples: { start, count }, gradient: part.gradient });
        }
        start += count;
      }
      return takeStep(learner, { samples: 5, parts, lossSum, denominator }, base);
    };
    const inRuns = (count: number) =>
      Array.from({ length: Math.ceil(5 / count) }, (_, i) =>
        rowsOf(model.batch, [0, 1, 2, 3, 4].slice(i * count, (i + 1) * count)),
      );
    const whole = await stepOver([model.batch]);
    const ones = await stepOver(inRuns(1));
    const pairs = await stepOver(inRuns(2));
    if (whole.kind !== 'stepped' || ones.kind !== 'stepped' || pairs.kind !== 'stepped') throw new Error('No step.');
    for (const split of [ones, pairs]) {
      expect(Math.abs(split.loss / whole.loss - 1)).toBeLessThan(1e-12);
      expect(Math.abs(split.gradientNorm / whole.gradientNorm - 1)).toBeLessThan(1e-6);
    }
  });
});
