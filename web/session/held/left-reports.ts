import type { RoundReport } from '../../../signaling/protocol/room-view.ts';

/** Reports of the last rounds that a device keeps as the host itself told them: for so long the server may have been away. */
const MAX_LEFT = 256;

/** With one more; where rounds were undone, those that are done again are told again. */
export const withLeft = (reports: readonly RoundReport[], next: RoundReport): readonly RoundReport[] =>
  [...reports.filter(({ round }) => round < next.round), next].slice(-MAX_LEFT);

/**
 * What is known of the rounds until `last`: what the server told, and where it did not, or told of a round that was undone later, what the host
 * itself did.
 */
export function roundsUntil(
  last: number,
  told: readonly RoundReport[],
  left: readonly RoundReport[],
): readonly RoundReport[] {
  const byRound = new Map(told.map((report) => [report.round, report]));
  for (const report of left) if (byRound.get(report.round)?.loss !== report.loss) byRound.set(report.round, report);
  return [...byRound.values()].filter(({ round }) => round <= last).sort((a, b) => a.round - b.round);
}
