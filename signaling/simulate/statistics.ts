/** Mean and half-width of the 95 % confidence interval of the mean (Student's t); the half-width of fewer than two values is 0. */
export interface Estimate {
  readonly mean: number;
  readonly halfWidth: number;
  readonly count: number;
}

/** Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom. */
const T_95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** Null for no values. */
export function estimate(values: readonly number[]): Estimate | null {
  const count = values.length;
  if (count === 0) return null;
  const mean = values.reduce((a, b) => a + b, 0) / count;
  if (count === 1) return { mean, halfWidth: 0, count };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const halfWidth = studentT95(count - 1) * Math.sqrt(variance / count);
  // Equal values have a spread of rounding errors.
  return { mean, halfWidth: halfWidth > 1e-12 * Math.abs(mean) ? halfWidth : 0, count };
}

/** Beyond the table, Cornish and Fisher's expansion around the normal quantile; within 0.001 there. */
function studentT95(degrees: number): number {
  const z = 1.959964;
  return T_95[degrees - 1] ?? z + (z ** 3 + z) / (4 * degrees);
}
