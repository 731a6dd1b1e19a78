import type { Signal } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { LORA_TARGETS, POLICIES } from '../../signaling/protocol/settings.ts';
import { EMBEDDED_MODEL, HUB_MODEL, HUB_SUGGESTIONS, POLICY_CHOICES, TARGET_LABELS, TASKS } from './choices.ts';
import { Checks, SelectField, TextField } from './field.tsx';
import {
  checkStartForm,
  type Field,
  FOLDS,
  isPolicy,
  type NumberField,
  needsHub,
  type StartChoice,
  type StartForm,
} from './start-form.ts';

interface StartProps {
  /** Lives outside, so that nothing typed is lost when a session ends or cannot begin. */
  readonly form: Signal<StartForm>;
  readonly origin: string;
  readonly busy: boolean;
  readonly onStart: (choice: StartChoice) => void;
}

/** The form that starts a session: who, what model, what task; everything else has a sensible default under a fold. */
export function StartSession({ form, origin, busy, onStart }: StartProps) {
  const element = useRef<HTMLFormElement>(null);
  const [tried, setTried] = useState(false);
  const values = form.value;
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

  const task = TASKS.find(({ id }) => id === values.task);
  return (
    <form class="form" ref={element} onSubmit={submit} noValidate aria-labelledby="start-title">
      <h2 id="start-title">Start a session</h2>
      <TextField
        name="name"
        label="This device’s name"
        value={values.name}
        problem={problems.name}
        onValue={(name) => set({ name })}
      />
      <SelectField
        name="model"
        label="Model"
        value={values.model}
        onValue={(model) => set({ model })}
        options={[
          { value: EMBEDDED_MODEL.id, label: 'roberta-mini, embedded' },
          { value: HUB_MODEL, label: 'Another RoBERTa, from a hub' },
        ]}
        hint={
          values.model === HUB_MODEL
            ? undefined
            : '6 layers, 2.3 million parameters, pretrained on film reviews. Nothing is downloaded from elsewhere.'
        }
      />
      {values.model === HUB_MODEL && (
        <TextField
          name="repository"
          label="Repository"
          value={values.repository}
          suggestions={HUB_SUGGESTIONS}
          problem={problems.repository}
          hint="Every device downloads it once and keeps it."
          onValue={(repository) => set({ repository })}
        />
      )}
      <SelectField
        name="task"
        label="Task"
        value={values.task}
        hint={task?.hint}
        onValue={(id) => set({ task: id })}
        options={TASKS.map(({ id, label }) => ({ value: id, label }))}
      />
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
          name="policy"
          label="Policy"
          value={values.policy}
          hint={POLICY_CHOICES[values.policy].hint}
          onValue={(policy) => isPolicy(policy) && set({ policy })}
          options={POLICIES.map((value) => ({ value, label: POLICY_CHOICES[value].label }))}
        />
      </details>

      <details data-fold="more">
        <summary>More</summary>
        <div class="pair">
          {number('maxTokens', 'Tokens a sentence', 'Longer sentences are cut.')}
          {number('evaluateEvery', 'Rounds between scores', '0 scores only before and after.')}
        </div>
        <div class="pair">
          {number('dropout', 'Dropout')}
          {number('weightDecay', 'Weight decay')}
        </div>
        <div class="pair">
          {number('warmupPercent', 'Warm-up, % of rounds')}
          {number('seed', 'Seed', 'The same seed gives the same curve.')}
        </div>
        {values.model === HUB_MODEL && (
          <TextField
            name="revision"
            label="Revision"
            value={values.revision}
            problem={problems.revision}
            onValue={(revision) => set({ revision })}
          />
        )}
        {number(
          'slowdown',
          'Slow this device down',
          'To try the planner out: 3 makes this device three times slower. 1 is honest.',
        )}
      </details>

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
