import {
  MAX_LORA_RANK,
  MAX_NAME_LENGTH,
  MAX_ROUNDS,
  MAX_SAMPLES_PER_ROUND,
  MAX_TOKENS_PER_SAMPLE,
} from '../../signaling/protocol/limits.ts';
import { LORA_TARGETS, type LoraTarget, POLICIES, type Policy } from '../../signaling/protocol/settings.ts';
import type { HostRequest } from '../../worker/rpc.ts';
import type { HostOptions } from '../session/view.ts';
import { DEFAULT_HUB, EMBEDDED_MODEL, HUB_MODEL, HUB_SUGGESTIONS, TASKS } from './choices.ts';

/** The form as it stands, numbers as typed: what is wrong stays visible until the person puts it right. */
export interface StartForm {
  readonly name: string;
  /** EMBEDDED_MODEL.id or HUB_MODEL. */
  readonly model: string;
  readonly repository: string;
  readonly revision: string;
  readonly endpoint: string;
  readonly task: string;
  readonly rank: string;
  readonly alpha: string;
  readonly targets: readonly LoraTarget[];
  readonly learningRate: string;
  readonly samplesPerRound: string;
  readonly rounds: string;
  readonly maxTokens: string;
  readonly policy: Policy;
  readonly seed: string;
  readonly dropout: string;
  readonly weightDecay: string;
  readonly warmupPercent: string;
  readonly evaluateEvery: string;
  readonly slowdown: string;
}
export type Field = keyof StartForm;

export const DEFAULT_FORM: Omit<StartForm, 'name'> = {
  model: EMBEDDED_MODEL.id,
  repository: HUB_SUGGESTIONS[1],
  revision: 'main',
  endpoint: DEFAULT_HUB,
  task: TASKS[0]!.id,
  rank: '8',
  alpha: '16',
  targets: ['query', 'value'],
  learningRate: '0.005',
  samplesPerRound: '32',
  rounds: '100',
  maxTokens: '64',
  policy: 'auto',
  seed: '1',
  dropout: '0',
  weightDecay: '0.01',
  warmupPercent: '6',
  evaluateEvery: '20',
  slowdown: '1',
};

/** Fields under "LoRA and training" and "More"; a fold opens when one of its fields is wrong. */
export const FOLDS: Readonly<Record<'training' | 'more', readonly Field[]>> = {
  training: ['rank', 'alpha', 'targets', 'learningRate', 'samplesPerRound', 'rounds', 'policy'],
  more: ['maxTokens', 'evaluateEvery', 'dropout', 'weightDecay', 'warmupPercent', 'seed', 'slowdown', 'revision'],
};

export const needsHub = (form: Pick<StartForm, 'model' | 'task'>): boolean =>
  form.model === HUB_MODEL || TASKS.find((task) => task.id === form.task)?.from === 'hub';

export interface StartChoice {
  readonly request: HostRequest;
  readonly options: HostOptions;
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
  const hub = form.model === HUB_MODEL;

  const nameProblem = checkName(form.name);
  if (nameProblem !== null) problems.name = nameProblem;
  const repository = form.repository.trim();
  if (hub && !/^[\w.-]+(\/[\w.-]+)?$/.test(repository))
    problems.repository = 'Name a repository as the hub does, such as FacebookAI/roberta-base.';
  const revision = form.revision.trim();
  if (hub && !/^[\w.-]+$/.test(revision))
    problems.revision = 'Name a branch, tag or commit of the repository, such as main.';
  const endpoint = form.endpoint.trim().replace(/\/+$/, '');
  if (needsHub(form) && !isWebAddress(endpoint))
    problems.endpoint = `Give the hub’s address with http:// or https://, such as ${DEFAULT_HUB}.`;
  if (form.targets.length === 0) problems.targets = 'Choose at least one projection that LoRA adapts.';

