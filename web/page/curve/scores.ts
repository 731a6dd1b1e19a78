import type { RoundReport, ScoreReport } from '../../../signaling/protocol/room-view.ts';
import { countText } from '../../../signaling/protocol/words/lists.ts';
import {
  constantText,
  errorText,
  examplesText,
  furtherTexts,
  metricName,
  scoreText,
} from '../../../signaling/protocol/words/metrics.ts';
import { secondsText } from '../../../signaling/protocol/words/quantities.ts';
import type { SessionView } from '../../session/view/view.ts';
import * as say from '../../words/watch/curve.ts';

export interface ScoreOutcome {
  readonly metric: string;
  /** Null when nothing was evaluated before the first round. */
  readonly before: string | null;
  readonly after: string;
  /** "a constant answer has 50.8 %", on the same examples; null where it is not known. */
  readonly constant: string | null;
  /** Other measures of the last score, each with its value. */
  readonly further: readonly string[];
  /** Of how many examples, and how well it is known by them: "872 examples (± 1.4 points)". */
  readonly of: string;
  readonly round: number;
}

/** The first and the last score; null before any. */
export function outcome(scores: readonly ScoreReport[], devExamples = 0): ScoreOutcome | null {
  const last = scores.at(-1);
  if (last === undefined) return null;
  const first = scores[0];
  return {
    metric: metricName(last.metric),
    before:
      first !== undefined && first !== last && first.round < last.round ? scoreText(first.metric, first.value) : null,
    after: scoreText(last.metric, last.value),
    constant: constantText(last.metric, last.constant),
    further: furtherTexts(last.further ?? []),
    of: `${examplesText(last.examples, Math.max(devExamples, last.examples))}${last.error === undefined ? '' : ` (${errorText(last.metric, last.error)})`}`,
    round: last.round,
  };
}

/** Seconds of training: rounds times their mean, since a latecomer's history is thinned. */
export function trainingSeconds(rounds: readonly RoundReport[]): number | null {
  const last = rounds.at(-1);
  if (last === undefined) return null;
  return (last.round * rounds.reduce((sum, report) => sum + report.elapsedSeconds, 0)) / rounds.length;
}

/** The chart in one sentence, for those who do not see it. */
export function curveSentence({ rounds, scores }: Pick<SessionView, 'rounds' | 'scores'>): string {
  const first = rounds[0];
  const last = rounds.at(-1);
  const score = outcome(scores);
  const scoreSentence =
    score === null
      ? ''
      : score.before === null
        ? say.dev(score.metric, score.after)
        : say.devFrom(score.metric, score.before, score.after);
  if (first === undefined || last === undefined) return say.noRoundIsFinishedYet(scoreSentence);
  const loss =
    first === last
      ? say.lossInRound(last.loss.toFixed(3), last.round)
      : say.lossFromInRound(first.loss.toFixed(3), first.round, last.loss.toFixed(3), last.round);
  return `${loss}${scoreSentence}`;
}

export interface CurveData {
  /** Ascending rounds of both series together. */
  readonly rounds: readonly number[];
  readonly loss: readonly (number | null)[];
  /** Exponential mean over about SMOOTHED_ROUNDS rounds, corrected for its start. */
  readonly smoothLoss: readonly (number | null)[];
  /** The loss on the dev set; all null where the axis shows something else than the loss. */
  readonly devLoss: readonly (number | null)[];
  readonly score: readonly (number | null)[];
  /** What a constant answer scores, at every round; all null where no score says. */
  readonly chance: readonly (number | null)[];
}

/** What a curve needs of a round and of a score; a run that was kept has no more. */
export type CurvePoint = Pick<RoundReport, 'round' | 'loss' | 'gradientNorm' | 'learningRate' | 'elapsedSeconds'>;
export type ScorePoint = Pick<ScoreReport, 'round' | 'value' | 'loss'> & Pick<Partial<ScoreReport>, 'constant'>;

/** What the left axis may show of the rounds. */
export const MEASURED = {
  loss: { label: say.loss, of: (report: CurvePoint) => report.loss },
  norm: { label: say.gradientNorm, of: (report: CurvePoint) => report.gradientNorm },
  rate: { label: say.learningRate, of: (report: CurvePoint) => report.learningRate },
  seconds: { label: say.secondsARound, of: (report: CurvePoint) => report.elapsedSeconds },
} as const;
export type MeasuredKey = keyof typeof MEASURED;

export const isMeasuredKey = (key: string): key is MeasuredKey => key in MEASURED;

/** "Round 34: loss 0.318, gradient norm 1.20, learning rate 0.001, 2.1 s; dev accuracy 66.5 %, dev loss 0.521." */
export function roundSentence(
  round: number,
  { rounds, scores }: Pick<SessionView, 'rounds' | 'scores'>,
  changed = '',
): string {
  const report = rounds.find((one) => one.round === round);
  const score = scores.find((one) => one.round === round);
  const parts =
    report === undefined
      ? []
      : [
          say.lossWithLoss(report.loss.toFixed(3)),
          say.gradientNormWithGradientNorm(report.gradientNorm.toPrecision(3)),
          say.learningRateWithLearningRate(Number(report.learningRate.toPrecision(3))),
          secondsText(report.elapsedSeconds),
        ];
  const scored =
    score === undefined
      ? []
      : [
          say.devWithMetric(metricName(score.metric), scoreText(score.metric, score.value)),
          say.devLossWithLoss(score.loss.toFixed(3)),
        ];
  return parts.length + scored.length === 0
    ? ''
    : say.round(round, [parts.join(', '), scored.join(', '), changed].filter((text) => text !== '').join('; '));
}

const SMOOTHED_ROUNDS = 10;

/** Loss and score on one axis of rounds, null where a series has no point. */
export function curves(
  rounds: readonly CurvePoint[],
  scores: readonly ScorePoint[],
  measured: MeasuredKey = 'loss',
): CurveData {
  const { of } = MEASURED[measured];
  const constant = scores.findLast((score) => score.constant !== undefined)?.constant ?? null;
  const axis = [...new Set([...rounds, ...scores].map((report) => report.round))].toSorted((a, b) => a - b);
  const lossAt = new Map(rounds.map((report) => [report.round, of(report)]));
  const devLossAt = new Map(measured === 'loss' ? scores.map((report) => [report.round, report.loss]) : []);
  const scoreAt = new Map(scores.map((report) => [report.round, report.value]));
  const keep = 1 - 1 / SMOOTHED_ROUNDS;
  let sum = 0;
  let weight = 0;
  const smoothLoss = axis.map((round) => {
    const loss = lossAt.get(round);
    if (loss === undefined) return null;
    sum = keep * sum + loss;
    weight = keep * weight + 1;
    return sum / weight;
  });
  return {
    rounds: axis,
    loss: axis.map((round) => lossAt.get(round) ?? null),
    smoothLoss,
    devLoss: axis.map((round) => devLossAt.get(round) ?? null),
    score: axis.map((round) => scoreAt.get(round) ?? null),
    chance: axis.map(() => constant),
  };
}

/** One line under the finished session: how long it took, training and the last score apart. */
export function durationSentence(rounds: readonly RoundReport[], scores: readonly ScoreReport[]): string {
  const seconds = trainingSeconds(rounds);
  const last = rounds.at(-1);
  if (seconds === null || last === undefined) return '';
  const score = scores.at(-1);
  const scored = score?.round === last.round ? say.theLastScoreTook(secondsText(score.elapsedSeconds)) : '';
  return say.inARound(
    countText(last.round, say.roundWithin, say.rounds),
    secondsText(seconds),
    secondsText(seconds / last.round),
    scored,
  );
}
