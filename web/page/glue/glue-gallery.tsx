import { pressable } from '../parts/pressable.ts';
import { GLUE_FACTS, type GlueFacts, glueFactsOf, MNLI_MISMATCHED, PUBLISHED_SOURCE } from './glue-facts.ts';
import { glueLines } from './glue-words.ts';
import './glue.css';
import * as say from '../../words/start/glue.ts';

interface GalleryProps {
  /** A task of the form. */
  readonly task: string;
  readonly model: 'mini' | 'base';
  readonly busy: boolean;
  readonly onChoose: (task: string) => void;
  /** Starts at once, by the task's recipe. */
  readonly onStart: (task: string) => void;
}

/** GLUE's nine: what each asks, and of the chosen one an example, its size, and how well others did. */
export function GlueGallery({ task, model, busy, onChoose, onStart }: GalleryProps) {
  const chosen = glueFactsOf(task);
  return (
    <fieldset class="field glue">
      <legend>{say.whichOfGLUEsNine}</legend>
      <ul class="glue-tasks">
        {GLUE_FACTS.map((facts) => (
          <li key={facts.id} class={facts === chosen ? 'glue-task glue-chosen' : 'glue-task'}>
            <label class="glue-name">
              <input
                type="radio"
                name="glue"
                value={facts.id}
                checked={facts === chosen}
                onChange={() => onChoose(facts.id)}
              />
              <span>
                <strong>{facts.name}</strong> <span class="field-hint">{facts.asks}</span>
              </span>
            </label>
            <button
              type="button"
              class="plain"
              aria-label={say.startByItsRecipe(facts.name)}
              {...pressable(busy, () => onStart(facts === chosen ? task : facts.id))}
            >
              {say.start}
            </button>
            {facts === chosen && <About facts={facts} task={task} model={model} onChoose={onChoose} />}
          </li>
        ))}
      </ul>
      <p class="field-hint">{say.published(PUBLISHED_SOURCE)}</p>
    </fieldset>
  );
}

function About({
  facts,
  task,
  model,
  onChoose,
}: { facts: GlueFacts } & Pick<GalleryProps, 'task' | 'model' | 'onChoose'>) {
  return (
    <div class="glue-about">
      <dl class="glue-facts">
        {glueLines(facts, model).map(({ what, value }) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {facts.id === 'mnli' && (
        <label class="check">
          <input
            type="checkbox"
            name="mismatched"
            checked={task === MNLI_MISMATCHED}
            onChange={(event) => onChoose(event.currentTarget.checked ? MNLI_MISMATCHED : 'mnli')}
          />
          {say.judgeOnOtherKinds}
        </label>
      )}
    </div>
  );
}
