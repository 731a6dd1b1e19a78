import { pcg4d } from '../../signaling/protocol/exchange/pcg4d.ts';
import { MAX_TOKENS_PER_SAMPLE } from '../../signaling/protocol/limits.ts';
import { LORA_TARGETS, type LoraTarget } from '../../signaling/protocol/settings.ts';

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

/** Where masks are applied within a layer; the embeddings' and the head's belong to layer 0. */
export const DROPOUT_SITES = {
  /** The embeddings' LayerNorm output. */
  embeddings: 0,
  /** softmax(QK^T), after the softmax. */
  attentionProbabilities: 1,
  /** attention.output.dense, before the residual. */
  attentionOutput: 2,
  /** output.dense, before the residual. */
  ffnOutput: 3,
  /** The head's dense layer's input: the first token's last hidden state. Sites 4 to 9 are the adapters' inputs. */
  headInput: 10,
  /** The head's out_proj's input, after the tanh. */
  headActivated: 11,
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

interface Drawn {
  readonly threshold: number;
  readonly scale: number;
}

/**
 * Writes the mask (0 or the scale) of `count` elements from `firstElement` on into `out` at `at`. pcg4d is written out once more here,
 * on numbers instead of an array: masks are drawn by the million.
 */
function fillRun(
  out: Float32Array,
  at: number,
  firstElement: number,
  count: number,
  key: Uint32Array,
  drawn: Drawn,
): void {
  const { threshold, scale } = drawn;
  const keyX = key[0]!;
  const offset = at - firstElement;
  const end = firstElement + count;
  const startY = (Math.imul(key[1]!, 1664525) + 1013904223) | 0;
  const startZ = (Math.imul(key[2]!, 1664525) + 1013904223) | 0;
  const startW = (Math.imul(key[3]!, 1664525) + 1013904223) | 0;
  for (let group = firstElement & ~3; group < end; group += 4) {
    let x = (Math.imul(keyX + (group >>> 2), 1664525) + 1013904223) | 0;
    x = (x + Math.imul(startY, startW)) | 0;
    let y = (startY + Math.imul(startZ, x)) | 0;
    let z = (startZ + Math.imul(x, y)) | 0;
    let w = (startW + Math.imul(y, z)) | 0;
    x ^= x >>> 16;
    y ^= y >>> 16;
    z ^= z >>> 16;
    w ^= w >>> 16;
    x = (x + Math.imul(y, w)) | 0;
    y = (y + Math.imul(z, x)) | 0;
    z = (z + Math.imul(x, y)) | 0;
    w = (w + Math.imul(y, z)) | 0;
    const to = group + offset;
    if (group >= firstElement && group + 4 <= end) {
      out[to] = x >>> 0 < threshold ? 0 : scale;
      out[to + 1] = y >>> 0 < threshold ? 0 : scale;
      out[to + 2] = z >>> 0 < threshold ? 0 : scale;
      out[to + 3] = w >>> 0 < threshold ? 0 : scale;
      continue;
    }
    const words = [x, y, z, w];
    for (let lane = 0; lane < 4; lane++)
      if (group + lane >= firstElement && group + lane < end)
        out[to + lane] = words[lane]! >>> 0 < threshold ? 0 : scale;
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
  const drawn = { threshold: dropoutThreshold(dropout.probability), scale: dropoutScale(dropout.probability) };
  positions.forEach((position, sample) => {
    const key = sampleKey(dropout, layer, site, position);
    fillRun(mask, sample * perSample, 0, perSample, key, drawn);
  });
  return mask;
}

/** The masks of RobertaClassificationHead, (B,width) each. */
export interface HeadMasks {
  readonly input: Float32Array;
  readonly activated: Float32Array;
}

/** Null where nothing is dropped. */
export function headMasks(dropout: DropoutKey, positions: Int32Array, width: number): HeadMasks | null {
  if (dropout.probability === 0) return null;
  const mask = (site: number) => hiddenMask(dropout, 0, site, positions, 1, width);
  return { input: mask(DROPOUT_SITES.headInput), activated: mask(DROPOUT_SITES.headActivated) };
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
  const drawn = { threshold: dropoutThreshold(dropout.probability), scale: dropoutScale(dropout.probability) };
  let at = 0;
  for (const position of positions) {
    const key = sampleKey(dropout, layer, DROPOUT_SITES.attentionProbabilities, position);
    for (let head = 0; head < heads; head++)
      for (let query = 0; query < tokens; query++) {
        const first = (head * MAX_TOKENS_PER_SAMPLE + query) * MAX_TOKENS_PER_SAMPLE;
        fillRun(mask, at, first, tokens, key, drawn);
        at += tokens;
      }
  }
  return mask;
}
