import { describe, expect, it } from 'vitest';
import { type Loss, lossAndGradientOf, lossTargets, plainLoss, sampleWeight } from '../../worker/engine/loss.ts';

const BINARY: Loss = { kind: 'binary-cross-entropy' };
const entropy = (classWeights: readonly number[] | null, labelSmoothing = 0): Loss => ({
  kind: 'cross-entropy',
  classWeights,
  labelSmoothing,
});

/** The mean over a batch as the host makes it: sums of parts over the sum of their samples' weights. */
function mean(loss: Loss, rows: readonly { logits: number[]; label: number }[]): number {
  const sums = rows.map(({ logits, label }) => {
    const targets = lossTargets(loss, Float32Array.of(label), logits.length);
    return lossAndGradientOf(loss, logits, targets, logits.length).lossSum;
  });
  const weights = rows.map(({ label }) => sampleWeight(loss, label));
  const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return total(sums) / total(weights);
}

describe('known answers', () => {
  // Logits whose probabilities are 1/2, 1/4, 1/4 and 1/8, 1/8, 3/4.
  const rows = [
    { logits: [Math.log(2), 0, 0], label: 0 },
    { logits: [0, 0, Math.log(6)], label: 1 },
  ];

  it('plain cross-entropy: log 2 and log 8', () => {
    expect(mean(plainLoss(3), rows)).toBeCloseTo((Math.log(2) + Math.log(8)) / 2, 12);
  });

  it('class weights: the mean is weighted, (1 log 2 + 3 log 8) / 4', () => {
    expect(mean(entropy([1, 3, 5]), rows)).toBeCloseTo((Math.log(2) + 3 * Math.log(8)) / 4, 7);
  });

  it('label smoothing: 0.7 of it, and 0.3 of the mean over the classes', () => {
    const over = [(Math.log(2) + 2 * Math.log(4)) / 3, (2 * Math.log(8) + Math.log(4 / 3)) / 3];
    const want = (0.7 * Math.log(2) + 0.3 * over[0]! + 0.7 * Math.log(8) + 0.3 * over[1]!) / 2;
    expect(mean(entropy(null, 0.3), rows)).toBeCloseTo(want, 7);
  });

  it('both: the smoothed part weighs each class, and is divided by the weights of the labels too', () => {
    // at::cross_entropy_loss with weight and label_smoothing: (1 - e) nll + e / 3 * sum_c(-w_c log p_c) / sum(w_y).
    const nll = (Math.log(2) + 3 * Math.log(8)) / 4;
    const smooth =
      (1 * Math.log(2) + 3 * Math.log(4) + 5 * Math.log(4) + 1 * Math.log(8) + 3 * Math.log(8) + 5 * Math.log(4 / 3)) /
      4;
    expect(mean(entropy([1, 3, 5], 0.3), rows)).toBeCloseTo(0.7 * nll + 0.1 * smooth, 6);
  });

  it('several labels: the mean over them of -log of what each was given', () => {
    // Sigmoids 3/4, 1/5, 1/2 against 1, 1, 0.
    const logits = [Math.log(3), -Math.log(4), 0];
    const { lossSum, dLogits } = lossAndGradientOf(BINARY, logits, Float32Array.of(1, 1, 0), 3);
    expect(lossSum).toBeCloseTo((Math.log(4 / 3) + Math.log(5) + Math.log(2)) / 3, 12);
    for (const [i, want] of [-1 / 4, -4 / 5, 1 / 2].entries()) expect(dLogits[i]).toBeCloseTo(want / 3, 12);
  });

  it('several labels: logits of any size have a finite loss, and a wrong one costs its distance', () => {
    const { lossSum, dLogits } = lossAndGradientOf(BINARY, [1e4, -1e4], Float32Array.of(0, 0), 2);
    expect([lossSum, ...dLogits]).toEqual([5000, 0.5, 0]);
  });

  it('a number: the square of the error', () => {
    const { lossSum, dLogits } = lossAndGradientOf(plainLoss(1), [3, -1], Float32Array.of(1, 0.5), 1);
    expect([lossSum, ...dLogits]).toEqual([6.25, 4, -3]);
  });
});

describe('gradients against central differences in float64', () => {
  it.each<[string, Loss, number[], number]>([
    ['plain', plainLoss(4), [2, 0], 4],
    ['weighted', entropy([0.3, 2, 1, 4]), [3, 1], 4],
    ['weighted and smoothed', entropy([0.3, 2, 1, 4], 0.25), [0, 3], 4],
    ['several labels', BINARY, [1, 0, 0, 1, 0, 1, 1, 1], 4],
    ['one label that is there or not', BINARY, [1, 0], 1],
    ['a number', plainLoss(1), [0.3, -2], 1],
  ])('%s', (_, loss, labels, labelCount) => {
    const targets = lossTargets(loss, Float32Array.from(labels), labelCount);
    const logits = Array.from(targets, (__, i) => Math.sin(3 * i + 1) * 2);
    const at = (i: number, by: number) =>
      lossAndGradientOf(
        loss,
        logits.map((x, j) => (j === i ? x + by : x)),
        targets,
        labelCount,
      ).lossSum;
    const { dLogits } = lossAndGradientOf(loss, logits, targets, labelCount);
    for (let i = 0; i < logits.length; i++)
      expect(Math.abs((at(i, 1e-5) - at(i, -1e-5)) / 2e-5 - dLogits[i]!)).toBeLessThan(1e-9);
  });
});