  const maxTokens = number('maxTokens');
  if (!hub && maxTokens > EMBEDDED_MODEL.maxTokens)
    problems.maxTokens = `${EMBEDDED_MODEL.id} reads ${EMBEDDED_MODEL.maxTokens} tokens at most.`;
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
    slowdown: number('slowdown'),
  };
  if (Object.keys(problems).length > 0) return { ok: false, problems };
  return {
    ok: true,
    choice: {
      request: {
        model: hub ? { kind: 'hub', id: repository, endpoint, revision } : { kind: 'embedded', id: EMBEDDED_MODEL.id },
        weights: 'f32',
        task: { id: form.task, endpoint: needsHub(form) ? endpoint : '' },
        lora: {
          rank: values.rank,
          alpha: values.alpha,
          targets: LORA_TARGETS.filter((target) => form.targets.includes(target)),
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
        },
        origin,
      },
      options: { name: form.name.trim(), policy: form.policy, slowdown: values.slowdown, patience: 0 },
    },
  };
}

export function checkName(name: string): string | null {
  const length = name.trim().length;
  if (length === 0) return 'Give this device a name, so that others know it in the picture.';
  return length > MAX_NAME_LENGTH ? `A name has ${MAX_NAME_LENGTH} characters at most; this one has ${length}.` : null;
}

export const isPolicy = (text: string): text is Policy => POLICIES.some((policy) => policy === text);

interface NumberRule {
  readonly what: string;
  readonly whole: boolean;
  readonly min: number;
  /** The minimum itself is too small. */
  readonly above?: boolean;
  readonly max: number;
}
export type NumberField = Exclude<
  Field,
  'name' | 'model' | 'repository' | 'revision' | 'endpoint' | 'task' | 'targets' | 'policy'
>;

const NUMBERS: Readonly<Record<NumberField, NumberRule>> = {
  rank: { what: 'The rank', whole: true, min: 1, max: MAX_LORA_RANK },
  alpha: { what: 'Alpha', whole: false, min: 0, above: true, max: 10_000 },
  learningRate: { what: 'The learning rate', whole: false, min: 0, above: true, max: 1 },
  samplesPerRound: { what: 'Samples a round', whole: true, min: 1, max: MAX_SAMPLES_PER_ROUND },
  rounds: { what: 'Rounds', whole: true, min: 1, max: MAX_ROUNDS },
  maxTokens: { what: 'Tokens a sentence', whole: true, min: 4, max: MAX_TOKENS_PER_SAMPLE },
  seed: { what: 'The seed', whole: true, min: 0, max: 2 ** 32 - 1 },
  dropout: { what: 'Dropout', whole: false, min: 0, max: 0.9 },
  weightDecay: { what: 'Weight decay', whole: false, min: 0, max: 1 },
  warmupPercent: { what: 'Warm-up', whole: false, min: 0, max: 100 },
  evaluateEvery: { what: 'Rounds between scores', whole: true, min: 0, max: MAX_ROUNDS },
  slowdown: { what: 'The slow-down', whole: false, min: 1, max: 100 },
};

/** The number, or what is wrong with it. A decimal comma is read as a point. */
export function readNumber(typed: string, rule: NumberRule): number | string {
  const text = typed.trim().replace(/^([+-]?\d*),(\d+)$/, '$1.$2');
  const range = `${rule.above === true ? 'above' : 'from'} ${grouped(rule.min)} ${rule.above === true ? 'and at most' : 'to'} ${grouped(rule.max)}`;
  const kind = rule.whole ? 'a whole number' : 'a number';
  if (text === '') return `${rule.what} must be ${kind} ${range}; the field is empty.`;
  const value = Number(text);
  const outside = value < rule.min || value > rule.max || (rule.above === true && value === rule.min);
  if (!Number.isFinite(value) || (rule.whole && !Number.isInteger(value)) || outside)
    return `${rule.what} must be ${kind} ${range}; this is “${typed.trim()}”.`;
  return value;
}

const grouped = (value: number): string => value.toLocaleString('en-US');

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
