import type { ComponentChildren } from 'preact';
import { SCHEDULES } from '../../../signaling/protocol/settings.ts';
import { BEST_BY_CHOICES, isMeasure, isSchedule, OWN_TASK, SCHEDULE_LABELS } from '../parts/choices.ts';
import { SelectField, TextField } from '../parts/field.tsx';
import type { Field, StartForm } from './form-fields.ts';
import type { NumberField } from './number-field.ts';

interface FoldProps {
  readonly values: StartForm;
  readonly problems: Readonly<Partial<Record<Field, string>>>;
  readonly number: (field: NumberField, label: string, hint?: string) => ComponentChildren;
  readonly set: (change: Partial<StartForm>) => void;
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
