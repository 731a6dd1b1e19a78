import { median } from '../../../signaling/protocol/median.ts';
import type { RoundReport } from '../../../signaling/protocol/room-view.ts';

/** Seconds of one device in one round. */
export interface DeviceSeconds {
  readonly compute: number;
  readonly upload: number;
}

/** Rounds that a measured time is taken over: few enough to follow a change, enough that one slow round does not show. */
const MEASURED_ROUNDS = 5;

/** Median seconds of a device over its last rounds under one plan; null before the first. Work taken over within a round is added up. */
export function measuredSeconds(
  rounds: readonly RoundReport[],
  planVersion: number,
  device: string,
): DeviceSeconds | null {
  const found: DeviceSeconds[] = [];
  for (let i = rounds.length - 1; i >= 0 && found.length < MEASURED_ROUNDS; i--) {
    const report = rounds[i]!;
    // Plans only get newer, but for a server that started again and counts anew.
    if (report.planVersion < planVersion) break;
    if (report.planVersion !== planVersion) continue;
    const entries = report.devices.filter((entry) => entry.device === device);
    if (entries.length === 0) continue;
    found.push({
      compute: entries.reduce((sum, entry) => sum + entry.computeSeconds, 0),
      upload: entries.reduce((sum, entry) => sum + entry.uploadSeconds, 0),
    });
  }
  if (found.length === 0) return null;
  return { compute: median(found.map((one) => one.compute)), upload: median(found.map((one) => one.upload)) };
}

export const totalSeconds = ({ compute, upload }: DeviceSeconds): number => compute + upload;

/** Median seconds that the last rounds took as a whole; null before the first. */
export function recentRoundSeconds(rounds: readonly RoundReport[], count: number): number | null {
  const last = rounds.slice(-count);
  return last.length === 0 ? null : median(last.map((report) => report.elapsedSeconds));
}
