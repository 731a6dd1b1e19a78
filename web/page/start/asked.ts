import type { Asked } from '../estimate/estimate.ts';
import { glueFactsOf } from '../glue/glue-facts.ts';
import { HUB_MODEL, OWN_TASK } from '../parts/choices.ts';
import type { StartForm } from './form-fields.ts';
import type { Checked } from './start-form.ts';

/** Models that the form suggests, as their configs have them: for an estimate before anybody has read one. */
const KNOWN_SHAPES: Readonly<Record<string, NonNullable<Asked['shape']>>> = {
  'roberta-mini': { layers: 6, hiddenSize: 128, ffnSize: 512 },
  'distilbert/distilroberta-base': { layers: 6, hiddenSize: 768, ffnSize: 3072 },
  'FacebookAI/roberta-base': { layers: 12, hiddenSize: 768, ffnSize: 3072 },
  'FacebookAI/roberta-large': { layers: 24, hiddenSize: 1024, ffnSize: 4096 },
};

/** A tenth of the rows is set aside, at most so many. */
const MOST_SET_ASIDE = 1000;

/** What the form asks for, to be estimated; null while something of it is wrong. */
export function askedOf(form: Pick<StartForm, 'model' | 'repository' | 'own'>, checked: Checked): Asked | null {
  if (!checked.ok) return null;
  const { model, weights, task, training, lora } = checked.choice.request;
  const shape = KNOWN_SHAPES[form.model === HUB_MODEL ? form.repository.trim() : model.id] ?? null;
  const { layers } = lora;
  const lowest = Array.isArray(layers) ? layers[0] : undefined;
  const top = layers !== undefined && 'top' in layers ? layers.top : null;
  const depth = lowest !== undefined && shape !== null ? shape.layers - lowest : top;
  const facts = glueFactsOf(task.id);
  return {
    ...{ model: model.id, weights, shape, task: task.id, depth },
    ...{ rounds: training.rounds, samplesPerRound: training.samplesPerRound, maxTokens: training.maxTokens },
    evaluateEvery: training.evaluateEvery,
    typicalTokens: facts?.tokens ?? null,
    devExamples: facts?.devExamples ?? (task.id === OWN_TASK ? devRows(form.own) : null),
  };
}

function devRows({ train, dev }: StartForm['own']): number | null {
  if (dev.kind === 'read') return dev.preview.report.used;
  return train.kind === 'read' ? Math.min(MOST_SET_ASIDE, Math.ceil(train.preview.report.used / 10)) : null;
}
