import { LORA_TARGETS, type LoraSettings, PLAIN_TRAINING, type TrainingSettings } from '../settings.ts';

/** How a task is trained where nobody says otherwise. Reasons and figures: docs/learning.md. */
export interface Recipe {
  readonly lora: LoraSettings;
  readonly training: Omit<TrainingSettings, 'seed' | 'evaluateEvery'>;
}

interface Numbers {
  readonly learningRate: number;
  readonly rounds: number;
  readonly samplesPerRound: number;
  readonly maxTokens: number;
  readonly dropout: number;
  /** LoRA on query and value unless given. */
  readonly targets?: LoraSettings['targets'];
}

/** The embedded model, small and new to most tasks: large steps, no dropout. `sst2`, `mrpc` and `stsb` are measured. */
const MINI: Readonly<Record<string, Numbers>> = {
  grammar: { learningRate: 5e-3, rounds: 60, samplesPerRound: 32, maxTokens: 64, dropout: 0 },
  sst2: { learningRate: 1e-3, rounds: 1000, samplesPerRound: 16, maxTokens: 64, dropout: 0 },
  cola: { learningRate: 2e-3, rounds: 600, samplesPerRound: 16, maxTokens: 64, dropout: 0 },
  mrpc: { learningRate: 1e-3, rounds: 300, samplesPerRound: 16, maxTokens: 96, dropout: 0 },
  qqp: { learningRate: 2e-3, rounds: 600, samplesPerRound: 16, maxTokens: 96, dropout: 0 },
  stsb: {
    learningRate: 2e-3,
    rounds: 600,
    samplesPerRound: 32,
    maxTokens: 64,
    dropout: 0,
    targets: [...LORA_TARGETS],
  },
  mnli: { learningRate: 2e-3, rounds: 600, samplesPerRound: 16, maxTokens: 96, dropout: 0 },
  qnli: { learningRate: 2e-3, rounds: 600, samplesPerRound: 16, maxTokens: 128, dropout: 0 },
  rte: { learningRate: 2e-3, rounds: 300, samplesPerRound: 16, maxTokens: 128, dropout: 0 },
  wnli: { learningRate: 1e-3, rounds: 60, samplesPerRound: 16, maxTokens: 96, dropout: 0 },
};
const MINI_OTHER: Numbers = { learningRate: 2e-3, rounds: 300, samplesPerRound: 16, maxTokens: 96, dropout: 0 };

/**
 * Models of roberta-base's size and up: learning rates of "LoRA: Low-Rank Adaptation of Large Language Models" (arXiv 2106.09685,
 * appendix on RoBERTa), the fine-tuning dropout of RoBERTa. Rounds are few beside theirs: about what an evening in a few tabs can do.
 */
const BASE: Readonly<Record<string, Numbers>> = {
  grammar: { learningRate: 5e-4, rounds: 100, samplesPerRound: 32, maxTokens: 64, dropout: 0.1 },
  sst2: { learningRate: 5e-4, rounds: 1000, samplesPerRound: 16, maxTokens: 64, dropout: 0.1 },
  cola: { learningRate: 4e-4, rounds: 1000, samplesPerRound: 32, maxTokens: 64, dropout: 0.1 },
  mrpc: { learningRate: 4e-4, rounds: 700, samplesPerRound: 16, maxTokens: 128, dropout: 0.1 },
  qqp: { learningRate: 5e-4, rounds: 2000, samplesPerRound: 16, maxTokens: 128, dropout: 0.1 },
  stsb: { learningRate: 4e-4, rounds: 1000, samplesPerRound: 16, maxTokens: 128, dropout: 0.1 },
  mnli: { learningRate: 5e-4, rounds: 2000, samplesPerRound: 16, maxTokens: 128, dropout: 0.1 },
  qnli: { learningRate: 4e-4, rounds: 1000, samplesPerRound: 32, maxTokens: 128, dropout: 0.1 },
  rte: { learningRate: 5e-4, rounds: 500, samplesPerRound: 32, maxTokens: 128, dropout: 0.1 },
  wnli: { learningRate: 4e-4, rounds: 100, samplesPerRound: 16, maxTokens: 128, dropout: 0.1 },
};
const BASE_OTHER: Numbers = { learningRate: 4e-4, rounds: 500, samplesPerRound: 16, maxTokens: 128, dropout: 0.1 };

/** Passes over the training set of RoBERTa base with LoRA in the same paper (appendix, its batch sizes are those of the table above). */
const PAPER_EPOCHS: Readonly<Record<string, number>> = {
  mnli: 30,
  sst2: 60,
  mrpc: 30,
  cola: 80,
  qnli: 25,
  qqp: 25,
  rte: 80,
  stsb: 40,
};

// MNLI's two dev sets share one training set.
const trainedTask = (task: string): string => (task === 'mnli-mismatched' ? 'mnli' : task);

/** How often the paper goes through a task's training set; null where the task is not among its own. */
export const paperEpochs = (task: string): number | null => PAPER_EPOCHS[trainedTask(task)] ?? null;

const SCORE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;
/** As many scores make a curve, and are enough to stop early by. */
const SCORES = 6;

/** Rounds between scores that suit so many rounds. */
export const scoredEvery = (rounds: number): number => SCORE_STEPS.findLast((step) => step * SCORES <= rounds) ?? 1;

/** `mini` is the embedded roberta-mini; a person's own task, or any that is not listed, gets what suits most. */
export function recipeFor(task: string, model: 'mini' | 'base'): Recipe {
  const id = trainedTask(task);
  const { targets = ['query', 'value'], ...numbers } =
    model === 'mini' ? (MINI[id] ?? MINI_OTHER) : (BASE[id] ?? BASE_OTHER);
  return {
    lora: { rank: 8, alpha: model === 'mini' ? 16 : 8, targets },
    training: { ...PLAIN_TRAINING, ...numbers, weightDecay: 0.01, warmupFraction: 0.06, maxGradientNorm: 1 },
  };
}
