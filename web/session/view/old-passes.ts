import type { RoundReport } from '../../../signaling/protocol/room-view.ts';

/** Rounds, the newest, whose stages' passes are kept: a round may have 40 kB of them, and who looks back looks at so many. */
export const ROUNDS_WITH_PASSES = 50;

/** A report that tells of stages what it tells of other devices. */
export function withoutPasses(report: RoundReport): RoundReport {
  if (!hasPasses(report)) return report;
  return { ...report, devices: report.devices.map(({ passes: _, ...rest }) => rest) };
}

/** The same of all but the newest reports, which stand in their order. Those that had their turn before are found without a look at each. */
export function withoutOldPasses(rounds: readonly RoundReport[]): readonly RoundReport[] {
  const last = rounds.length - 1 - ROUNDS_WITH_PASSES;
  let first = last + 1;
  while (first > 0 && hasPasses(rounds[first - 1]!)) first--;
  return first > last ? rounds : rounds.map((report, i) => (i >= first && i <= last ? withoutPasses(report) : report));
}

const hasPasses = ({ devices }: RoundReport): boolean => devices.some(({ passes }) => passes !== undefined);
