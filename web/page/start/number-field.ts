import {
  MAX_LORA_ALPHA,
  MAX_LORA_RANK,
  MAX_ROUNDS,
  MAX_SAMPLES_PER_ROUND,
  MAX_TOKENS_PER_SAMPLE,
} from '../../../signaling/protocol/limits.ts';

/** Numbers of the start form: typed as text, read with a sentence for what is wrong. */

interface NumberRule {
  readonly what: string;
  readonly whole: boolean;
  readonly min: number;
  /** The minimum itself is too small. */
  readonly above?: boolean;
  readonly max: number;
}

const rule = (what: string, whole: boolean, min: number, max: number, above = false): NumberRule => ({
  what,
  whole,
  min,
  max,
  above,
});

export const NUMBERS = {
  rank: rule('The rank', true, 1, MAX_LORA_RANK),
  alpha: rule('Alpha', false, 0, MAX_LORA_ALPHA, true),
  learningRate: rule('The learning rate', false, 0, 1, true),
  samplesPerRound: rule('Samples a round', true, 1, MAX_SAMPLES_PER_ROUND),
  rounds: rule('Rounds', true, 1, MAX_ROUNDS),
  maxTokens: rule('Tokens a sentence', true, 8, MAX_TOKENS_PER_SAMPLE),
  seed: rule('The seed', true, 0, 2 ** 32 - 1),
  dropout: rule('Dropout', false, 0, 0.9),
  weightDecay: rule('Weight decay', false, 0, 1),
  warmupPercent: rule('Warm-up', false, 0, 100),
  maxGradientNorm: rule('The largest norm', false, 0, 1e6),
  beta1: rule('The first beta', false, 0, 0.99999),
  beta2: rule('The second beta', false, 0, 0.99999),
  epsilon: rule('Epsilon', false, 0, 1, true),
  loraPlusRatio: rule('The ratio of LoRA+', false, 1, 1000),
  labelSmoothing: rule('Label smoothing', false, 0, 0.9),
  thresholdPercent: rule('The threshold', false, 1, 99),
  evaluateEvery: rule('Rounds between scores', true, 0, MAX_ROUNDS),
  slowdown: rule('The slow-down', false, 1, 100),
} as const satisfies Readonly<Record<string, NumberRule>>;
export type NumberField = keyof typeof NUMBERS;
/** The number, or what is wrong with it. A decimal comma is read as a point. */
export function readNumber(typed: string, { what, whole, min, above, max }: NumberRule): number | string {
  const text = typed.trim().replace(/^([+-]?\d*),(\d+)$/, '$1.$2');
  const range = `${above === true ? 'above' : 'from'} ${grouped(min)} ${above === true ? 'and at most' : 'to'} ${grouped(max)}`;
  const kind = whole ? 'a whole number' : 'a number';
  if (text === '') return `${what} must be ${kind} ${range}; the field is empty.`;
  const value = Number(text);
  const outside = value < min || value > max || (above === true && value === min);
  if (!Number.isFinite(value) || (whole && !Number.isInteger(value)) || outside)
    return `${what} must be ${kind} ${range}; this is “${typed.trim()}”.`;
  return value;
}

const grouped = (value: number): string => value.toLocaleString('en-US');
