import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../worker/data/seeded-random.ts';
import { standardError } from '../../worker/score/standard-error.ts';

const classes = { id: 'two', kind: 'classification', labelCount: 2 } as const;
const numbers = { id: 'one', kind: 'regression', labelCount: 1 } as const;

/** Two normal numbers by Box and Muller. */
function pair(random: () => number): readonly [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  const angle = 2 * Math.PI * random();
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

describe('one standard error', () => {
  it('of accuracy is that of a share', () => {
    const labels = new Float32Array(100).map((_, i) => (i < 90 ? 0 : 1));
    const logits = new Float32Array(200).map((_, i) => (i % 2 === 0 ? 1 : 0));
    // All of class 0: 90 of 100 right.
    expect(standardError(classes, 'accuracy', logits, labels, 0.5)).toBeCloseTo(0.03, 12);
    expect(standardError(classes, 'accuracy', logits.subarray(0, 2), labels.subarray(0, 1), 0.5)).toBe(0);
  });

  it('of a correlation is near (1 - r²) / √n, also where fewer are drawn than there are', () => {
    for (const count of [600, 5000]) {
      const random = seededRandom(count);
      const [answers, labels] = [new Float32Array(count), new Float32Array(count)];
      for (let i = 0; i < count; i++) {
        const [a, b] = pair(random);
        answers[i] = a;
        labels[i] = 0.6 * a + 0.8 * b;
      }
      const want = (1 - 0.36) / Math.sqrt(count);
      const error = standardError(numbers, 'pearson', answers, labels, 0.5);
      expect(error / want).toBeGreaterThan(0.8);
      expect(error / want).toBeLessThan(1.25);
      expect(standardError(numbers, 'pearson', answers, labels, 0.5)).toBe(error);
    }
  });

  it('of several labels is near that of the share of rows that are right, each row drawn whole', () => {
    const [rows, labelCount] = [300, 3];
    const labels = new Float32Array(rows * labelCount).map((_, i) => i % 2);
    // Every fifth row is wrong in its last label alone.
    const logits = labels.map((label, i) => {
      const wrong = Math.floor(i / labelCount) % 5 === 0 && i % labelCount === labelCount - 1;
      return (label === 1) !== wrong ? 1 : -1;
    });
    const task = { id: 'own', kind: 'multi-label', labelCount } as const;
    const want = Math.sqrt((0.8 * 0.2) / rows);
    const error = standardError(task, 'accuracy', logits, labels, 0.5);
    expect(error / want).toBeGreaterThan(0.8);
    expect(error / want).toBeLessThan(1.25);
    // Of 900 labels 60 are wrong, which come apart: micro F1 varies much less than the share of whole rows.
    expect(standardError(task, 'f1-micro', logits, labels, 0.5)).toBeLessThan(0.6 * want);
    expect(
      standardError(
        task,
        'f1-micro',
        labels.map((label) => 2 * label - 1),
        labels,
        0.5,
      ),
    ).toBe(0);
  });
});
