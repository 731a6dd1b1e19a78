import type { Signal } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { LORA_TARGETS, POLICIES, WEIGHT_STORAGES } from '../../../signaling/protocol/settings.ts';
import { HIDDEN_STATES } from '../../../signaling/protocol/split.ts';
import { POLICY_WORDS } from '../../../signaling/protocol/words/policies.ts';
import type { SessionFactory } from '../../session/view/view.ts';
import { Reading } from '../door/reading.tsx';
import { readingAsHost } from '../door/reading-words.ts';
import { MEMORY_HINT, MEMORY_LABEL } from '../join/device-memory.ts';
import {
  AUDIT_CHOICES,
  EMBEDDED_MODEL,
  HIDDEN_STATES_CHOICES,
  HUB_MODEL,
  isHiddenStates,
  isPolicy,
  isWeightStorage,
  OWN_TASK,
  PATIENCE_CHOICES,
  POLICY_HINTS,
  TARGET_LABELS,
  TASK_CHOICES,
  TASK_GROUPS,
  WEIGHT_CHOICES,
} from '../parts/choices.ts';
import { Checks, SelectField, TextField } from '../parts/field.tsx';
import { LayersFold, OptimiserFold } from './folds.tsx';
import type { Field, StartForm } from './form-fields.ts';
import type { NumberField } from './number-field.ts';
import { OwnData } from './own-data.tsx';
import { withModel, withTask } from './recipe-fields.ts';
import { checkStartForm, FOLDS, modelSource, needsHub, type StartChoice } from './start-form.ts';
import { HubModel, StartAdapter } from './start-model.tsx';

interface StartProps {
  /** Lives outside, so that nothing typed is lost when a session ends or cannot begin. */
  readonly form: Signal<StartForm>;
  readonly origin: string;
  readonly busy: boolean;
  /** What the form asks before there is a session. */
  readonly ask: Pick<SessionFactory, 'previewTable' | 'preflight'>;
  readonly onStart: (choice: StartChoice) => void;
}

