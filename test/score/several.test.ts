import { describe, expect, it } from 'vitest';
import { drawsFrom } from '../../signaling/planner/algorithms/random.ts';
import { metricsOf } from '../../signaling/protocol/scores.ts';
import { findTask, type Task } from '../../worker/data/tasks.ts';
import { constantAnswers } from '../../worker/score/constant-answers.ts';
import { predictedLabels } from '../../worker/score/metrics.ts';
import { metricValue, scoreLogits } from '../../worker/score/score.ts';

const several = (labelCount: number) => ({ id: 'own', kind: 'multi-label', labelCount }) as const;
const classes = (labelCount: number) => ({ id: 'own', kind: 'classification', labelCount }) as const;

describe('F1 of many classes', () => {
  // Class 0: 2 right, 1 wrong, 1 missed: 4/6. Class 1: 1 right, 1 wrong, 2 missed: 2/5. Class 2: 0 right, 1 wrong: 0.
  const predicted = [0, 0, 0, 1, 1, 2];
  const labels = [0, 0, 1, 1, 0, 1];

  it('macro is the mean over the classes that are named, as scikit-learn has it', () => {
    expect(metricValue(classes(3), 'f1-macro', predicted, labels)).toBeCloseTo((4 / 6 + 2 / 5 + 0) / 3, 15);
    // A fourth class that nobody names does not count.
    expect(metricValue(classes(4), 'f1-macro', predicted, labels)).toBeCloseTo((4 / 6 + 2 / 5 + 0) / 3, 15);
  });

  it('micro is the accuracy', () => {
    expect(metricValue(classes(3), 'f1-micro', predicted, labels)).toBeCloseTo(3 / 6, 15);
    expect(metricValue(classes(3), 'accuracy', predicted, labels)).toBe(0.5);
  });
});

describe('several labels', () => {
  // (4,3). Label 0: 2 right, 1 wrong, 0 missed: 4/5. Label 1: 1 right, 0 wrong, 2 missed: 1/2. Label 2: never there, never given: 0.
  const predicted = [1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0];
  const labels = [1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0];

  it('micro counts all labels together, macro means over all of them', () => {
    expect(metricValue(several(3), 'f1-micro', predicted, labels)).toBeCloseTo((2 * 3) / (2 * 3 + 1 + 2), 15);
    expect(metricValue(several(3), 'f1-macro', predicted, labels)).toBeCloseTo((4 / 5 + 1 / 2 + 0) / 3, 15);
  });

  it('accuracy is of whole rows', () => {
    expect(metricValue(several(3), 'accuracy', predicted, labels)).toBe(0.5);
  });

  it('a label is given from the threshold on', () => {
    const logits = Float32Array.of(Math.log(1 / 3), 0, Math.log(3));
    expect([...predictedLabels(logits, 0.5)]).toEqual([0, 1, 1]);
    expect([...predictedLabels(logits, 0.6)]).toEqual([0, 0, 1]);
    expect([...predictedLabels(logits, 0.2)]).toEqual([1, 1, 1]);
    expect([...predictedLabels(logits, 0.8)]).toEqual([0, 0, 0]);
  });

  it('are scored with their threshold, and the loss is the mean over labels and samples', () => {
    const task: Task = {
      ...findTask('sst2'),
      ...several(2),
      classNames: ['a', 'b'],
      metric: 'f1-micro',
      furtherMetrics: ['f1-macro', 'accuracy'],
    };
    const logits = Float32Array.of(2, -2, 2, 2);
    const score = scoreLogits(task, logits, Float32Array.of(1, 0, 0, 1), { threshold: 0.5, also: null });
    // Right: 2 of label 0 and 1, one wrong: F1 of 2 right, 1 wrong, 0 missed.
    expect(score).toMatchObject({ metric: 'f1-micro', value: 0.8 });
    const [good, bad] = [Math.log1p(Math.exp(-2)), Math.log1p(Math.exp(2))];
    expect(score.loss).toBeCloseTo((3 * good + bad) / 4, 6);
    expect(score.further.map(({ metric, value }) => [metric, value])).toEqual([
      ['f1-macro', expect.closeTo((2 / 3 + 1) / 2, 12)],
      ['accuracy', 0.5],
    ]);
    const strict = scoreLogits(task, logits, Float32Array.of(1, 0, 0, 1), { threshold: 0.9, also: null });
    expect(strict.value).toBe(0);
    expect(() => scoreLogits(task, logits, Float32Array.of(1, 0))).toThrow(
      '1 examples of "own" need 2 logits; 4 came.',
    );
  });
});

describe('the best constant answer', () => {
  const constant = (task: Parameters<typeof constantAnswers>[0] & { id: string }, labels: number[]) => {
    const truth = Float32Array.from(labels);
    const answers = constantAnswers(task, truth);
    return Object.fromEntries(
      metricsOf(task).map((metric) => [
        metric,
        Math.max(...answers.map((answer) => metricValue(task, metric, answer, truth))),
      ]),
    );
  };

  it('of two classes is the frequent one, and class 1 for its F1', () => {
    // 4 of 5 are 0. Always 1: precision 1/5, recall 1. Always 0: F1 of class 0 is 8/9, of class 1 none.
    expect(constant(classes(2), [0, 0, 0, 1, 0])).toEqual({
      accuracy: 0.8,
      'f1-micro': 0.8,
      f1: expect.closeTo(1 / 3, 12),
      'f1-macro': expect.closeTo(4 / 9, 12),
      matthews: 0,
    });
  });

  it('of a number has no correlation', () => {
    expect(constant({ id: 'own', kind: 'regression', labelCount: 1 }, [1, 2, 5])).toEqual({ pearson: 0, spearman: 0 });
  });

  it.each([
    ['one frequent label', 3, [1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0]],
    ['labels that come together', 3, [1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0]],
    ['hardly any', 4, [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ])('of several labels is as good as any of all sets: %s', (_, labelCount, labels) => {
    const truth = Float32Array.from(labels);
    const task = several(labelCount);
    for (const metric of metricsOf(task)) {
      let best = 0;
      for (let set = 0; set < 2 ** labelCount; set++) {
        const answer = Float32Array.from(labels, (__, i) => (set >> (i % labelCount)) & 1);
        best = Math.max(best, metricValue(task, metric, answer, truth));
      }
      expect(constant(task, labels)[metric], metric).toBeCloseTo(best, 12);
    }
  });

  it('of several labels is as good as any of all sets, on sixty drawn ones', () => {
    for (let seed = 0; seed < 60; seed++) {
      const draw = drawsFrom(seed);
      const labelCount = 2 + draw.below(4);
      const often = Array.from({ length: labelCount }, () => draw.uniform());
      const labels = Array.from({ length: labelCount * (3 + draw.below(8)) }, (_, i) =>
        Number(draw.uniform() < often[i % labelCount]!),
      );
      const truth = Float32Array.from(labels);
      const task = several(labelCount);
      const best = constant(task, labels);
      for (const metric of metricsOf(task)) {
        const all = Array.from({ length: 2 ** labelCount }, (_, set) =>
          metricValue(
            task,
            metric,
            truth.map((__, i) => (set >> (i % labelCount)) & 1),
            truth,
          ),
        );
        expect(best[metric], `${metric}, seed ${seed}`).toBeCloseTo(Math.max(...all), 12);
      }
    }
  });
});
