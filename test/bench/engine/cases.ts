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

/** The embedded model at 16 samples of 64 tokens, none of them padding. */
async function mini(): Promise<BenchCase> {
  const shape = parseModelConfig(JSON.parse(await readFile(`${MODEL}config.json`, 'utf8')));
  const weights = await openWeights(bytesSource(await readFile(`${MODEL}model.safetensors`)));
  const layout = parameterLayout(shape, LORA, 2);
  return {
    name: 'roberta-mini 16 x 64',
    request: { shape, lora: LORA, labelCount: 2, withDropout: false, weights, weightStorage: 'f32' },
    parameters: randomValues(layout.length, 1, 0.05),
    batch: fullBatch(16, 64, shape.vocabSize),
  };
}

/** One layer of roberta-base's shape with random weights, at 4 samples of 128 tokens. */
async function baseLayer(): Promise<BenchCase> {
  const [samples, tokens] = [4, 128];
  const model: RandomModel = await randomModel({
    layers: 1,
    hiddenSize: 768,
    heads: 12,
    ffnSize: 3072,
    labelCount: 2,
    samples,
    tokens,
    rank: LORA.rank,
  });
  return {
    name: 'a roberta-base layer 4 x 128',
    request: { ...model, withDropout: false },
    parameters: model.parameters.map((value) => value / 4),
    batch: fullBatch(samples, tokens, model.shape.vocabSize),
  };
}

export const CASES = { mini, 'base-layer': baseLayer } as const;
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
