import { describe, expect, it } from 'vitest';
import { mistakeText, wrongSentence } from '../../web/page/take/dev-report-words.ts';

const report = { round: 60, examples: 1500, wrong: 72, classes: [], confusion: null, mistakes: [] };
const line = { name: 'a', precision: 1, recall: 1, f1: 1, examples: 1 };

describe('what a model gets wrong, in words', () => {
  it('counts', () => {
    expect(wrongSentence({ ...report, classes: [line] })).toBe(
      'After 60 rounds, 72 of 1,500 dev examples are answered wrong.',
    );
    expect(wrongSentence({ ...report, classes: [line], wrong: 1 })).toBe(
      'After 60 rounds, 1 of 1,500 dev examples is answered wrong.',
    );
    expect(wrongSentence({ ...report, classes: [line], round: 0, wrong: 0 })).toBe(
      'Before training, all 1,500 dev examples are answered right.',
    );
    expect(wrongSentence(report)).toBe(
      'After 60 rounds, on 1,500 dev examples: those that are furthest off come first.',
    );
  });

  it('says label and answer', () => {
    const mistake = { text: 'x', pair: null, label: 'positive', answer: 'negative', probability: 0.0312 };
    expect(mistakeText(mistake)).toBe('Label: positive. Answer: negative; positive was given 3.1 %.');
    expect(mistakeText({ ...mistake, label: '', answer: 'a|b', probability: null })).toBe('Label: none. Answer: a|b.');
  });
});