/** The form that starts a session: who, what model, what task; everything else has a sensible default under a fold. */
export function StartSession({ form, origin, busy, ask, onStart }: StartProps) {
  const element = useRef<HTMLFormElement>(null);
  const [tried, setTried] = useState(false);
  const values = form.value;
  // The model as it was when the person had finished naming it: a hub is not asked at every letter.
  const [named, setNamed] = useState(() => modelSource(values));
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
      label="Weights in memory"
      value={values.weights}
      hint={WEIGHT_CHOICES[values.weights].hint}
      onValue={(value) => isWeightStorage(value) && set({ weights: value })}
      options={WEIGHT_STORAGES.map((value) => ({ value, label: WEIGHT_CHOICES[value].label }))}
    />
  );
  const hub = values.model === HUB_MODEL;
  const ownTable = values.task === OWN_TASK;

  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
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

  return (
    <form
      class="form"
      ref={element}
      onSubmit={submit}
      onChange={() => setNamed(modelSource(form.peek()))}
      noValidate
      aria-labelledby="start-title"
    >
      <h2 id="start-title">Start a session</h2>
      <TextField
        name="name"
        label="This device’s name"
        value={values.name}
        problem={problems.name}
        onValue={(name) => set({ name })}
      />
      <SelectField
        name="task"
        label="Task"
        value={values.task}
        hint={
          ownTable
            ? 'Sentences or pairs of sentences with a label each, from a table of yours.'
            : TASK_CHOICES.find(({ id }) => id === values.task)?.hint
        }
        onValue={(id) => {
          form.value = withTask(form.value, id);
        }}
        options={TASK_GROUPS}
      />
      {ownTable && (
        <OwnData
          table={values.own}
          problems={problems}
          preview={ask.previewTable}
          onChange={(change) => set({ own: change(form.peek().own) })}
        />
      )}
      <SelectField
        name="model"
        label="Model"
        value={values.model}
        onValue={(model) => {
          form.value = withModel(form.value, model);
        }}
        options={[
          { value: EMBEDDED_MODEL.id, label: 'roberta-mini, embedded' },
          { value: HUB_MODEL, label: 'Another RoBERTa, from a hub' },
        ]}
        hint={
          hub
            ? undefined
            : '6 layers, 2.3 million parameters, pretrained on film reviews. Nothing is downloaded from elsewhere.'
        }
      />
      {hub && (
        <HubModel form={form} named={named} problem={problems.repository} ask={ask.preflight} weights={weights} />
      )}
      {needsHub(values) && (
        <TextField
          name="endpoint"
          label="Hub address"
          value={values.endpoint}
          problem={problems.endpoint}
          hint="Any address with the Hugging Face hub’s layout."
          onValue={(endpoint) => set({ endpoint })}
        />
      )}
      <SelectField
        name="startFrom"
        label="Start from"
        value={values.startFrom}
        onValue={(value) => set({ startFrom: value === 'adapter' ? 'adapter' : 'fresh' })}
        options={[
          { value: 'fresh', label: 'A fresh adapter' },
          { value: 'adapter', label: 'An adapter that I have' },
        ]}
      />
      {values.startFrom === 'adapter' && <StartAdapter form={form} problem={problems.adapterFiles} />}

      <details data-fold="training">
        <summary>
          LoRA and training
          <span class="summary-note">
            rank {values.rank}, {values.rounds} rounds of {values.samplesPerRound}
          </span>
        </summary>
        <div class="pair">
          {number('rank', 'LoRA rank')}
          {number('alpha', 'LoRA alpha', 'Updates are scaled by alpha / rank.')}
        </div>
        <Checks
          name="targets"
          label="Projections that LoRA adapts"
          options={LORA_TARGETS.map((value) => ({ value, label: TARGET_LABELS[value] }))}
          chosen={values.targets}
          problem={problems.targets}
          onChosen={(targets) => set({ targets })}
        />
        <div class="pair">
          {number('rounds', 'Rounds')}
          {number('samplesPerRound', 'Samples a round')}
        </div>
        <div class="pair">{number('learningRate', 'Learning rate')}</div>
        <SelectField
          name="patience"
          label="Stop early"
          value={values.patience}
          hint="The adapter that scored best is kept either way."
          onValue={(patience) => set({ patience })}
          options={PATIENCE_CHOICES}
        />
        <SelectField
          name="audits"
          label="Check devices"
          value={values.audits}
          hint="Others compute some of each device’s parts again. Who lied is removed, and its rounds are done again."
          onValue={(audits) => set({ audits })}
          options={AUDIT_CHOICES}
        />
        <SelectField
          name="policy"
          label="Policy"
          value={values.policy}
          hint={POLICY_HINTS[values.policy]}
          onValue={(policy) => isPolicy(policy) && set({ policy })}
          options={POLICIES.map((value) => ({ value, label: POLICY_WORDS[value].label }))}
        />
      </details>

      <LayersFold values={values} problems={problems} set={set} />

      <OptimiserFold values={values} problems={problems} number={number} set={set} />

      <details data-fold="more">
        <summary>More</summary>
        <div class="pair">
          {number('maxTokens', 'Tokens a sample', 'Longer texts are cut.')}
          {number('evaluateEvery', 'Rounds between scores', '0 scores only before and after.')}
        </div>
        <div class="pair">
          {number('dropout', 'Dropout')}
          {number('seed', 'Seed', 'The same seed gives the same curve.')}
        </div>
        {hub ? (
          <TextField
            name="revision"
            label="Revision"
            value={values.revision}
            problem={problems.revision}
            onValue={(revision) => set({ revision })}
          />
        ) : (
          weights
        )}
        <SelectField
          name="hiddenStates"
          label="Between devices that split the model"
          value={values.hiddenStates}
          hint={HIDDEN_STATES_CHOICES[values.hiddenStates].hint}
          onValue={(value) => isHiddenStates(value) && set({ hiddenStates: value })}
          options={HIDDEN_STATES.map((value) => ({ value, label: HIDDEN_STATES_CHOICES[value].label }))}
        />
        <TextField
          name="memory"
          label={MEMORY_LABEL}
          hint={MEMORY_HINT}
          numeric
          value={values.memory}
          problem={problems.memory}
          onValue={(memory) => set({ memory })}
        />
        {number(
          'slowdown',
          'Slow this device down',
          'To try the planner out: 3 makes this device three times slower. 1 is honest.',
        )}
      </details>

      {ownTable ? (
        <Reading sentences={readingAsHost(true)} title="h3" />
      ) : (
        <details data-fold="reading">
          <summary>
            What others can read <span class="summary-note">the rows, as token ids; names; scores</span>
          </summary>
          <Reading sentences={readingAsHost(false)} title={null} />
        </details>
      )}

      <button class="primary" type="submit" disabled={busy}>
        {busy ? 'Starting…' : 'Start a session'}
      </button>
      {tried && !checked.ok && (
        <p class="form-problem" role="alert">
          {Object.keys(checked.problems).length === 1
            ? 'One field needs another look.'
            : `${Object.keys(checked.problems).length} fields need another look.`}
        </p>
      )}
    </form>
  );
}
