import type { ComponentChildren } from 'preact';
import { LORA_TARGETS, POLICIES, SCHEDULES, UPLOADS } from '../../../signaling/protocol/settings.ts';
import { HIDDEN_STATES } from '../../../signaling/protocol/split.ts';
import { POLICY_WORDS } from '../../../signaling/protocol/words/policies.ts';
import * as say from '../../words/start/start.ts';
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
        {say.loRAAndTraining}
        <span class="summary-note">{say.rankRounds(values.rank, values.rounds, values.samplesPerRound)}</span>
      </summary>
      <div class="pair">
        {number('rank', say.loRARank)}
        {number('alpha', say.loRAAlpha, say.updatesAreScaledByAlpha)}
      </div>
      <Checks
        name="targets"
        label={say.projectionsThatLoRAAdapts}
        options={LORA_TARGETS.map((value) => ({ value, label: TARGET_LABELS[value] }))}
        chosen={values.targets}
        problem={problems.targets}
        onChosen={(targets) => set({ targets })}
      />
      <div class="pair">
        {number('rounds', say.rounds)}
        {number('samplesPerRound', say.samplesARound)}
      </div>
      <div class="pair">{number('learningRate', say.learningRate)}</div>
      <SelectField
        name="patience"
        label={say.stopEarly}
        value={values.patience}
        hint={say.theAdapterThatScoredBest}
        onValue={(patience) => set({ patience })}
        options={PATIENCE_CHOICES}
      />
      <SelectField
        name="audits"
        label={say.checkDevices}
        value={values.audits}
        hint={say.othersComputeSomeOfEach}
        onValue={(audits) => set({ audits })}
        options={AUDIT_CHOICES}
      />
      <SelectField
        name="policy"
        label={say.policy}
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
      <summary>{say.more}</summary>
      <div class="pair">
        {number('maxTokens', say.tokensASample, say.longerTextsAreCut)}
        {number('evaluateEvery', say.roundsBetweenScores, say.n0ScoresOnlyBefore)}
      </div>
      <div class="pair">
        {number('dropout', say.dropout)}
        {number('seed', say.seed, say.theSameSeedGives)}
      </div>
      {weights ?? (
        <TextField
          name="revision"
          label={say.revision}
          value={values.revision}
          problem={problems.revision}
          onValue={(revision) => set({ revision })}
        />
      )}
      <SelectField
        name="uploads"
        label={say.gradientsOnTheirWay}
        value={values.uploads}
        hint={UPLOADS_CHOICES[values.uploads].hint}
        onValue={(value) => isUploads(value) && set({ uploads: value })}
        options={UPLOADS.map((value) => ({ value, label: UPLOADS_CHOICES[value].label }))}
      />
      <SelectField
        name="hiddenStates"
        label={say.betweenDevicesThatSplit}
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
        {say.thisDevice} <span class="summary-note">{values.name}</span>
      </summary>
      <TextField
        name="name"
        label={say.thisDevicesName}
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
      {number('slowdown', say.slowThisDeviceDown, say.toTryThePlannerOut)}
    </details>
  );
}

/** What only those change who know it by name; the recipe's values are in it. */
export function OptimiserFold({ values, problems, number, set }: FoldProps) {
  const several = values.task === OWN_TASK && values.own.kind === 'multi-label';
  return (
    <details data-fold="optimiser">
      <summary>
        {say.optimiserAndLoss}{' '}
        <span class="summary-note">
          {say.adamW} {SCHEDULE_LABELS[values.schedule].toLowerCase()}
        </span>
      </summary>
      <div class="pair">
        <SelectField
          name="schedule"
          label={say.afterTheWarmUp}
          value={values.schedule}
          options={SCHEDULES.map((value) => ({ value, label: SCHEDULE_LABELS[value] }))}
          onValue={(value) => isSchedule(value) && set({ schedule: value })}
        />
        {number('warmupPercent', say.warmUpPercentOfRounds)}
      </div>
      <div class="pair">
        {number('maxGradientNorm', say.clipGradientsToNorm, say.n0LeavesThemAsThey)}
        {number('weightDecay', say.weightDecay)}
      </div>
      <div class="pair">
        {number('beta1', say.adamWsFirstBeta)}
        {number('beta2', say.adamWsSecondBeta)}
      </div>
      <div class="pair">
        {number('epsilon', say.adamWsEpsilon)}
        {number('loraPlusRatio', say.loRARatio, say.bLearnsSoManyTimes)}
      </div>
      {several ? (
        number('thresholdPercent', say.thresholdPercent, say.fromThisProbability)
      ) : (
        <div class="pair">
          <TextField
            name="classWeights"
            label={say.classWeights}
            hint={say.emptyWeighsAllAlikeBalanced}
            value={values.classWeights}
            problem={problems.classWeights}
            onValue={(classWeights) => set({ classWeights })}
          />
          {number('labelSmoothing', say.labelSmoothing)}
        </div>
      )}
      <SelectField
        name="bestBy"
        label={say.theBestAdapterIsChosen}
        value={values.bestBy}
        hint={say.stoppingEarlyGoes}
        options={[{ value: '', label: say.theTasksOwnScore }, ...BEST_BY_CHOICES]}
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
        {say.layerByLayer} <span class="summary-note">{alike ? say.allLayersAlike : say.layersDiffer}</span>
      </summary>
      <TextField
        name="layers"
        label={say.layersWithAdapters}
        hint={say.emptyMeansAll13}
        value={values.layers}
        problem={problems.layers}
        onValue={(layers) => set({ layers })}
      />
      <div class="pair">
        <TextField
          name="rankPattern"
          label={say.ranksOfSingleLayers}
          hint={say.suchAs345}
          value={values.rankPattern}
          problem={problems.rankPattern}
          onValue={(rankPattern) => set({ rankPattern })}
        />
        <TextField
          name="alphaPattern"
          label={say.alphasOfSingleLayers}
          hint={say.suchAs345}
          value={values.alphaPattern}
          problem={problems.alphaPattern}
          onValue={(alphaPattern) => set({ alphaPattern })}
        />
      </div>
      <SelectField
        name="rslora"
        label={say.updatesAreScaled}
        value={values.rslora ? 'root' : 'rank'}
        options={[
          { value: 'rank', label: 'alpha / rank' },
          { value: 'root', label: say.alphaRankRsLoRA },
        ]}
        onValue={(value) => set({ rslora: value === 'root' })}
      />
    </details>
  );
}
