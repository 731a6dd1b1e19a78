import { MAX_TOKENS_PER_SAMPLE } from '../signaling/protocol/limits.ts';
import { LORA_TARGETS, type LoraTarget } from '../signaling/protocol/settings.ts';
import { pcg4d } from './model/pcg4d.ts';

/**
 * Dropout masks from a counter-based generator: whether an element is dropped depends on (seed, round, sample position, layer, site,
 * element) alone, so any device, in any engine, at any batch size and padding, draws the same mask. In u32 arithmetic:
 *
 *   key   = pcg4d(seed, round, 16 * layer + site, position)
 *   words = pcg4d(key.x + floor(element / 4), key.y, key.z, key.w)
 *   dropped(element) = words[element % 4] < floor(probability * 2^32)
 *
 * What is kept is scaled by 1 / (1 - probability), rounded to f32. `position` is TokenBatch.positions of the sample; `element` counts
 * within the sample: token * width + channel for hidden states, and (head * 512 + queryToken) * 512 + keyToken for attention
 * probabilities, 512 being MAX_TOKENS_PER_SAMPLE; neither depends on the padded length.
 */
export interface DropoutKey {
  readonly probability: number;
  readonly seed: number;
  readonly round: number;
}

/** Where masks are applied within a layer; the embeddings' belongs to layer 0. */
export const DROPOUT_SITES = {
  /** The embeddings' LayerNorm output. */
  embeddings: 0,
  /** softmax(QK^T), after the softmax. */
  attentionProbabilities: 1,
  /** attention.output.dense, before the residual. */
  attentionOutput: 2,
  /** output.dense, before the residual. */
  ffnOutput: 3,
} as const;

/** The LoRA input of a target: the adapted projection of x is W x + alpha/rank * B A dropout(x). */
export function loraSite(target: LoraTarget): number {
  return 4 + LORA_TARGETS.indexOf(target);
}

const SITES_PER_LAYER = 16;

/** Words below it are dropped. */
export function dropoutThreshold(probability: number): number {
  return Math.floor(probability * 2 ** 32);
}

/** What is kept is multiplied by this, in f32. */
export function dropoutScale(probability: number): number {
  return Math.fround(1 / (1 - probability));
}

/** Writes the mask (0 or the scale) of `count` elements from `firstElement` on into `out` at `at`. */
function fillRun(
  out: Float32Array,
  at: number,
  firstElement: number,
  count: number,
  key: Uint32Array,
  threshold: number,
  scale: number,
  words: Uint32Array,
): void {
  let element = firstElement;
  const end = firstElement + count;
  while (element < end) {
    words[0] = key[0]! + (element >>> 2);
    words[1] = key[1]!;
    words[2] = key[2]!;
    words[3] = key[3]!;
    pcg4d(words);
    const groupEnd = Math.min(end, (element & ~3) + 4);
    for (; element < groupEnd; element++) out[at++] = words[element & 3]! < threshold ? 0 : scale;
  }
}

function sampleKey(dropout: DropoutKey, layer: number, site: number, position: number): Uint32Array {
  const key = Uint32Array.of(dropout.seed, dropout.round, SITES_PER_LAYER * layer + site, position);
  pcg4d(key);
  return key;
}

/** (B,T,width) mask of a hidden-state site; 0 where dropped, 1/(1-p) where kept. `positions` (B). */
export function hiddenMask(
  dropout: DropoutKey,
  layer: number,
  site: number,
  positions: Int32Array,
  tokens: number,
  width: number,
): Float32Array {
  const perSample = tokens * width;
  const mask = new Float32Array(positions.length * perSample);
  const threshold = dropoutThreshold(dropout.probability);
  const scale = dropoutScale(dropout.probability);
  const words = new Uint32Array(4);
  positions.forEach((position, sample) => {
    const key = sampleKey(dropout, layer, site, position);
    fillRun(mask, sample * perSample, 0, perSample, key, threshold, scale, words);
  });
  return mask;
}

/** (B,H,T,T) mask of the attention probabilities. `positions` (B). */
export function attentionMask(
  dropout: DropoutKey,
  layer: number,
  positions: Int32Array,
  heads: number,
  tokens: number,
): Float32Array {
  const mask = new Float32Array(positions.length * heads * tokens * tokens);
  const threshold = dropoutThreshold(dropout.probability);
  const scale = dropoutScale(dropout.probability);
  const words = new Uint32Array(4);
  let at = 0;
  for (const position of positions) {
    const key = sampleKey(dropout, layer, DROPOUT_SITES.attentionProbabilities, position);
    for (let head = 0; head < heads; head++)
      for (let query = 0; query < tokens; query++) {
        const first = (head * MAX_TOKENS_PER_SAMPLE + query) * MAX_TOKENS_PER_SAMPLE;
        fillRun(mask, at, first, tokens, key, threshold, scale, words);
        at += tokens;
      }
  }
  return mask;
}
