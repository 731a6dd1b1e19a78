import type { Signal } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { WEIGHT_STORAGES } from '../../../signaling/protocol/settings.ts';
import type { SessionFactory } from '../../session/view/view.ts';
import * as say from '../../words/start/start.ts';
import { Reading } from '../door/reading.tsx';
import { readingAsHost } from '../door/reading-words.ts';
import { estimateSentence } from '../estimate/estimate.ts';
import { recallMeasured } from '../estimate/use-measured.ts';
import { GlueGallery } from '../glue/glue-gallery.tsx';
import {
  EMBEDDED_MODEL,
  FOLDER_MODEL,
  HUB_MODEL,
  isWeightStorage,
  OWN_TASK,
  WEIGHT_CHOICES,
} from '../parts/choices.ts';
import { SelectField, TextField } from '../parts/field.tsx';
import { pressable } from '../parts/pressable.ts';
import { OwnData } from '../table/own-data.tsx';
import { askedOf } from './asked.ts';
import { DeviceFold, LayersFold, MoreFold, OptimiserFold, TrainingFold } from './folds.tsx';
import type { Field, StartForm } from './form-fields.ts';
import type { NumberField } from './number-field.ts';
import { withModel, withTask } from './recipe-fields.ts';
import {
  checkStartForm,
  cleanEndpoint,
  FOLDS,
  isWebAddress,
  modelSource,
  needsHub,
  type StartChoice,
  taskIsOnHub,
} from './start-form.ts';
import { FolderModel, HubModel, StartAdapter } from './start-model.tsx';
import { TaskChoice } from './task-choice.tsx';
import { TaskReach } from './task-reach.tsx';
import { startWarnings } from './warnings.ts';

interface StartProps {
  /** Lives outside, so that nothing typed is lost when a session ends or cannot begin. */
  readonly form: Signal<StartForm>;
  readonly origin: string;
  readonly busy: boolean;
  /** What the form asks before there is a session. */
  readonly ask: Pick<SessionFactory, 'previewTable' | 'preflight' | 'reachTask'>;
  readonly onStart: (choice: StartChoice) => void;
}

