import type { ComponentChildren } from 'preact';
import { LORA_TARGETS, POLICIES, SCHEDULES, UPLOADS } from '../../../signaling/protocol/settings.ts';
import { HIDDEN_STATES } from '../../../signaling/protocol/split.ts';
import { POLICY_WORDS } from '../../../signaling/protocol/words/policies.ts';
import { MEMORY_HINT, MEMORY_LABEL } from '../join/device-memory.ts';
import { EngineField } from '../join/engine-field.tsx';
import {
  AUDIT_CHOICES,
  BEST_BY_CHOICES,
  HIDDEN_STATES_CHOICES,
  isHiddenStates,
  isMeasure,
  isPolicy,
  isSchedule,
  isUploads,
  OWN_TASK,
  PATIENCE_CHOICES,
  POLICY_HINTS,
  SCHEDULE_LABELS,
  TARGET_LABELS,
  UPLOADS_CHOICES,
} from '../parts/choices.ts';
import { Checks, SelectField, TextField } from '../parts/field.tsx';
import type { Field, StartForm } from './form-fields.ts';
import type { NumberField } from './number-field.ts';

interface FoldProps {
  readonly values: StartForm;
  readonly problems: Readonly<Partial<Record<Field, string>>>;
  readonly number: (field: NumberField, label: string, hint?: string) => ComponentChildren;
  readonly set: (change: Partial<StartForm>) => void;
}

/** How long and how fast is learnt, and who shares the work how. */
export function TrainingFold({ values, problems, number, set }: FoldProps) {
  return (
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
  );
}

/** What hardly anybody changes. `weights` is null where the model has its own place for it. */
export function MoreFold({
  values,
  problems,
  number,
  set,
  weights,
}: FoldProps & { readonly weights: ComponentChildren | null }) {
  return (
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
      {weights ?? (
        <TextField
          name="revision"
          label="Revision"
          value={values.revision}
          problem={problems.revision}
          onValue={(revision) => set({ revision })}
        />
      )}
      <SelectField
        name="uploads"
        label="Gradients on their way"
        value={values.uploads}
        hint={UPLOADS_CHOICES[values.uploads].hint}
        onValue={(value) => isUploads(value) && set({ uploads: value })}
        options={UPLOADS.map((value) => ({ value, label: UPLOADS_CHOICES[value].label }))}
      />
      <SelectField
        name="hiddenStates"
        label="Between devices that split the model"
        value={values.hiddenStates}
        hint={HIDDEN_STATES_CHOICES[values.hiddenStates].hint}
        onValue={(value) => isHiddenStates(value) && set({ hiddenStates: value })}
        options={HIDDEN_STATES.map((value) => ({ value, label: HIDDEN_STATES_CHOICES[value].label }))}
      />
    </details>
  );
}

/** What this device is called and may take. */
export function DeviceFold({ values, problems, number, set }: FoldProps) {
  return (
    <details data-fold="device">
      <summary>
        This device <span class="summary-note">{values.name}</span>
      </summary>
      <TextField
        name="name"
        label="This device’s name"
        value={values.name}
        problem={problems.name}
        onValue={(name) => set({ name })}
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
      <EngineField value={values.engine} onValue={(engine) => set({ engine })} />
      {number(
        'slowdown',
        'Slow this device down',
        'To try the planner out: 3 makes this device three times slower. 1 is honest.',
      )}
    </details>
  );
}

/** What only those change who know it by name; the recipe's values are in it. */
export function OptimiserFold({ values, problems, number, set }: FoldProps) {
  const several = values.task === OWN_TASK && values.own.kind === 'multi-label';
  return (
    <details data-fold="optimiser">
      <summary>
        Optimiser and loss <span class="summary-note">AdamW, {SCHEDULE_LABELS[values.schedule].toLowerCase()}</span>
      </summary>
      <div class="pair">
        <SelectField
          name="schedule"
          label="After the warm-up"
          value={values.schedule}
          options={SCHEDULES.map((value) => ({ value, label: SCHEDULE_LABELS[value] }))}
          onValue={(value) => isSchedule(value) && set({ schedule: value })}
        />
        {number('warmupPercent', 'Warm-up, % of rounds')}
      </div>
      <div class="pair">
        {number('maxGradientNorm', 'Clip gradients to norm', '0 leaves them as they are.')}
        {number('weightDecay', 'Weight decay')}
      </div>
      <div class="pair">
        {number('beta1', 'AdamW’s first beta')}
        {number('beta2', 'AdamW’s second beta')}
      </div>
      <div class="pair">
        {number('epsilon', 'AdamW’s epsilon')}
        {number('loraPlusRatio', 'LoRA+ ratio', 'B learns so many times as fast as A; 1 is plain LoRA.')}
      </div>
      {several ? (
        number('thresholdPercent', 'Threshold, %', 'From this probability on a label is given.')
      ) : (
        <div class="pair">
          <TextField
            name="classWeights"
            label="Class weights"
            hint="Empty weighs all alike; “balanced”, or a number for each class, with commas."
            value={values.classWeights}
            problem={problems.classWeights}
            onValue={(classWeights) => set({ classWeights })}
          />
          {number('labelSmoothing', 'Label smoothing')}
        </div>
      )}
      <SelectField
        name="bestBy"
        label="The best adapter is chosen by"
        value={values.bestBy}
        hint="Stopping early goes by it, too."
        options={[{ value: '', label: 'The task’s own score' }, ...BEST_BY_CHOICES]}
        onValue={(value) => (value === '' || isMeasure(value)) && set({ bestBy: value })}
      />
    </details>
  );
}

/** Adapters that are not the same in every layer. */
export function LayersFold({ values, problems, set }: Pick<FoldProps, 'values' | 'problems' | 'set'>) {
  const alike = [values.layers, values.rankPattern, values.alphaPattern].every((typed) => typed.trim() === '');
  return (
    <details data-fold="layers">
      <summary>
        Layer by layer <span class="summary-note">{alike ? 'all layers alike' : 'layers differ'}</span>
      </summary>
      <TextField
        name="layers"
        label="Layers with adapters"
        hint="Empty means all; 1,3 or 4-7 by number from the first, or top:2 for the last two. Nothing is computed below the lowest."
        value={values.layers}
        problem={problems.layers}
        onValue={(layers) => set({ layers })}
      />
      <div class="pair">
        <TextField
          name="rankPattern"
          label="Ranks of single layers"
          hint="Such as 3:4,5:16."
          value={values.rankPattern}
          problem={problems.rankPattern}
          onValue={(rankPattern) => set({ rankPattern })}
        />
        <TextField
          name="alphaPattern"
          label="Alphas of single layers"
          hint="Such as 3:4,5:16."
          value={values.alphaPattern}
          problem={problems.alphaPattern}
          onValue={(alphaPattern) => set({ alphaPattern })}
        />
      </div>
      <SelectField
        name="rslora"
        label="Updates are scaled by"
        value={values.rslora ? 'root' : 'rank'}
        options={[
          { value: 'rank', label: 'alpha / rank' },
          { value: 'root', label: 'alpha / √rank (rsLoRA)' },
        ]}
        onValue={(value) => set({ rslora: value === 'root' })}
      />
    </details>
  );
}
