import {
  MAX_LORA_ALPHA,
  MAX_LORA_RANK,
  MAX_ROUNDS,
  MAX_SAMPLES_PER_ROUND,
  MAX_TOKENS_PER_SAMPLE,
} from '../../../signaling/protocol/limits.ts';
import * as say from '../../words/start/start.ts';

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
  rank: rule(say.theRank, true, 1, MAX_LORA_RANK),
  alpha: rule(say.alpha, false, 0, MAX_LORA_ALPHA, true),
  learningRate: rule(say.theLearningRate, false, 0, 1, true),
  samplesPerRound: rule(say.samplesARound, true, 1, MAX_SAMPLES_PER_ROUND),
  rounds: rule(say.rounds, true, 1, MAX_ROUNDS),
  maxTokens: rule(say.tokensASentence, true, 8, MAX_TOKENS_PER_SAMPLE),
  seed: rule(say.theSeed, true, 0, 2 ** 32 - 1),
  dropout: rule(say.dropout, false, 0, 0.9),
  weightDecay: rule(say.weightDecay, false, 0, 1),
  warmupPercent: rule(say.warmUp, false, 0, 100),
  maxGradientNorm: rule(say.theLargestNorm, false, 0, 1e6),
  beta1: rule(say.theFirstBeta, false, 0, 0.99999),
  beta2: rule(say.theSecondBeta, false, 0, 0.99999),
  epsilon: rule(say.epsilon, false, 0, 1, true),
  loraPlusRatio: rule(say.theRatioOfLoRA, false, 1, 1000),
  labelSmoothing: rule(say.labelSmoothing, false, 0, 0.9),
  thresholdPercent: rule(say.theThreshold, false, 1, 99),
  evaluateEvery: rule(say.roundsBetweenScores, true, 0, MAX_ROUNDS),
  slowdown: rule(say.theSlowDown, false, 1, 100),
} as const satisfies Readonly<Record<string, NumberRule>>;
export type NumberField = keyof typeof NUMBERS;
/** The number, or what is wrong with it. A decimal comma is read as a point. */
export function readNumber(typed: string, { what, whole, min, above, max }: NumberRule): number | string {
  const text = typed.trim().replace(/^([+-]?\d*),(\d+)$/, '$1.$2');
  const range = `${above === true ? 'above' : 'from'} ${grouped(min)} ${above === true ? say.andAtMost : 'to'} ${grouped(max)}`;
  const kind = whole ? say.aWholeNumber : say.aNumber;
  if (text === '') return say.mustBeTheField(what, kind, range);
  const value = Number(text);
  const outside = value < min || value > max || (above === true && value === min);
  if (!Number.isFinite(value) || (whole && !Number.isInteger(value)) || outside)
    return say.mustBe(what, kind, range, typed.trim());
  return value;
}

const grouped = (value: number): string => value.toLocaleString('en-US');
