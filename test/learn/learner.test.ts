import { describe, expect, it } from 'vitest';
import { rounded } from '../../signaling/protocol/exchange/upload-codec.ts';
import type { Block } from '../../signaling/protocol/round.ts';
import { PLAIN_TRAINING } from '../../signaling/protocol/settings.ts';
import type { GradientPart } from '../../worker/api/batch.ts';
import { applyGradient, createLearner, takeStep } from '../../worker/learn/learner.ts';
import { createAdamWState } from '../../worker/learn/optimiser.ts';
import { parameterLayout } from '../../worker/model/layout.ts';

/** One layer of 4 values and a head of 12. */
const layout = parameterLayout(
  { layers: 1, hiddenSize: 2, heads: 1, ffnSize: 4, vocabSize: 9, maxPositions: 8, layerNormEps: 1e-5, padTokenId: 1 },
  { rank: 1, alpha: 1, targets: ['query'] },
  2,
);
const training = {
  ...PLAIN_TRAINING,
  rounds: 10,
  samplesPerRound: 4,
  maxTokens: 8,
  learningRate: 0.1,
  weightDecay: 0,
  warmupFraction: 0.2,
  dropout: 0,
  evaluateEvery: 0,
  seed: 1,
};
const learner = () => createLearner(layout, new Float32Array(16), createAdamWState(16), training);
const part = (block: Block, start: number, count: number, value: number): GradientPart => ({
  block,
  samples: { start, count },
  gradient: new Float32Array(block === 'head' ? 12 : 4).fill(value),
});
const whole = (value: number) => [part('head', 0, 4, value), part(0, 0, 4, value)];
const round = (parts: readonly GradientPart[], lossSum = 2) => ({ samples: 4, parts, lossSum, denominator: 4 });

describe('a step', () => {
  it('is the same, to the bit, however the round was split', () => {
    const [one, split] = [learner(), learner()];
    const clipped = { ...training, maxGradientNorm: 0.5 };
    for (let i = 0; i < 3; i++) {
      const a = takeStep(one, round(whole(6)), clipped);
      const b = takeStep(
        split,
        round([part(0, 3, 1, 4), part('head', 0, 2, 1), part(0, 0, 3, 2), part('head', 2, 2, 5)]),
        clipped,
      );
      expect(b).toEqual(a);
      // A mean of 6 / 4 in 16 places.
      expect(a).toMatchObject({ kind: 'stepped', gradientNorm: 6, loss: 0.5 });
    }
    expect(split).toEqual(one);
    // Clipped from 6 to 0.5, so each of the 16 values is 0.125 and not 1.5, and v is a mean of its square.
    expect(one.optimiser.secondMoment[0]! / (1 - 0.999 ** 3)).toBeCloseTo(0.125 ** 2, 7);
  });

  it.each(['f16', 'int8'] as const)('as %s is taken with what devices are told, the same with any split', (uploads) => {
    const [one, split, exact] = [learner(), learner(), learner()];
    const rounding = { ...training, uploads, maxGradientNorm: 0 };
    for (let i = 0; i < 3; i++) {
      const a = takeStep(one, round(whole(1.3)), rounding);
      const parts = [part(0, 1, 3, 1.3), part(0, 0, 1, 0), part('head', 0, 4, 1.3)];
      expect(takeStep(split, round(parts), rounding)).toEqual(a);
      if (a.kind !== 'stepped') return expect.unreachable();
      // Its length is told as it was before.
      const mean = Math.fround(Math.fround(1.3) / 4);
      expect(a.gradientNorm).toBeCloseTo(4 * mean, 6);
      expect(a.gradient).toEqual(
        rounded(new Float32Array(16).fill(mean), uploads, { seed: 1, round: i + 1, block: 'merged', position: 0 }),
      );
      expect(a.gradient.some((x) => x !== mean)).toBe(true);
      // As whoever keeps up with the host does.
      applyGradient(exact, a.gradient, a.learningRate, rounding);
      expect(exact).toEqual(one);
    }
  });

  it('with a gradient that is not finite changes nothing, and says which parts are at fault', () => {
    const one = learner();
    takeStep(one, round(whole(1)), training);
    const before = structuredClone(one);
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      const broken = part(0, 2, 2, 1);
      broken.gradient[3] = bad;
      expect(takeStep(one, round([part('head', 0, 4, 1), part(0, 0, 2, 1), broken]), training)).toEqual({
        kind: 'not-finite',
        faults: [{ block: 0, samples: { start: 2, count: 2 } }],
      });
      expect(takeStep(one, round(whole(1), bad), training)).toMatchObject({ kind: 'not-finite' });
    }
    // Each part is a number, their sum is none.
    const huge = [part('head', 0, 4, 1), part(0, 0, 2, 3e38), part(0, 2, 2, 3e38)];
    const { kind } = takeStep(one, { ...round(huge), denominator: 1 }, training);
    expect(kind).toBe('not-finite');
    expect(one).toEqual(before);
  });

  it('divides by the sum of the samples’ weights where they have some', () => {
    // Sums of 6 in 16 places and of 2, for weights of 8 in 4 samples: 16 means of 0.75 are 3 long.
    const result = takeStep(learner(), { ...round(whole(6)), denominator: 8 }, { ...training, maxGradientNorm: 0 });
    expect(result).toMatchObject({ kind: 'stepped', gradientNorm: expect.closeTo(3, 6), loss: 0.25 });
  });

  it('that did not happen does not move the schedule', () => {
    const one = learner();
    const rate = () => {
      const result = takeStep(one, round(whole(1)), training);
      return result.kind === 'stepped' ? result.learningRate : null;
    };
    expect([rate(), rate()]).toEqual([0, 0.05]);
    takeStep(one, round(whole(Number.NaN)), training);
    expect(rate()).toBe(0.1);
  });

  it('of a round that is not whole throws: that is our own mistake', () => {
    expect(() => takeStep(learner(), round([part('head', 0, 4, 1)]), training)).toThrow(
      'layer 0 for samples 0 to 3 is missing',
    );
  });
});
