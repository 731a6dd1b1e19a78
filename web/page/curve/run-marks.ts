import type { RoundReport } from '../../../signaling/protocol/room-view.ts';
import * as say from '../../words/watch/curve.ts';

/** What changed at a round: a new plan, who began to work, who works no more. */
export interface RunMark {
  readonly round: number;
  readonly plan: boolean;
  readonly came: readonly string[];
  readonly went: readonly string[];
}

type Marked = Pick<RoundReport, 'round' | 'planVersion'> & { readonly devices: readonly { readonly device: string }[] };

/**
 * Where a run changed, from its rounds alone: between two reports (a latecomer's history is thinned) the later one has the mark. The first
 * round is the beginning and has none.
 */
export function runMarks(rounds: readonly Marked[]): readonly RunMark[] {
  const out: RunMark[] = [];
  for (const [i, report] of rounds.entries()) {
    const before = rounds[i - 1];
    if (before === undefined) continue;
    const old = new Set(before.devices.map(({ device }) => device));
    const now = new Set(report.devices.map(({ device }) => device));
    const mark: RunMark = {
      round: report.round,
      plan: report.planVersion !== before.planVersion,
      came: [...now].filter((id) => !old.has(id)),
      went: [...old].filter((id) => !now.has(id)),
    };
    if (mark.plan || mark.came.length > 0 || mark.went.length > 0) out.push(mark);
  }
  return out;
}

/** "a new plan, Pixel 8 begins, ThinkPad is gone from it" */
export function markText({ plan, came, went }: RunMark, nameOf: (id: string) => string): string {
  return [
    ...(plan ? [say.aNewPlanWithin] : []),
    ...came.map((id) => `${nameOf(id)} begins`),
    ...went.map((id) => say.takesNoPart(nameOf(id))),
  ].join(', ');
}
