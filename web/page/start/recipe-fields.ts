import { recipeFor, scoredEvery } from '../../../signaling/protocol/words/recipes.ts';
import { EMBEDDED_MODEL } from '../parts/choices.ts';
import type { StartForm } from './form-fields.ts';
import type { NumberField } from './number-field.ts';
/** The number fields that a choice of task or model fills with what suits it, as typed. */
export type RecipeField = Exclude<NumberField, 'seed' | 'slowdown'>;

export function recipeFields({
  model,
  task,
}: Pick<StartForm, 'model' | 'task'>): Readonly<Record<RecipeField, string>> {
  const { lora, training } = recipeFor(task, model === EMBEDDED_MODEL.id ? 'mini' : 'base');
  const { rounds } = training;
  return {
    rank: String(lora.rank),
    alpha: String(lora.alpha),
    learningRate: String(training.learningRate),
    samplesPerRound: String(training.samplesPerRound),
    rounds: String(rounds),
    maxTokens: String(training.maxTokens),
    dropout: String(training.dropout),
    weightDecay: String(training.weightDecay),
    warmupPercent: String(Math.round(10_000 * training.warmupFraction) / 100),
    maxGradientNorm: String(training.maxGradientNorm),
    beta1: String(training.beta1),
    beta2: String(training.beta2),
    epsilon: String(training.epsilon),
    loraPlusRatio: String(training.loraPlusRatio),
    labelSmoothing: String(training.labelSmoothing),
    thresholdPercent: String(100 * training.threshold),
    evaluateEvery: String(scoredEvery(rounds)),
  };
}

/** The form with another task; what the person has changed stays, everything else becomes what suits the task. */
export const withTask = (form: StartForm, task: string): StartForm => refilled(form, { ...form, task });

export const withModel = (form: StartForm, model: string): StartForm => refilled(form, { ...form, model });

function refilled(old: StartForm, form: StartForm): StartForm {
  const before = recipeFields(old);
  const after = recipeFields(form);
  const changed = Object.fromEntries(
    (Object.keys(after) as RecipeField[]).flatMap((field) =>
      old[field].trim() === before[field] ? [[field, after[field]]] : [],
    ),
  );
  return { ...form, ...changed };
}
