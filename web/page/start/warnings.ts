import { countText, listText } from '../../../signaling/protocol/words/lists.ts';
import * as say from '../../words/start/start.ts';
import { OWN_TASK } from '../parts/choices.ts';
import type { StartForm } from './form-fields.ts';

/** Fewer rows teach a model little but their own accidents. */
const FEW_ROWS = 100;
/** Fewer examples to score with say little. */
const FEW_SCORED = 20;
/** Classes that are named; of more, how many. */
const MAX_NAMED = 3;
/** So often every row is seen before it is worth a word. */
const MANY_EPOCHS = 50;

/** What a person should know before starting, though nothing forbids it. `rounds` and `samples` are null while they are not numbers. */
export function startWarnings(
  { task, own }: Pick<StartForm, 'task' | 'own'>,
  rounds: number | null,
  samples: number | null,
): readonly string[] {
  if (task !== OWN_TASK || own.train.kind !== 'read') return [];
  const { report, columns } = own.train.preview;
  const out: string[] = [];
  const rows = countText(report.used, say.row, say.rows);
  if (report.used < FEW_ROWS) out.push(say.onlySoFewTeach(rows));
  const labels = own.kind === 'classification' ? columns.find(({ name }) => name === own.label)?.labels : undefined;
  const single = (labels?.classNames ?? []).filter((_, i) => labels?.classCounts?.[i] === 1);
  const named = single.slice(0, MAX_NAMED).map((name) => `“${name}”`);
  const more = single.length - named.length;
  if (single.length > 0)
    out.push(
      say.oneRowOnlyWhat(listText(more > 0 ? [...named, `${more} more`] : named), single.length === 1 ? 'has' : 'have'),
    );
  const scored = own.dev.kind === 'read' ? own.dev.preview.report.used : Math.floor(report.used / 10);
  if (report.used >= FEW_ROWS && scored < FEW_SCORED)
    out.push(say.scoresWillBeOfThey(countText(Math.max(1, scored), say.example, say.examples)));
  const epochs = rounds === null || samples === null || report.used === 0 ? 0 : (rounds * samples) / report.used;
  if (epochs >= MANY_EPOCHS) out.push(say.everyRowComesTimesFewer(Math.round(epochs)));
  return out;
}
