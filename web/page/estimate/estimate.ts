import { computeSeconds, EVALUATION_SHARE } from '../../../signaling/protocol/cost-model.ts';
import { EVALUATION_SAMPLE } from '../../../signaling/protocol/limits.ts';
import { capitalised } from '../../../signaling/protocol/words/lists.ts';
import { secondsText, timeLeftText } from '../../../signaling/protocol/words/quantities.ts';
import * as say from '../../words/start/estimate.ts';
import type { Measured } from './measured.ts';

/** What is to be trained, as far as it is known before anything was opened. */
export interface Asked {
  readonly model: string;
  readonly weights: string;
  /** Null while nobody has read the model's config. */
  readonly shape: { readonly layers: number; readonly hiddenSize: number; readonly ffnSize: number } | null;
  readonly task: string;
  readonly rounds: number;
  readonly samplesPerRound: number;
  readonly maxTokens: number;
  /** Of a sample in a padded batch; null where nobody has counted. */
  readonly typicalTokens: number | null;
  /** Layers that the backward pass goes through; null for all. */
  readonly depth: number | null;
  readonly evaluateEvery: number;
  /** Null where it is not known yet. */
  readonly devExamples: number | null;
}

export interface Estimate {
  readonly seconds: number;
  readonly secondsPerRound: number;
  /** Of the last score, which is of the whole dev set. */
  readonly lastScoreSeconds: number;
  /** `close`: timed at this very model and task; `rough`: scaled from another; `most`: at the longest samples that there may be. */
  readonly kind: 'close' | 'rough' | 'most';
}

/** Where a table is not read yet: as many as are set aside at most. */
const MOST_DEV_EXAMPLES = 1000;

/** Multiplications and additions of a layer's forward pass over a sample of T tokens: four projections, two of the feed-forward part, attention. */
function layerWork({ hiddenSize: c, ffnSize: f }: { hiddenSize: number; ffnSize: number }, tokens: number): number {
  return tokens * (4 * c * c + 2 * c * f) + 2 * tokens * tokens * c;
}

/**
 * Seconds of a whole session on this device alone, from what it measured of itself in an earlier one: rounds by the cost model, scores beside
 * them within their share, the last score. Null where the model's shape is not known.
 */
export function estimate(measured: Measured, asked: Asked): Estimate | null {
  const same = asked.model === measured.model;
  const shape = asked.shape ?? (same ? measured : null);
  if (shape === null) return null;
  const counted = asked.task === measured.task ? measured.tokens : asked.typicalTokens;
  const tokens = Math.min(asked.maxTokens, counted ?? asked.maxTokens);
  const { profile } = measured;
  const { embed, forwardPerLayer, backwardPerLayer, head } = profile.secondsPerSample;
  const layer = layerWork(shape, tokens) / layerWork(measured, measured.tokens);
  const row = (tokens * shape.hiddenSize) / (measured.tokens * measured.hiddenSize);
  const scaled = {
    overheadSeconds: profile.overheadSeconds,
    memory: profile.memory,
    secondsPerSample: {
      embed: embed * row,
      forwardPerLayer: forwardPerLayer * layer,
      backwardPerLayer: backwardPerLayer * layer,
      head: head * (shape.hiddenSize / measured.hiddenSize) ** 2,
    },
  };
  const round = computeSeconds(scaled, shape.layers, asked.samplesPerRound, asked.depth ?? shape.layers);
  const rounds = asked.rounds * round;
  const s = scaled.secondsPerSample;
  const example = s.embed + shape.layers * s.forwardPerLayer + s.head;
  const dev = asked.task === measured.task ? measured.devExamples : (asked.devExamples ?? MOST_DEV_EXAMPLES);
  const scores = 1 + (asked.evaluateEvery > 0 ? Math.floor((asked.rounds - 1) / asked.evaluateEvery) : 0);
  const beside = Math.min(EVALUATION_SHARE * rounds, scores * Math.min(dev, EVALUATION_SAMPLE) * example);
  const alike = asked.task === measured.task && same && asked.weights === measured.weights;
  return {
    seconds: rounds + beside + dev * example,
    secondsPerRound: round,
    lastScoreSeconds: dev * example,
    kind: counted === null ? 'most' : alike ? 'close' : 'rough',
  };
}

const TOLD_APART_SECONDS = 120;

export const NOTHING_MEASURED = say.howLongItTakes;

/** "About 3 min on this device alone; with others, less." */
export function estimateSentence(measured: Measured | null, asked: Asked | null): string {
  if (measured === null) return NOTHING_MEASURED;
  const found = asked === null ? null : estimate(measured, asked);
  if (found === null) return say.howLongItTakesIsToldBefore;
  const time = timeLeftText(found.seconds);
  const plain = time.replace(/^about /, '');
  const said =
    found.kind === 'close' ? capitalised(time) : found.kind === 'rough' ? say.roughly(plain) : say.atMost(time);
  const { secondsPerRound, lastScoreSeconds } = found;
  // Of what is short nobody asks where the time goes.
  const parts =
    found.seconds < TOLD_APART_SECONDS
      ? ''
      : say.aRoundForTheLast(secondsText(secondsPerRound), secondsText(lastScoreSeconds));
  return say.onThisDeviceAlone(said, parts);
}
