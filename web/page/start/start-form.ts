import * as v from 'valibot';
import {
  LORA_TARGETS,
  type ModelSource,
  ModelSourceSchema,
  PLAIN_TRAINING,
  type Policy,
} from '../../../signaling/protocol/settings.ts';
import type { HiddenStates } from '../../../signaling/protocol/split.ts';
import { readAdapters } from '../../../signaling/protocol/words/adapters.ts';
import { DEFAULT_AUDITS } from '../../../signaling/protocol/words/audits.ts';
import { CLASS_WEIGHTS_WANTED, readClassWeights } from '../../../signaling/protocol/words/class-weights.ts';
import type { EngineChoice } from '../../../signaling/protocol/words/engines.ts';
import type { HostRequest } from '../../../worker/api/host-api.ts';
import * as say from '../../words/start/start.ts';
import { folderProblem, folderSource } from '../folder/model-folder.ts';
import { readMemory } from '../join/device-memory.ts';
import { checkName } from '../join/device-name.ts';
import {
  DEFAULT_HUB,
  EMBEDDED_MODEL,
  FOLDER_MODEL,
  HUB_MODEL,
  HUB_SUGGESTIONS,
  OWN_TASK,
  TASK_CHOICES,
} from '../parts/choices.ts';
import { checkTable, EMPTY_TABLE } from '../table/own-table.ts';
import { adapterProblem } from './adapter-files.ts';
import type { Field, StartForm } from './form-fields.ts';
import { NUMBERS, type NumberField, readNumber } from './number-field.ts';
import { recipeFields } from './recipe-fields.ts';

export const DEFAULT_FORM: Omit<StartForm, 'name'> = {
  model: EMBEDDED_MODEL.id,
  repository: HUB_SUGGESTIONS[1],
  folder: [],
  revision: 'main',
  endpoint: DEFAULT_HUB,
  weights: 'f32',
  task: TASK_CHOICES[0]!.id,
  own: EMPTY_TABLE,
  startFrom: 'fresh',
  adapterFiles: [],
  ...recipeFields({ model: EMBEDDED_MODEL.id, task: TASK_CHOICES[0]!.id }),
  targets: ['query', 'value'],
  layers: '',
  rankPattern: '',
  alphaPattern: '',
  rslora: false,
  policy: 'auto',
  schedule: PLAIN_TRAINING.schedule,
  classWeights: '',
  bestBy: '',
  seed: '1',
  patience: '0',
  audits: `${DEFAULT_AUDITS}`,
  slowdown: '1',
  memory: '',
  engine: 'auto',
  hiddenStates: 'f32',
  uploads: PLAIN_TRAINING.uploads,
};

/** Fields under the folds; one opens when one of its fields is wrong. */
export const FOLDS: Readonly<Record<'training' | 'layers' | 'optimiser' | 'more' | 'device', readonly Field[]>> = {
  training: ['rank', 'alpha', 'targets', 'learningRate', 'samplesPerRound', 'rounds', 'patience', 'audits', 'policy'],
  layers: ['layers', 'rankPattern', 'alphaPattern', 'rslora'],
  optimiser: [
    'classWeights',
    'labelSmoothing',
    'thresholdPercent',
    'warmupPercent',
    'weightDecay',
    'maxGradientNorm',
    'loraPlusRatio',
    'beta1',
    'beta2',
    'epsilon',
  ],
  more: ['maxTokens', 'evaluateEvery', 'dropout', 'seed', 'uploads', 'hiddenStates', 'revision'],
  device: ['name', 'memory', 'engine', 'slowdown'],
};

export const taskIsOnHub = (form: Pick<StartForm, 'task'>): boolean =>
  TASK_CHOICES.find((task) => task.id === form.task)?.from === 'hub';

export const needsHub = (form: Pick<StartForm, 'model' | 'task'>): boolean =>
  form.model === HUB_MODEL || taskIsOnHub(form);

export const cleanEndpoint = (form: Pick<StartForm, 'endpoint'>): string => form.endpoint.trim().replace(/\/+$/, '');

export type CheckedSource =
  | { readonly ok: true; readonly source: ModelSource }
  | {
      readonly ok: false;
      readonly problems: Readonly<Partial<Record<'repository' | 'revision' | 'endpoint' | 'folder', string>>>;
    };

/** Where the chosen model is, or what is wrong with the fields that say so. */
export function modelSource(
  form: Pick<StartForm, 'model' | 'repository' | 'revision' | 'endpoint' | 'folder'>,
): CheckedSource {
  if (form.model === FOLDER_MODEL) {
    const problem = folderProblem(form.folder);
    return problem === null
      ? { ok: true, source: folderSource(form.folder) }
      : { ok: false, problems: { folder: problem } };
  }
  if (form.model !== HUB_MODEL) return { ok: true, source: { kind: 'embedded', id: EMBEDDED_MODEL.id } };
  const read = v.safeParse(ModelSourceSchema, {
    kind: 'hub',
    id: form.repository.trim(),
    endpoint: cleanEndpoint(form),
    revision: form.revision.trim(),
  });
  if (read.success) return { ok: true, source: read.output };
  const wrong = new Set(read.issues.map((issue) => issue.path?.at(-1)?.key));
  return {
    ok: false,
    problems: {
      ...(wrong.has('id') && { repository: say.nameARepository }),
      ...(wrong.has('revision') && { revision: say.nameABranchTag }),
      ...(wrong.has('endpoint') && { endpoint: ENDPOINT_PROBLEM }),
    },
  };
}

const ENDPOINT_PROBLEM = say.giveTheHubsAddress(DEFAULT_HUB);

