import { MAX_ROUNDS, MAX_SAMPLES_PER_ROUND, MAX_TOKENS_PER_SAMPLE } from '../../protocol/limits.ts';
import { MEASURES } from '../../protocol/scores.ts';
import { SCHEDULES, type TrainingSettings, UPLOADS } from '../../protocol/settings.ts';
import { DEFAULT_AUDITS, MAX_AUDITS, MIN_AUDITS, readAudits } from '../../protocol/words/audits.ts';
import { CLASS_WEIGHTS_WANTED, readClassWeights } from '../../protocol/words/class-weights.ts';
import type { Recipe } from '../../protocol/words/recipes.ts';
import { CommandError, number, oneOf, wholeNumber } from '../command-line.ts';

/** Three months. */
const MOST_MINUTES = 130_000;

/** What `demo` may be told of the training; whatever is not said is the recipe's. */
export const TRAINING_OPTIONS = {
  rounds: { type: 'string' },
  minutes: { type: 'string' },
  samples: { type: 'string' },
  tokens: { type: 'string' },
  'learning-rate': { type: 'string' },
  'lora-plus': { type: 'string' },
  warmup: { type: 'string' },
  schedule: { type: 'string' },
  'clip-norm': { type: 'string' },
  'weight-decay': { type: 'string' },
  betas: { type: 'string' },
  epsilon: { type: 'string' },
  'class-weights': { type: 'string' },
  'label-smoothing': { type: 'string' },
  threshold: { type: 'string' },
  dropout: { type: 'string' },
  seed: { type: 'string' },
  'evaluate-every': { type: 'string' },
  'best-by': { type: 'string' },
  patience: { type: 'string' },
  audits: { type: 'string' },
  uploads: { type: 'string' },
} as const;

export const TRAINING_HELP = `  --rounds N         optimiser steps (the task's recipe)
  --minutes N        as many rounds as these devices do in so many minutes, scores with them, once they have measured themselves
  --samples N        samples a round (the task's recipe)
  --tokens N         most tokens of a sample (the task's recipe)
  --learning-rate X  peak learning rate (the task's recipe)
  --lora-plus X      LoRA+: the matrices B learn X times as fast as A (1: plain LoRA)
  --warmup X         share of the rounds in which the rate climbs (the task's recipe)
  --schedule S       ${SCHEDULES.join(', ')}: what the rate does then (linear)
  --clip-norm X      gradients longer than X are scaled down to it; 0 leaves them (the task's recipe)
  --weight-decay X   decoupled weight decay of AdamW (the task's recipe)
  --betas X,X        AdamW's betas (0.9,0.999)
  --epsilon X        AdamW's epsilon (1e-8)
  --class-weights W  balanced, or a number for each class, with commas (all weigh alike)
  --label-smoothing X  so much of a target is shared by all classes (0)
  --threshold X      in a task of several labels, the probability from which on a label is given (0.5)
  --dropout X        dropout probability (the task's recipe)
  --seed N           seed of everything that is drawn (1)
  --evaluate-every N rounds between evaluations; 0 only before and after (0)
  --best-by M        what the best adapter is chosen by: ${MEASURES.join(', ')} (the task's own metric)
  --audits P         part of the compute that checks what devices send: ${MIN_AUDITS} to ${MAX_AUDITS}, or off among friends (${DEFAULT_AUDITS})
  --uploads U        what gradients are rounded to on their way, up and down: ${UPLOADS.join(', ')} (f32: the exact gradient)
  --patience N       end after so many evaluations without a better score; 0 never (0)
`;

type Values = Readonly<Partial<Record<keyof typeof TRAINING_OPTIONS, string | undefined>>>;

/** @throws CommandError */
export function readTraining(values: Values, recipe: Recipe['training']): TrainingSettings {
  type Name = keyof typeof TRAINING_OPTIONS;
  const whole = (name: Name, otherwise: number, min: number, max: number) =>
    values[name] === undefined ? otherwise : wholeNumber(name, values[name], min, max);
  const real = (name: Name, otherwise: number, min: number, max: number) =>
    values[name] === undefined ? otherwise : number(name, values[name], min, max);
  const rounds = whole('rounds', recipe.rounds, 1, MAX_ROUNDS);
  const training: TrainingSettings = {
    ...recipe,
    rounds,
    samplesPerRound: whole('samples', recipe.samplesPerRound, 1, MAX_SAMPLES_PER_ROUND),
    maxTokens: whole('tokens', recipe.maxTokens, 8, MAX_TOKENS_PER_SAMPLE),
    learningRate: real('learning-rate', recipe.learningRate, 1e-8, 1),
    loraPlusRatio: real('lora-plus', recipe.loraPlusRatio, 1, 1000),
    warmupFraction: real('warmup', recipe.warmupFraction, 0, 1),
    schedule: oneOf('schedule', values.schedule ?? recipe.schedule, SCHEDULES),
    maxGradientNorm: real('clip-norm', recipe.maxGradientNorm, 0, 1e6),
    weightDecay: real('weight-decay', recipe.weightDecay, 0, 1),
    epsilon: real('epsilon', recipe.epsilon, 1e-30, 1),
    classWeights: readWeights(values['class-weights']),
    labelSmoothing: real('label-smoothing', recipe.labelSmoothing, 0, 0.9),
    threshold: real('threshold', recipe.threshold, 0.01, 0.99),
    dropout: real('dropout', recipe.dropout, 0, 0.9),
    evaluateEvery: whole('evaluate-every', 0, 0, rounds),
    bestBy: values['best-by'] === undefined ? null : oneOf('best-by', values['best-by'], MEASURES),
    uploads: oneOf('uploads', values.uploads ?? recipe.uploads, UPLOADS),
    seed: whole('seed', 1, 0, 2 ** 32 - 1),
    ...(values.betas !== undefined && readBetas(values.betas)),
  };
  if (readPatience(values) > 0 && training.evaluateEvery === 0)
    throw new CommandError('--patience counts evaluations; say with --evaluate-every how often there is one.');
  return training;
}

/** The time that training may take; null where the rounds are said, or the recipe's. */
export function readMinutes({ minutes, rounds }: Values): number | null {
  if (minutes === undefined) return null;
  if (rounds !== undefined)
    throw new CommandError('--rounds and --minutes both say where training ends; give one of them.');
  return number('minutes', minutes, 0.1, MOST_MINUTES);
}

export function readAuditShare({ audits }: Values): number {
  const share = audits === undefined ? DEFAULT_AUDITS : readAudits(audits);
  if (share === null)
    throw new CommandError(`--audits takes off, or a part of the compute from ${MIN_AUDITS} to ${MAX_AUDITS}.`);
  return share;
}

export const readPatience = ({ patience = '0' }: Values): number => wholeNumber('patience', patience, 0, 1000);

function readWeights(text: string | undefined): TrainingSettings['classWeights'] {
  const weights = readClassWeights(text ?? '');
  if (weights === undefined) throw new CommandError(`--class-weights: ${CLASS_WEIGHTS_WANTED}`);
  return weights;
}

function readBetas(text: string): Pick<TrainingSettings, 'beta1' | 'beta2'> {
  const [beta1, beta2, ...more] = text.split(',').map((beta) => number('betas', beta.trim(), 0, 0.99999));
  if (beta1 === undefined || beta2 === undefined || more.length > 0)
    throw new CommandError('--betas takes two numbers with a comma, such as 0.9,0.999.');
  return { beta1, beta2 };
}
