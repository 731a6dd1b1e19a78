import type { RoundReport, ScoreReport } from '../room-view.ts';

const MAX_POINTS = 400;
/** Of one history message: a few of them fit under the bound on control messages. */
const MESSAGE_CHARACTERS = 60_000;

/** Rounds whose report tells what each device did; of older ones the times are enough. */
const DETAILED = 8;

/** All but the newest reports without their devices: a round of 64 devices says as much of them as fifty rounds of itself. */
export function withoutOldDetails(rounds: readonly RoundReport[]): readonly RoundReport[] {
  const from = rounds.length - DETAILED;
  const isLong = (report: RoundReport, i: number): boolean => i < from && report.devices.length > 0;
  if (!rounds.some(isLong)) return rounds;
  return rounds.map((report, i) => (isLong(report, i) ? { ...report, devices: [] } : report));
}

/** Keeps a series short enough to send and to draw: past the limit every second point of the older half goes, first and last stay. */
export function thinned<T>(points: readonly T[]): readonly T[] {
  let kept = points;
  while (kept.length > MAX_POINTS) {
    const half = kept.length >> 1;
    kept = kept.filter((_, i) => i >= half || i % 2 === 0);
  }
  return kept;
}

/** Reports in order of their round; of two that tell of the same round, the one of `newer`. */
export function mergedByRound<T extends { readonly round: number }>(
  older: readonly T[],
  newer: readonly T[],
): readonly T[] {
  const byRound = new Map([...older, ...newer].map((report) => [report.round, report]));
  return [...byRound.values()].sort((a, b) => a.round - b.round);
}

export interface HistoryMessage {
  readonly type: 'history';
  rounds: RoundReport[];
  scores: ScoreReport[];
}

const characters = new WeakMap<RoundReport | ScoreReport, number>();

/** As it is sent. Every device that comes is told the same reports. */
function charactersOf(report: RoundReport | ScoreReport): number {
  const known = characters.get(report);
  if (known !== undefined) return known;
  const { length } = JSON.stringify(report);
  characters.set(report, length);
  return length;
}

/** What happened so far as messages that are short enough each; whoever reads them puts them together by round. */
export function historyMessages(
  rounds: readonly RoundReport[],
  scores: readonly ScoreReport[],
): readonly HistoryMessage[] {
  const messages: HistoryMessage[] = [{ type: 'history', rounds: [], scores: [] }];
  let sum = 0;
  const next = (report: RoundReport | ScoreReport): HistoryMessage => {
    const length = charactersOf(report);
    if (sum + length > MESSAGE_CHARACTERS) {
      messages.push({ type: 'history', rounds: [], scores: [] });
      sum = 0;
    }
    sum += length;
    return messages[messages.length - 1];
  };
  for (const report of withoutOldDetails(thinned(rounds))) next(report).rounds.push(report);
  for (const report of thinned(scores)) next(report).scores.push(report);
  return messages;
}
