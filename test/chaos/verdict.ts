import * as v from 'valibot';
import { FAULTS, type FaultKind, PHASES, type Phase } from './cells.ts';
import type { Report } from './chaos-room.ts';
import type { ToldRound } from './messages.ts';
import type { Planned } from './schedule.ts';

/** A fault that struck. */
export interface Struck {
  readonly planned: Planned;
  /** The round that was under way, or the last one before an evaluation, a checkpoint, an export. */
  readonly round: number;
  readonly atMs: number;
  /** What was done to whom. */
  readonly sentence: string;
}

export interface Run {
  readonly rounds: number;
  readonly planned: readonly Planned[];
  readonly struck: readonly Struck[];
  /** As they were told, rounds that were done again included. */
  readonly reports: readonly Report[];
  /** What the last host has of the whole session. */
  readonly history: readonly ToldRound[];
  /** Milliseconds for which the test itself held the room, until it was ready for the next fault: [from, until]. */
  readonly held: readonly (readonly [number, number])[];
  /** Processes that ended without being asked to, and why. */
  readonly unasked: readonly string[];
  readonly seconds: number;
}

/** The largest relative difference of a loss that float sums in another order may make. */
export const CURVE_TOLERANCE = 1e-4;

export interface Verdict {
  /** What is not as it has to be; nothing where all is well. */
  readonly problems: readonly string[];
  readonly faults: number;
  /** Largest relative difference of a round's loss to the quiet run's. */
  readonly curveDifference: number;
  /** Rounds that were done more than once. */
  readonly repeated: number;
  readonly table: Readonly<Record<Phase, Readonly<Record<FaultKind, number>>>>;
  readonly lost: Readonly<
    Partial<Record<FaultKind, { readonly faults: number; readonly seconds: number; readonly most: number }>>
  >;
}

export const QuietSchema = v.strictObject({
  history: v.array(v.strictObject({ round: v.number(), loss: v.number(), seconds: v.number() })),
  /** From one round to the next. */
  usualSeconds: v.number(),
});
/** The same session without a fault. */
export type Quiet = v.InferOutput<typeof QuietSchema>;

export const quietOf = ({ history, reports }: Pick<Run, 'history' | 'reports'>): Quiet => ({
  history: [...history],
  usualSeconds: middle(reports.slice(1).map(({ atMs }, i) => (atMs - (reports[i]?.atMs ?? atMs)) / 1000)),
});

export function judged(run: Run, quiet: Quiet, tolerance = CURVE_TOLERANCE): Verdict {
  const problems: string[] = [];
  const table = tableOf(run.struck);
  const asked = tableOf(run.planned.map((planned) => ({ planned })));
  for (const phase of PHASES)
    for (const fault of FAULTS)
      if (table[phase][fault] < asked[phase][fault]) problems.push(`${fault} did not strike in ${phase}.`);

  const there = run.history.map(({ round }) => round);
  const all = Array.from({ length: run.rounds }, (_, i) => i + 1);
  const missing = all.filter((round) => !there.includes(round));
  if (missing.length > 0) problems.push(`Rounds that are lost: ${missing.join(', ')}.`);
  if (there.join() !== [...there].sort((a, b) => a - b).join() || new Set(there).size !== there.length)
    problems.push('Rounds are not in their order, each once.');

  const expected = new Map(quiet.history.map(({ round, loss }) => [round, loss]));
  const differences = run.history.map(({ round, loss }) => {
    const other = expected.get(round);
    return other === undefined ? Number.POSITIVE_INFINITY : Math.abs(loss - other) / Math.abs(other);
  });
  const curveDifference = Math.max(0, ...differences);
  const first = differences.findIndex((one) => !(one < tolerance));
  if (first >= 0)
    problems.push(`From round ${there[first]} on the curve is another one: by ${curveDifference} at most.`);
  problems.push(...run.unasked);
  const counts = new Map<number, number>();
  for (const { round } of run.reports) counts.set(round, (counts.get(round) ?? 0) + 1);
  const repeated = [...counts.values()].reduce((sum, count) => sum + count - 1, 0);
  return {
    problems,
    faults: run.struck.length,
    curveDifference,
    repeated,
    table,
    lost: lostSeconds(run, quiet.usualSeconds),
  };
}

function tableOf(struck: readonly { readonly planned: Planned }[]): Record<Phase, Record<FaultKind, number>> {
  const none = () => Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<FaultKind, number>;
  const table = Object.fromEntries(PHASES.map((phase) => [phase, none()])) as Record<Phase, Record<FaultKind, number>>;
  for (const { planned } of struck) table[planned.phase][planned.manner.kind]++;
  return table;
}

/**
 * From one report to the next there is a usual time, the middle one of the quiet run. What is more is lost, by the fault that struck last; a round
 * that is done again is lost whole, by the last liar where there was one.
 */
function lostSeconds(run: Run, usual: number): Verdict['lost'] {
  const lostBy = new Map<Struck, number>();
  let newest = 0;
  run.reports.forEach(({ round, atMs }, i) => {
    const beforeMs = run.reports[i - 1]?.atMs;
    const isAgain = round <= newest;
    newest = Math.max(newest, round);
    if (beforeMs === undefined) return;
    const before = run.struck.filter((one) => one.atMs < atMs);
    const fault = (isAgain ? before.findLast(({ planned }) => planned.manner.kind === 'liar') : null) ?? before.at(-1);
    if (fault === undefined) return;
    const seconds = (atMs - beforeMs - overlap(run.held, beforeMs, atMs)) / 1000 - (isAgain ? 0 : usual);
    lostBy.set(fault, (lostBy.get(fault) ?? 0) + seconds);
  });
  const lost: Partial<Record<FaultKind, { faults: number; seconds: number; most: number }>> = {};
  for (const struck of run.struck) {
    const { kind } = struck.planned.manner;
    const { faults, seconds, most } = lost[kind] ?? { faults: 0, seconds: 0, most: 0 };
    const own = lostBy.get(struck) ?? 0;
    lost[kind] = { faults: faults + 1, seconds: seconds + own, most: Math.max(most, own) };
  }
  return lost;
}

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

const overlap = (held: Run['held'], fromMs: number, untilMs: number): number =>
  held.reduce((sum, [from, until]) => sum + Math.max(0, Math.min(until, untilMs) - Math.max(from, fromMs)), 0);
