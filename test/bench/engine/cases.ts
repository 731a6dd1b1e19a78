import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { LoraSettings } from '../../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../../../worker/api/batch.ts';
import { type RandomModel, randomModel, randomValues } from '../../../worker/check/random-model.ts';
import type { EngineRequest } from '../../../worker/engine/engine.ts';
import { bytesSource } from '../../../worker/files/byte-source.ts';
import { parseModelConfig } from '../../../worker/model/config.ts';
import { parameterLayout } from '../../../worker/model/layout.ts';
import { openWeights } from '../../../worker/model/weights.ts';
/** What is timed: one training step, forward, loss and backward through every layer, of LoRA with r = 8 on query and value. */
export interface BenchCase {
  readonly name: string;
  readonly request: EngineRequest;
  readonly parameters: Float32Array;
  readonly batch: TokenBatch;
  /** By how much what rounding does grows over the layers, beside the other cases'; 1 unless given. */
  readonly roundingFactor?: number;
}

const LORA: LoraSettings = { rank: 8, alpha: 16, targets: ['query', 'value'] };
const MODEL = fileURLToPath(new URL('../../../models/roberta-mini/', import.meta.url));

/** The embedded model at 16 samples of 64 tokens unless given, none of them padding. */
export async function mini(samples = 16, tokens = 64): Promise<BenchCase> {
  const shape = parseModelConfig(JSON.parse(await readFile(`${MODEL}config.json`, 'utf8')));
  const weights = await openWeights(bytesSource(await readFile(`${MODEL}model.safetensors`)));
  const layout = parameterLayout(shape, LORA, 2);
  return {
    name: `roberta-mini ${samples} x ${tokens}`,
    request: { shape, lora: LORA, labelCount: 2, withDropout: false, weights, weightStorage: 'f32' },
    parameters: randomValues(layout.length, 1, 0.05),
    batch: fullBatch(samples, tokens, shape.vocabSize),
  };
}

/**
 * Layers of roberta-base's shape with random weights, at 4 samples of 128 tokens unless given. Its vocabulary is a few words: of a larger table a
 * step reads as many rows.
 */
export async function baseLayers(layers = 1, samples = 4, tokens = 128): Promise<BenchCase> {
  const model: RandomModel = await randomModel({
    layers,
    hiddenSize: 768,
    heads: 12,
    ffnSize: 3072,
    labelCount: 2,
    samples,
    tokens,
    rank: LORA.rank,
  });
  return {
    name: `${layers === 1 ? 'a roberta-base layer' : `roberta-base, ${layers} layers,`} ${samples} x ${tokens}`,
    roundingFactor: layers,
    request: { ...model, withDropout: false },
    parameters: model.parameters.map((value) => value / 4),
    batch: fullBatch(samples, tokens, model.shape.vocabSize),
  };
}

export const CASES = { mini: () => mini(), 'base-layer': () => baseLayers() } as const;
export type CaseName = keyof typeof CASES;

function fullBatch(samples: number, tokens: number, vocabSize: number): TokenBatch {
  const draws = randomValues(samples * tokens, 7, 1);
  return {
    ids: Int32Array.from(draws, (value) => 4 + Math.floor(((value + 1) / 2) * (vocabSize - 5))),
    lengths: new Int32Array(samples).fill(tokens),
    labels: Float32Array.from({ length: samples }, (_, i) => i % 2),
    positions: Int32Array.from({ length: samples }, (_, i) => i),
    tokens,
  };
}
