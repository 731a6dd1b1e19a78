import { expect, it } from 'vitest';
import { predictionOf } from '../../web/session/view/class-probabilities.ts';

const names = { kind: 'classification' as const, labelCount: 3, classNames: ['a', 'b', 'c'] };

it('turns logits into probabilities of the named classes', () => {
  const logits = Float32Array.from([Math.log(1), Math.log(2), Math.log(5)]);
  const prediction = predictionOf(names, logits);
  if (prediction.kind !== 'classes') throw new Error('classes were expected');
  expect(prediction.probabilities.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  for (const [i, expected] of [1 / 8, 2 / 8, 5 / 8].entries())
    expect(prediction.probabilities[i].probability).toBeCloseTo(expected, 6);
});

it('holds logits that are far apart', () => {
  const prediction = predictionOf(names, Float32Array.from([1000, 0, -1000]));
  if (prediction.kind !== 'classes') throw new Error('classes were expected');
  expect(prediction.probabilities.map(({ probability }) => probability)).toEqual([1, 0, 0]);
});

it('gives a regression its value, and refuses values that are not finite', () => {
  const one = { kind: 'regression' as const, labelCount: 1, classNames: [] };
  expect(predictionOf(one, Float32Array.from([3.5]))).toEqual({ kind: 'value', value: 3.5 });
  expect(() => predictionOf(one, Float32Array.from([Number.NaN]))).toThrow('not finite');
  expect(() => predictionOf(names, Float32Array.from([1, 2]))).toThrow('not finite');
});

it('gives each of several labels its own probability', () => {
  const several = { kind: 'multi-label' as const, labelCount: 2, classNames: ['a', 'b'] };
  const prediction = predictionOf(several, Float32Array.from([Math.log(3), -Math.log(4)]));
  expect(prediction).toEqual({
    kind: 'labels',
    probabilities: [
      { name: 'a', probability: expect.closeTo(0.75, 6) },
      { name: 'b', probability: expect.closeTo(0.2, 6) },
    ],
  });
});