/** The form that starts a session in two choices, what is learnt and by which model; everything else has a sensible default under a fold. */
export function StartSession({ form, origin, busy, ask, onStart }: StartProps) {
  const element = useRef<HTMLFormElement>(null);
  const [tried, setTried] = useState(false);
  const values = form.value;
  // The model as it was when the person had finished naming it: a hub is not asked at every letter.
  const [named, setNamed] = useState(() => modelSource(values));
  const [namedHub, setNamedHub] = useState(() => cleanEndpoint(values));
  const [measured] = useState(recallMeasured);
  const checked = checkStartForm(values, origin);
  const problems: Partial<Record<Field, string>> = tried && !checked.ok ? checked.problems : {};
  const set = (change: Partial<StartForm>): void => {
    form.value = { ...form.value, ...change };
  };
  const number = (field: NumberField, label: string, hint?: string) => (
    <TextField
      name={field}
      label={label}
      hint={hint}
      numeric
      value={values[field]}
      problem={problems[field]}
      onValue={(value) => set({ [field]: value })}
    />
  );
  const weights = (
    <SelectField
      name="weights"
      label={say.weightsInMemory}
      value={values.weights}
      hint={WEIGHT_CHOICES[values.weights].hint}
      onValue={(value) => isWeightStorage(value) && set({ weights: value })}
      options={WEIGHT_STORAGES.map((value) => ({ value, label: WEIGHT_CHOICES[value].label }))}
    />
  );
  const hub = values.model === HUB_MODEL;
  const folder = values.model === FOLDER_MODEL;
  const ownTable = values.task === OWN_TASK;

  const asked = askedOf(values, checked);
  const warnings = startWarnings(values, asked?.rounds ?? null, asked?.samplesPerRound ?? null);

  const start = (form: StartForm): void => {
    setTried(true);
    const checked = checkStartForm(form, origin);
    if (checked.ok) {
      onStart(checked.choice);
      return;
    }
    for (const [fold, fields] of Object.entries(FOLDS))
      if (fields.some((field) => checked.problems[field] !== undefined))
        element.current?.querySelector(`details[data-fold="${fold}"]`)?.setAttribute('open', '');
    requestAnimationFrame(() =>
      element.current?.querySelector<HTMLElement>('.field-wrong :is(input, select)')?.focus(),
    );
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    start(values);
  };
  const choose = (task: string): void => {
    form.value = withTask(form.value, task);
  };
  const hubAddress = needsHub(values) && (
    <TextField
      name="endpoint"
      label={say.hubAddress}
      value={values.endpoint}
      problem={problems.endpoint}
      hint={say.anyAddressWithTheHugging}
      onValue={(endpoint) => set({ endpoint })}
    />
  );

  return (
    <form
      class="form start-form"
      ref={element}
      onSubmit={submit}
      onChange={() => {
        setNamed(modelSource(form.peek()));
        setNamedHub(cleanEndpoint(form.peek()));
      }}
      noValidate
      aria-labelledby="start-title"
    >
      <h2 id="start-title">{say.startASession}</h2>
      <TaskChoice task={values.task} onChoose={choose} />
      {ownTable && (
        <OwnData
          table={values.own}
          problems={problems}
          preview={ask.previewTable}
          onChange={(change) => set({ own: change(form.peek().own) })}
        />
      )}
      {taskIsOnHub(values) && (
        <GlueGallery
          task={values.task}
          model={hub ? 'base' : 'mini'}
          busy={busy}
          onChoose={choose}
          onStart={(task) => {
            choose(task);
            start(form.peek());
          }}
        />
      )}
      {taskIsOnHub(values) && namedHub === cleanEndpoint(values) && isWebAddress(namedHub) && (
        <TaskReach task={values.task} endpoint={namedHub} ask={ask.reachTask} />
      )}
      {!hub && hubAddress}
      <SelectField
        name="model"
        label={say.whichModelLearns}
        value={values.model}
        onValue={(model) => {
          form.value = withModel(form.value, model);
        }}
        options={[
          { value: EMBEDDED_MODEL.id, label: say.robertaMiniEmbedded },
          { value: HUB_MODEL, label: say.anotherRoBERTaFromAHub },
          { value: FOLDER_MODEL, label: say.anotherRoBERTaFromAFolder },
        ]}
        hint={hub || folder ? undefined : say.n6Layers23Million}
      />
      {hub && (
        <HubModel form={form} named={named} problem={problems.repository} ask={ask.preflight} weights={weights} />
      )}
      {hub && hubAddress}
      {folder && <FolderModel form={form} problem={problems.folder} weights={weights} />}

      {warnings.length > 0 && (
        <ul class="start-warnings" aria-label={say.beforeYouStart}>
          {warnings.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      <div class="start-bar">
        <button class="primary" type="submit" {...pressable(busy)}>
          {busy ? say.starting : say.startASession}
        </button>
        {tried && !checked.ok ? (
          <p class="form-problem" role="alert">
            {Object.keys(checked.problems).length === 1
              ? say.oneFieldNeedsAnotherLook
              : say.fieldsNeedAnotherLook(Object.keys(checked.problems).length)}
          </p>
        ) : (
          <p class="start-estimate">{estimateSentence(measured, asked)}</p>
        )}
      </div>

      <div class="start-rest">
        {ownTable ? (
          <Reading sentences={readingAsHost(true)} title="h3" />
        ) : (
          <details data-fold="reading">
            <summary>
              {say.whatOthersCanRead} <span class="summary-note">{say.theRowsAsTokenIds}</span>
            </summary>
            <Reading sentences={readingAsHost(false)} title={null} />
          </details>
        )}
        <DeviceFold values={values} problems={problems} number={number} set={set} />
        <details data-fold="from" open={values.startFrom === 'adapter'}>
          <summary>
            {say.startFrom}{' '}
            <span class="summary-note">{values.startFrom === 'adapter' ? say.anAdapter : say.aFreshAdapter}</span>
          </summary>
          <SelectField
            name="startFrom"
            label={say.startFrom}
            value={values.startFrom}
            onValue={(value) => set({ startFrom: value === 'adapter' ? 'adapter' : 'fresh' })}
            options={[
              { value: 'fresh', label: say.aFreshAdapterTitle },
              { value: 'adapter', label: say.anAdapterThatIHave },
            ]}
          />
          {values.startFrom === 'adapter' && <StartAdapter form={form} problem={problems.adapterFiles} />}
        </details>
        <TrainingFold values={values} problems={problems} number={number} set={set} />
        <LayersFold values={values} problems={problems} set={set} />
        <OptimiserFold values={values} problems={problems} number={number} set={set} />
        <MoreFold values={values} problems={problems} number={number} set={set} weights={hub ? null : weights} />
      </div>
    </form>
  );
}
