import type { CurveData } from './scores.ts';

/** A column of numbers for each line of the chart, over the rounds of all runs together. */
export interface Overlaid {
  readonly rounds: readonly number[];
  readonly columns: readonly (readonly (number | null)[])[];
}

/** Columns of the run that is shown, then two (smoothed values, scores) of each run laid over it. */
export const OWN_COLUMNS = ['loss', 'smoothLoss', 'devLoss', 'score', 'chance'] as const;

/** One axis of rounds for all runs; null where a run has no point. */
export function overlaid(own: CurveData, others: readonly CurveData[]): Overlaid {
  const rounds = [...new Set([own, ...others].flatMap((data) => data.rounds))].toSorted((a, b) => a - b);
  const spread = (data: CurveData, column: readonly (number | null)[]): readonly (number | null)[] => {
    const at = new Map(data.rounds.map((round, i) => [round, column[i] ?? null]));
    return rounds.map((round) => at.get(round) ?? null);
  };
  return {
    rounds,
    columns: [
      ...OWN_COLUMNS.map((name) => spread(own, own[name])),
      ...others.flatMap((data) => [spread(data, data.smoothLoss), spread(data, data.score)]),
    ],
  };
}
