import type { FurtherScore, Measure, Metric } from '../scores.ts';

/** How scores are said to people. */

const NAMES: Readonly<Record<Metric, string>> = {
  accuracy: 'accuracy',
  matthews: 'Matthews correlation',
  f1: 'F1',
  'f1-micro': 'F1, micro',
  'f1-macro': 'F1, macro',
  pearson: 'Pearson correlation',
  spearman: 'Spearman correlation',
};

export const isPercentage = (metric: Metric): boolean => metric === 'accuracy' || metric.startsWith('f1');

/** A score as people read it: accuracy and F1 in percent, correlations as they are, with a minus sign that is one. */
export function scoreText(metric: Metric, value: number): string {
  if (isPercentage(metric)) return `${(100 * value).toFixed(1)} %`;
  const text = Math.abs(value).toFixed(3);
  return value < 0 && Number(text) > 0 ? `−${text}` : text;
}

export const metricName = (measure: Measure): string => (measure === 'loss' ? 'loss' : NAMES[measure]);

/** The value of anything that the best may be chosen by. */
export const measureText = (measure: Measure, value: number): string =>
  measure === 'loss' ? value.toFixed(3) : scoreText(measure, value);

/** "a constant answer has 50.8 %"; null of a score that does not say. */
export const constantText = (metric: Metric, constant: number | undefined): string | null =>
  constant === undefined ? null : `a constant answer has ${scoreText(metric, constant)}`;

/** One standard error of a score: "± 1.4 points", "± 0.021". */
export const errorText = (metric: Metric, error: number): string =>
  isPercentage(metric) ? `± ${(100 * error).toFixed(1)} points` : `± ${error.toFixed(3)}`;

/** What a score is of: "872 examples", "512 of 872 examples". */
export const examplesText = (examples: number, all: number): string =>
  `${examples < all ? `${examples.toLocaleString('en-US')} of ` : ''}${all.toLocaleString('en-US')} ${all === 1 ? 'example' : 'examples'}`;

/** What is measured: "accuracy", "accuracy on the mismatched dev set". */
export const measureName = ({ metric, devSet }: Pick<FurtherScore, 'metric' | 'devSet'>): string =>
  `${NAMES[metric]}${devSet === null ? '' : ` on the ${devSet} dev set`}`;

/** Each with its value: "accuracy 71.2 %", "accuracy on the mismatched dev set 55.1 % (constant 35.4 %)". */
export const furtherTexts = (further: readonly FurtherScore[]): readonly string[] =>
  further.map(
    (one) =>
      `${measureName(one)} ${scoreText(one.metric, one.value)}${one.constant === undefined ? '' : ` (constant ${scoreText(one.metric, one.constant)})`}`,
  );
