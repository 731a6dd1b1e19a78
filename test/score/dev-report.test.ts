import { describe, expect, it } from 'vitest';
import { devReport } from '../../worker/score/dev-report.ts';

const options = { round: 7, threshold: 0.5 };
const classes = { id: 'own', kind: 'classification', labelCount: 3, classNames: ['a', 'b', 'c'] } as const;
const example = (text: string, label: number | readonly number[]) => ({ text, pair: null, label });

describe('what a model gets right and wrong', () => {
  // Labels a a b b c; answers a b b a c, the second mistake with less doubt than the first.
  const examples = [example('1', 0), example('2', 0), example('3', 1), example('4', 1), example('5', 2)];
  const logits = Float32Array.of(2, 0, 0, 0, 1, 0, 0, 3, 0, 4, 0, 0, 0, 0, 1);
  const report = devReport(classes, examples, logits, options);

  it('is counted for each class', () => {
    expect(report.classes).toEqual([
      { name: 'a', precision: 0.5, recall: 0.5, f1: 0.5, examples: 2 },
      { name: 'b', precision: 0.5, recall: 0.5, f1: 0.5, examples: 2 },
      { name: 'c', precision: 1, recall: 1, f1: 1, examples: 1 },
    ]);
    expect([report.round, report.examples, report.wrong]).toEqual([7, 5, 2]);
  });

  it('has labels in rows and answers in columns', () => {
    const skew = devReport(classes, [example('1', 0), example('2', 0)], Float32Array.of(0, 0, 1, 0, 0, 1), options);
    expect(skew.confusion).toEqual([
      [0, 0, 2],
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(report.confusion).toEqual([
      [1, 1, 0],
      [1, 1, 0],
      [0, 0, 1],
    ]);
  });

  it('begins with the example that it is most wrong about', () => {
    expect(report.mistakes.map(({ text, label, answer }) => [text, label, answer])).toEqual([
      ['4', 'b', 'a'],
      ['2', 'a', 'b'],
    ]);
    expect(report.mistakes[1]!.probability).toBeCloseTo(1 / (2 + Math.E), 6);
  });

  it('of several labels is by label, and a mistake names all of them', () => {
    const several = { id: 'own', kind: 'multi-label', labelCount: 2, classNames: ['x', 'y'] } as const;
    const found = devReport(
      several,
      [example('1', [1, 1]), example('2', [0, 0])],
      Float32Array.of(1, -1, -1, -1),
      options,
    );
    expect(found.classes).toEqual([
      { name: 'x', precision: 1, recall: 1, f1: 1, examples: 1 },
      { name: 'y', precision: 0, recall: 0, f1: 0, examples: 1 },
    ]);
    expect(found.confusion).toBeNull();
    expect(found.mistakes).toEqual([{ text: '1', pair: null, label: 'x|y', answer: 'x', probability: null }]);
  });

  it('of scores are those that are furthest off', () => {
    const score = { id: 'own', kind: 'regression', labelCount: 1, classNames: [] } as const;
    const found = devReport(score, [example('1', 2), example('2', 5)], Float32Array.of(2.5, 1.25), options);
    expect(found.classes).toEqual([]);
    expect(found.mistakes.map(({ text, label, answer }) => [text, label, answer])).toEqual([
      ['2', '5', '1.25'],
      ['1', '2', '2.5'],
    ]);
  });

  it('is cut where there is too much', () => {
    const many = Array.from({ length: 30 }, (_, i) => example('x'.repeat(500), i % 2));
    const logitsOfMany = Float32Array.from({ length: 90 }, (_, i) => Number(i % 3 === 2));
    const found = devReport(classes, many, logitsOfMany, options);
    expect([found.wrong, found.mistakes.length, found.mistakes[0]!.text.length]).toEqual([30, 20, 401]);
  });
});
