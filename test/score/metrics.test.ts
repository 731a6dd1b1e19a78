import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findTask } from '../../worker/data/tasks.ts';
import { accuracy, f1, matthews, pearson, predictedClasses, spearman } from '../../worker/score/metrics.ts';
import { scoreLogits } from '../../worker/score/score.ts';

// 3 true positives, 1 false positive, 2 false negatives, 4 true negatives.
const predicted = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0];
const labels = [1, 1, 1, 0, 1, 1, 0, 0, 0, 0];

test('accuracy, F1 and Matthews of a small table', () => {
  expect(accuracy(predicted, labels)).toBe(0.7);
  // Precision 3/4, recall 3/5.
  expect(f1(predicted, labels)).toBeCloseTo(2 / 3, 15);
  // (3 * 4 - 1 * 2) / sqrt(4 * 5 * 5 * 6)
  expect(matthews(predicted, labels)).toBeCloseTo(10 / Math.sqrt(600), 15);
});

test('Matthews: perfect, inverted, and the multi-class form', () => {
  expect(matthews(labels, labels)).toBe(1);
  expect(
    matthews(
      labels.map((label) => 1 - label),
      labels,
    ),
  ).toBe(-1);
  // n = 4, 3 right; predicted counts 2, 1, 1 and true counts 1, 2, 1: (3*4 - (2+2+1)) / sqrt((16-6)(16-6)).
  expect(matthews([0, 0, 1, 2], [0, 1, 1, 2])).toBeCloseTo(0.7, 15);
});

test('a constant prediction has Matthews and F1 0 and no correlation, not NaN', () => {
  const constant = labels.map(() => 0);
  expect(matthews(constant, labels)).toBe(0);
  expect(f1(constant, labels)).toBe(0);
  expect(
    f1(
      constant,
      labels.map(() => 0),
    ),
  ).toBe(0);
  // The mean of three 0.1 is not 0.1, so that naive deviations are tiny but not zero.
  expect(pearson([0.1, 0.1, 0.1], [1, 2, 4])).toBe(0);
  expect(pearson([1, 2, 4], [0.1, 0.1, 0.1])).toBe(0);
  expect(spearman([3, 3, 3], [1, 2, 4])).toBe(0);
});

test('Pearson and Spearman by hand', () => {
  expect(pearson([1, 2, 3], [10, 20, 30])).toBeCloseTo(1, 15);
  expect(pearson([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 15);
  // Deviations (-2,-1,0,1,2) and (-1,-2,1,0,2): 8 / sqrt(10 * 10).
  expect(pearson([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])).toBeCloseTo(0.8, 15);
  // Ranks are all that counts.
  expect(spearman([1, 2, 3, 4], [1, 10, 100, 1000])).toBeCloseTo(1, 15);
  // Ties share ranks: (0, 1.5, 1.5, 3) against (0, 1, 2, 3): 4.5 / sqrt(4.5 * 5).
  expect(spearman([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(22.5), 15);
});

/** Made by test/reference/make_metric_cases.py; null is what the libraries have no number for. */
interface MetricCases {
  readonly classes: readonly {
    readonly predicted: number[];
    readonly labels: number[];
    readonly accuracy: number;
    readonly f1: number | null;
    readonly matthews: number;
  }[];
  readonly values: readonly {
    readonly predicted: number[];
    readonly labels: number[];
    readonly pearson: number | null;
    readonly spearman: number | null;
  }[];
}
const cases: MetricCases = JSON.parse(readFileSync(new URL('metric-cases.json', import.meta.url), 'utf8'));

test('the libraries of GLUE’s own scorer, scikit-learn and SciPy, have the same figures', () => {
  expect([cases.classes.length, cases.values.length]).toEqual([15, 12]);
  for (const [i, { predicted, labels, ...expected }] of cases.classes.entries()) {
    expect(accuracy(predicted, labels), `case ${i}`).toBeCloseTo(expected.accuracy, 12);
    expect(matthews(predicted, labels), `case ${i}`).toBeCloseTo(expected.matthews, 12);
    if (expected.f1 !== null) expect(f1(predicted, labels), `case ${i}`).toBeCloseTo(expected.f1, 12);
  }
  for (const [i, { predicted, labels, ...expected }] of cases.values.entries()) {
    // Undefined there, 0 here.
    expect(pearson(predicted, labels), `case ${i}`).toBeCloseTo(expected.pearson ?? 0, 9);
    expect(spearman(predicted, labels), `case ${i}`).toBeCloseTo(expected.spearman ?? 0, 12);
  }
});

test('the predicted class is the largest logit, the first of equals', () => {
  expect([...predictedClasses(new Float32Array([0, 1, 2, 5, 5, 4, -1, -2, -3]), 3)]).toEqual([2, 0, 0]);
});

test('each task reports its official metrics', () => {
  const logits = Float32Array.from(predicted.flatMap((label) => [0, label === 1 ? 1 : -1]));
  expect(scoreLogits(findTask('mrpc'), logits, new Float32Array(labels))).toMatchObject({
    metric: 'f1',
    value: expect.closeTo(2 / 3, 10),
    further: [{ metric: 'accuracy', devSet: null, value: 0.7 }],
  });
  const regression = scoreLogits(
    findTask('stsb'),
    new Float32Array([1, 2, 3, 4, 5]),
    new Float32Array([2, 1, 4, 3, 5]),
  );
  expect(regression).toMatchObject({
    metric: 'pearson',
    value: expect.closeTo(0.8, 10),
    loss: expect.closeTo(0.8, 10),
    further: [{ metric: 'spearman', devSet: null, value: expect.closeTo(0.8, 10) }],
  });
  expect(scoreLogits(findTask('cola'), logits, new Float32Array(labels)).metric).toBe('matthews');
});

test('logits that are too few or not finite are refused', () => {
  const truth = new Float32Array([0, 1]);
  expect(() => scoreLogits(findTask('sst2'), new Float32Array(3), truth)).toThrow('need 4 logits; 3 came');
  expect(() => scoreLogits(findTask('sst2'), new Float32Array([0, 1, Number.NaN, 1]), truth)).toThrow('not finite');
});

test('beside every score stands that of the best constant answer', () => {
  // Three of four are of class 0: answered always, that is right three times, and the other class once.
  const truth = Float32Array.of(0, 0, 1, 0);
  const answers = Float32Array.of(0, 1, 0, 1, 0, 1, 0, 1);
  expect(scoreLogits(findTask('sst2'), answers, truth)).toMatchObject({ value: 0.25, constant: 0.75 });
  // F1 of class 1: always class 1 finds the one with a precision of 1/4, 2 / (2 + 3); never finds none.
  const { further } = scoreLogits(findTask('sst2'), answers, truth, { threshold: 0.5, also: 'f1' });
  expect(further).toMatchObject([{ metric: 'f1', value: 0.4, constant: 0.4, devSet: null }]);
});
