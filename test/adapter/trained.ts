import { type LoraSettings, type ModelShape, PLAIN_TRAINING } from '../../signaling/protocol/settings.ts';
import type { ExportedFile } from '../../worker/api/host-api.ts';
import { parameterLayout } from '../../worker/model/layout.ts';

export const SHAPE: ModelShape = {
  layers: 2,
  hiddenSize: 8,
  heads: 2,
  ffnSize: 12,
  vocabSize: 50,
  maxPositions: 20,
  layerNormEps: 1e-5,
  padTokenId: 1,
};

/** An adapter whose every value is different. */
export function trained(lora: LoraSettings, labelCount = 3, shape = SHAPE) {
  const layout = parameterLayout(shape, lora, labelCount);
  return {
    model: { kind: 'embedded', id: 'roberta-mini' } as const,
    task: {
      id: 'mnli',
      title: 'MNLI',
      kind: labelCount > 1 ? ('classification' as const) : ('regression' as const),
      labelCount,
      classNames: ['entailment', 'neutral', 'contradiction'].slice(0, labelCount > 1 ? labelCount : 0),
      metric: 'accuracy' as const,
      trainExamples: 100,
      roundTokens: 32,
      devExamples: 20,
    },
    lora,
    training: {
      ...PLAIN_TRAINING,
      rounds: 40,
      samplesPerRound: 32,
      maxTokens: 64,
      learningRate: 5e-3,
      weightDecay: 0.01,
      warmupFraction: 0.1,
      dropout: 0.1,
      evaluateEvery: 10,
      seed: 3,
    },
    layout,
    values: Float32Array.from({ length: layout.length }, (_, i) => Math.fround(i / 7 - 20)),
    rounds: 40,
    devices: 3,
    scores: [
      { round: 0, metric: 'accuracy' as const, value: 0.35, further: [] },
      {
        round: 40,
        metric: 'accuracy' as const,
        value: 0.71234,
        further: [{ metric: 'f1' as const, devSet: null, value: 0.6 }],
      },
    ],
  };
}

export const fileOf = (files: readonly ExportedFile[], name: string) => files.find((file) => file.name === name)!.bytes;
export const textOf = (files: readonly ExportedFile[], name: string) => new TextDecoder().decode(fileOf(files, name));