export interface StartChoice {
  readonly request: HostRequest;
  readonly options: {
    readonly name: string;
    readonly policy: Policy;
    readonly slowdown: number;
    readonly patience: number;
    readonly audits: number;
    readonly folder?: readonly File[];
    readonly memoryBytes?: number;
    readonly engine?: EngineChoice;
    readonly hiddenStates?: HiddenStates;
  };
}

export type Checked =
  | { readonly ok: true; readonly choice: StartChoice }
  | { readonly ok: false; readonly problems: Readonly<Partial<Record<Field, string>>> };

/** Reads the whole form; on failure one sentence for each field that is wrong. `origin` is where the page's `models/` is served. */
export function checkStartForm(form: StartForm, origin: string): Checked {
  const problems: Partial<Record<Field, string>> = {};
  const number = (field: NumberField): number => {
    const read = readNumber(form[field], NUMBERS[field]);
    if (typeof read === 'string') problems[field] = read;
    return typeof read === 'string' ? Number.NaN : read;
  };
  const embedded = form.model === EMBEDDED_MODEL.id;
  const ownTask = form.task === OWN_TASK;

  const nameProblem = checkName(form.name);
  if (nameProblem !== null) problems.name = nameProblem;
  const model = modelSource(form);
  if (!model.ok) Object.assign(problems, model.problems);
  const endpoint = cleanEndpoint(form);
  if (needsHub(form) && !isWebAddress(endpoint)) problems.endpoint = ENDPOINT_PROBLEM;
  const table = ownTask ? checkTable(form.own) : null;
  if (table !== null && !table.ok) Object.assign(problems, table.problems);
  const wrongAdapter = form.startFrom === 'adapter' ? adapterProblem(form.adapterFiles) : null;
  if (wrongAdapter !== null) problems.adapterFiles = wrongAdapter;
  if (form.targets.length === 0) problems.targets = say.chooseAtLeastOneProjection;

  const maxTokens = number('maxTokens');
  if (embedded && maxTokens > EMBEDDED_MODEL.maxTokens)
    problems.maxTokens = say.readsTokensAtMost(EMBEDDED_MODEL.id, EMBEDDED_MODEL.maxTokens);
  const values = {
    rank: number('rank'),
    alpha: number('alpha'),
    learningRate: number('learningRate'),
    samplesPerRound: number('samplesPerRound'),
    rounds: number('rounds'),
    seed: number('seed'),
    dropout: number('dropout'),
    weightDecay: number('weightDecay'),
    warmupPercent: number('warmupPercent'),
    evaluateEvery: number('evaluateEvery'),
    maxGradientNorm: number('maxGradientNorm'),
    beta1: number('beta1'),
    beta2: number('beta2'),
    epsilon: number('epsilon'),
    loraPlusRatio: number('loraPlusRatio'),
    labelSmoothing: number('labelSmoothing'),
    thresholdPercent: number('thresholdPercent'),
    slowdown: number('slowdown'),
  };
  const adapters = readAdapters(form);
  if (!adapters.ok) Object.assign(problems, adapters.problems);
  const classWeights = readClassWeights(form.classWeights);
  if (classWeights === undefined) problems.classWeights = CLASS_WEIGHTS_WANTED;
  const memory = readMemory(form.memory);
  if (!memory.ok) problems.memory = memory.sentence;
  const patience = Number(form.patience);
  if (patience > 0 && values.evaluateEvery === 0) problems.evaluateEvery = say.stoppingEarlyNeedsScoresBetween;
  if (Object.keys(problems).length > 0 || !model.ok || !adapters.ok || !memory.ok) return { ok: false, problems };
  return {
    ok: true,
    choice: {
      request: {
        model: model.source,
        weights: form.weights,
        task:
          table?.ok === true
            ? { id: OWN_TASK, endpoint: '', own: table.own }
            : { id: form.task, endpoint: taskIsOnHub(form) ? endpoint : '' },
        lora: {
          rank: values.rank,
          alpha: values.alpha,
          targets: LORA_TARGETS.filter((target) => form.targets.includes(target)),
          ...adapters.adapters,
        },
        training: {
          rounds: values.rounds,
          samplesPerRound: values.samplesPerRound,
          maxTokens,
          learningRate: values.learningRate,
          weightDecay: values.weightDecay,
          warmupFraction: values.warmupPercent / 100,
          dropout: values.dropout,
          evaluateEvery: values.evaluateEvery,
          seed: values.seed,
          schedule: form.schedule,
          maxGradientNorm: values.maxGradientNorm,
          beta1: values.beta1,
          beta2: values.beta2,
          epsilon: values.epsilon,
          loraPlusRatio: values.loraPlusRatio,
          classWeights: classWeights ?? null,
          labelSmoothing: values.labelSmoothing,
          threshold: values.thresholdPercent / 100,
          bestBy: form.bestBy === '' ? null : form.bestBy,
          uploads: form.uploads,
        },
        origin,
        ...(form.startFrom === 'adapter' ? { start: { kind: 'adapter', files: form.adapterFiles } } : {}),
      },
      options: {
        name: form.name.trim(),
        policy: form.policy,
        slowdown: values.slowdown,
        patience,
        audits: Number(form.audits),
        ...(form.model === FOLDER_MODEL && { folder: form.folder }),
        ...(memory.bytes !== null && { memoryBytes: memory.bytes }),
        ...(form.engine !== 'auto' && { engine: form.engine }),
        ...(form.hiddenStates !== 'f32' && { hiddenStates: form.hiddenStates }),
      },
    },
  };
}

export function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
