import { EMBEDDED_MODEL, OWN_TASK } from './choices.ts';
import type { StartForm } from './start-form.ts';

/** The fields that a choice of task or model fills with what suits it, as typed. */
export interface Recipe {
  readonly learningRate: string;
  readonly rank: string;
  readonly alpha: string;
  readonly rounds: string;
  readonly maxTokens: string;
  readonly evaluateEvery: string;
}

const EMBEDDED: Recipe = {
  learningRate: '0.005',
  rank: '8',
  alpha: '16',
  rounds: '100',
  maxTokens: '64',
  evaluateEvery: '20',
};

/** Differences of a task from the generated one. */
const TASKS: Readonly<Record<string, Partial<Recipe>>> = {
  sst2: { rounds: '500', evaluateEvery: '100' },
  cola: { rounds: '500', evaluateEvery: '100' },
  mrpc: { rounds: '300', maxTokens: '128', evaluateEvery: '50' },
  qqp: { rounds: '500', maxTokens: '96', evaluateEvery: '100' },
  stsb: { rounds: '500', maxTokens: '96', evaluateEvery: '100' },
  mnli: { rounds: '500', maxTokens: '96', evaluateEvery: '100' },
  'mnli-mismatched': { rounds: '500', maxTokens: '96', evaluateEvery: '100' },
  qnli: { rounds: '500', maxTokens: '128', evaluateEvery: '100' },
  rte: { rounds: '300', maxTokens: '128', evaluateEvery: '50' },
  wnli: { rounds: '100', maxTokens: '96', evaluateEvery: '20' },
  [OWN_TASK]: { rounds: '200' },
};

/** Wide, pretrained encoders learn with smaller steps than the embedded model. */
const HUB: Partial<Recipe> = { learningRate: '0.0005' };

export function recipeFor({ model, task }: Pick<StartForm, 'model' | 'task'>): Recipe {
  return { ...EMBEDDED, ...TASKS[task], ...(model === EMBEDDED_MODEL.id ? {} : HUB) };
}

/** The form with another task; what the person has changed stays, everything else becomes what suits the task. */
export const withTask = (form: StartForm, task: string): StartForm => refilled(form, { ...form, task });

export const withModel = (form: StartForm, model: string): StartForm => refilled(form, { ...form, model });

function refilled(old: StartForm, form: StartForm): StartForm {
  const before = recipeFor(old);
  const after = recipeFor(form);
  const changed = Object.fromEntries(
    (Object.keys(after) as (keyof Recipe)[]).flatMap((field) =>
      old[field].trim() === before[field] ? [[field, after[field]]] : [],
    ),
  );
  return { ...form, ...changed };
}
