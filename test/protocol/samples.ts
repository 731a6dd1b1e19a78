import type { Profile } from '../../signaling/protocol/profile.ts';
import { PLAIN_TRAINING, type SessionSettings } from '../../signaling/protocol/settings.ts';
import { SETTINGS_VERSION } from '../../signaling/protocol/version.ts';

/** A small valid session, for tests that need one; change what matters with a spread. */
export const SETTINGS: SessionSettings = {
  version: SETTINGS_VERSION,
  model: { kind: 'embedded', id: 'roberta-mini' },
  weights: 'f32',
  shape: {
    layers: 6,
    hiddenSize: 128,
    heads: 4,
    ffnSize: 512,
    vocabSize: 8192,
    maxPositions: 130,
    layerNormEps: 1e-5,
    padTokenId: 1,
  },
  task: {
    id: 'embedded',
    title: 'Sentiment',
    kind: 'classification',
    labelCount: 2,
    classNames: ['negative', 'positive'],
    metric: 'accuracy',
    trainExamples: 100,
    roundTokens: 32,
    devExamples: 20,
  },
  lora: { rank: 8, alpha: 16, targets: ['query', 'value'] },
  training: {
    ...PLAIN_TRAINING,
    rounds: 20,
    samplesPerRound: 16,
    maxTokens: 64,
    learningRate: 1e-3,
    weightDecay: 0.01,
    warmupFraction: 0.1,
    dropout: 0,
    evaluateEvery: 0,
    seed: 1,
  },
  policy: 'crunch',
};

/** A door that lets in whoever has the code, for tests that are about something else. */
export const OPEN_DOOR = { passHash: 'f'.repeat(64), door: 'open', cap: 64 } as const;

/** A device that is `pace` times slower than the fastest. */
export const profile = (pace = 1, linkBitsPerSecond = 1e7): Profile => ({
  engine: 'onnx',
  backend: 'WASM, 1 thread',
  overheadSeconds: 0.001,
  secondsPerSample: {
    embed: 1e-5 * pace,
    forwardPerLayer: 1e-3 * pace,
    backwardPerLayer: 2e-3 * pace,
    head: 1e-4 * pace,
  },
  flopsPerSecond: 2e10 / pace,
  memoryBytesPerSecond: 1e10 / pace,
  memory: {
    limitBytes: 1e9,
    weightsBytes: 1e7,
    transientPerSample: 1e5,
    savedPerSamplePerLayer: 1e5,
    gradientBytesPerLayer: 16384,
  },
  linkBitsPerSecond,
});
