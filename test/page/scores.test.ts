import { describe, expect, it } from 'vitest';
import type { ScoreReport } from '../../signaling/protocol/room-view.ts';
import { scoreText } from '../../signaling/protocol/words/metrics.ts';
import {
  curveSentence,
  curves,
  durationSentence,
  outcome,
  roundSentence,
  trainingSeconds,
} from '../../web/page/curve/scores.ts';
import { plan, rounds } from './gallery/scenarios.ts';

const one = plan(6, [{ place: 0, layers: [5], head: true }]);
const score = (round: number, value: number, metric: ScoreReport['metric'] = 'accuracy'): ScoreReport => ({
  round,
  metric,
  value,
  loss: 0.5,
  examples: 500,
  elapsedSeconds: 1,
});
const losses = (...values: number[]) =>
  rounds(values.length, one).map((report, i) => ({ ...report, loss: values[i]!, elapsedSeconds: 2 }));

describe('scores in words', () => {
  it('shows shares in percent and correlations as they are', () => {
    expect(scoreText('accuracy', 0.8349)).toBe('83.5 %');
    expect(scoreText('f1', 1)).toBe('100.0 %');
    expect(scoreText('matthews', -0.0312)).toBe('−0.031');
    expect(scoreText('pearson', -0.0002)).toBe('0.000');
  });

  it('compares the first score with the last', () => {
    expect(outcome([score(0, 0.5), score(20, 0.7), score(40, 0.81)])).toEqual({
      metric: 'accuracy',
      before: '50.0 %',
      after: '81.0 %',
      constant: null,
      further: [],
      of: '500 examples',
      round: 40,
    });
    expect(outcome([score(40, 0.81)])?.before).toBeNull();
    expect(outcome([])).toBeNull();
  });

  it('says of which examples a score is, and how well it is known', () => {
    expect(outcome([{ ...score(40, 0.81), error: 0.01753 }])?.of).toBe('500 examples (± 1.8 points)');
    expect(outcome([{ ...score(40, 0.81), examples: 512, error: 0.0173 }], 5463)?.of).toBe(
      '512 of 5,463 examples (± 1.7 points)',
    );
    expect(outcome([{ ...score(40, 0.31), metric: 'pearson', error: 0.04 }])?.of).toBe('500 examples (± 0.040)');
  });

  it('says what a constant answer has', () => {
    expect(outcome([{ ...score(40, 0.983), constant: 0.96 }])?.constant).toBe('a constant answer has 96.0 %');
  });

  it('names what is reported besides, a second dev set too', () => {
    const further = [
      { metric: 'spearman' as const, devSet: null, value: 0.5312, constant: 0 },
      { metric: 'accuracy' as const, devSet: 'mismatched', value: 0.8641 },
    ];
    expect(outcome([{ ...score(40, 0.81), further }])?.further).toEqual([
      'Spearman correlation 0.531 (constant 0.000)',
      'accuracy on the mismatched dev set 86.4 %',
    ]);
  });

  it('says the chart in one sentence', () => {
    expect(curveSentence({ rounds: losses(0.7, 0.6, 0.4), scores: [score(0, 0.5), score(3, 0.8)] })).toBe(
      'Loss from 0.700 in round 1 to 0.400 in round 3. Dev accuracy from 50.0 % to 80.0 %.',
    );
    expect(curveSentence({ rounds: losses(0.71249), scores: [] })).toBe('Loss 0.712 in round 1.');
    expect(curveSentence({ rounds: [], scores: [score(0, 0.5)] })).toBe(
      'No round is finished yet. Dev accuracy 50.0 %.',
    );
  });

  it('reckons training time from a thinned history by its mean', () => {
    const thinned = losses(...Array.from({ length: 100 }, () => 0.5)).filter((report) => report.round % 10 === 0);
    expect(trainingSeconds(thinned)).toBe(200);
    expect(durationSentence(thinned, [])).toBe('100 rounds in 3 min 20 s, 2.0 s a round.');
    expect(durationSentence(thinned, [score(50, 0.7)])).toBe('100 rounds in 3 min 20 s, 2.0 s a round.');
    expect(durationSentence(thinned, [score(100, 0.7)])).toBe(
      '100 rounds in 3 min 20 s, 2.0 s a round. The last score took 1.0 s.',
    );
    expect(trainingSeconds([])).toBeNull();
  });
});

describe('curves', () => {
  it('put losses and scores on one axis', () => {
    const data = curves(losses(0.7, 0.5), [score(0, 0.5), score(2, 0.8)]);
    expect(data.rounds).toEqual([0, 1, 2]);
    expect(data.loss).toEqual([null, 0.7, 0.5]);
    expect(data.score).toEqual([0.5, null, 0.8]);
  });

  it('smooth with weights that sum to one from the start', () => {
    const { smoothLoss } = curves(losses(1, 0), []);
    expect(smoothLoss[0]).toBe(1);
    // Two rounds with keep = 0.9: (0.9 * 1 + 0) / (0.9 + 1).
    expect(smoothLoss[1]).toBeCloseTo(0.9 / 1.9, 12);
    const level = curves(losses(...Array.from({ length: 50 }, () => 0.3)), []).smoothLoss;
    expect(level.at(-1)).toBeCloseTo(0.3, 12);
  });
});

describe('what else is measured of rounds', () => {
  it('takes the place of the loss on the left axis, smoothed alike', () => {
    const reports = losses(0.7, 0.5).map((report, i) => ({ ...report, gradientNorm: i + 1, elapsedSeconds: 2 }));
    expect(curves(reports, [], 'norm').loss).toEqual([1, 2]);
    expect(curves(reports, [], 'seconds').smoothLoss).toEqual([2, 2]);
  });

  it('has the line of a constant answer where a score says it', () => {
    expect(curves(losses(1, 1), [score(2, 0.8)]).chance).toEqual([null, null]);
    expect(curves(losses(1, 1), [{ ...score(2, 0.8), constant: 0.508 }]).chance).toEqual([0.508, 0.508]);
  });

  it('is said of the round under the cursor', () => {
    const reports = losses(0.7, 0.5).map((report) => ({
      ...report,
      ...{ gradientNorm: 1.234, learningRate: 0.00099999, elapsedSeconds: 2.1 },
    }));
    const scored = [{ ...score(2, 0.8), loss: 0.521 }];
    expect(roundSentence(2, { rounds: reports, scores: scored })).toBe(
      'Round 2: loss 0.500, gradient norm 1.23, learning rate 0.001, 2.1 s; dev accuracy 80.0 %, dev loss 0.521.',
    );
    expect(roundSentence(1, { rounds: reports, scores: scored })).toBe(
      'Round 1: loss 0.700, gradient norm 1.23, learning rate 0.001, 2.1 s.',
    );
    expect(roundSentence(9, { rounds: reports, scores: scored })).toBe('');
  });
});
