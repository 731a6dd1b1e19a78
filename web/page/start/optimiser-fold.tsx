import type { ComponentChildren } from 'preact';
import { SCHEDULES } from '../../../signaling/protocol/settings.ts';
import { BEST_BY_CHOICES, isMeasure, isSchedule, OWN_TASK, SCHEDULE_LABELS } from '../parts/choices.ts';
import { SelectField, TextField } from '../parts/field.tsx';
import type { Field, StartForm } from './form-fields.ts';
import type { NumberField } from './number-field.ts';

interface OptimiserFoldProps {
  readonly values: StartForm;
  readonly problems: Readonly<Partial<Record<Field, string>>>;
  readonly number: (field: NumberField, label: string, hint?: string) => ComponentChildren;
  readonly set: (change: Partial<StartForm>) => void;
}

/** What only those change who know it by name; the recipe's values are in it. */
export function OptimiserFold({ values, problems, number, set }: OptimiserFoldProps) {
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
