import * as say from '../../words/start/start.ts';
import { OWN_TASK, TASK_CHOICES } from '../parts/choices.ts';

/** The first of GLUE, where a person says GLUE and no more. */
const FIRST_OF_GLUE = TASK_CHOICES.find(({ from }) => from === 'hub')!.id;

const KINDS = [
  {
    kind: 'grammar',
    label: say.filmVerdicts,
    hint: say.toTryItNothing,
  },
  { kind: OWN_TASK, label: say.yourOwnTable, hint: say.textsWithALabelEach },
  { kind: 'glue', label: say.aTaskOfGlue, hint: say.nineOfThem },
] as const;

/** What is learnt: the demonstration, a table of one's own, or one of GLUE's tasks. */
export function TaskChoice({ task, onChoose }: { task: string; onChoose: (task: string) => void }) {
  const chosen = task === 'grammar' || task === OWN_TASK ? task : 'glue';
  return (
    <fieldset class="field">
      <legend>{say.whatItLearns}</legend>
      <div class="kinds">
        {KINDS.map(({ kind, label, hint }) => (
          <label key={kind} class={kind === chosen ? 'kind kind-chosen' : 'kind'}>
            <input
              type="radio"
              name="task"
              value={kind}
              checked={kind === chosen}
              onChange={() => onChoose(kind === 'glue' ? FIRST_OF_GLUE : kind)}
            />
            <span>
              <strong>{label}</strong> <span class="field-hint">{hint}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
