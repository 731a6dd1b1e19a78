import type { DeviceView, RoomView } from '../../../signaling/protocol/room-view.ts';
import { PLAIN_TRAINING } from '../../../signaling/protocol/settings.ts';
import { SETTINGS_VERSION } from '../../../signaling/protocol/version.ts';
import { DEFAULT_FORM } from '../start/start-form.ts';

const device = (id: string, name: string): DeviceView => ({
  id,
  name,
  kind: 'tab',
  status: { kind: 'ready' },
  hidden: false,
  linked: true,
  online: true,
  peerId: null,
  profile: null,
});

const samples = { start: 0, count: Number(DEFAULT_FORM.samplesPerRound) };
const work = { samples, microBatch: 8, memoryBytes: 0, share: 1 / 3, uploadBits: 0 };

/** A room made up for the start page's picture. */
export const EXAMPLE_ROOM: Pick<RoomView, 'settings' | 'phase' | 'devices' | 'plan'> = {
  phase: 'gathering',
  devices: [device('phone', 'Phone'), device('tablet', 'Tablet'), device('laptop', 'Laptop')],
  settings: {
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
      id: 'example',
      title: 'Example',
      kind: 'classification',
      labelCount: 2,
      classNames: ['no', 'yes'],
      metric: 'accuracy',
      trainExamples: 1,
      roundTokens: 32,
      devExamples: 1,
    },
    lora: { rank: 8, alpha: 16, targets: ['query', 'value'] },
    training: {
      ...PLAIN_TRAINING,
      rounds: 1,
      samplesPerRound: samples.count,
      maxTokens: 64,
      learningRate: 0.001,
      weightDecay: 0,
      warmupFraction: 0,
      dropout: 0,
      evaluateEvery: 0,
      seed: 0,
    },
    policy: 'crunch',
  },
  plan: {
    version: 1,
    policy: 'crunch',
    solver: '',
    solveMs: 0,
    latencySeconds: 0.62,
    lowerBoundSeconds: 0.62,
    limitedBy: 'phone',
    explanation: '',
    assignments: [
      { ...work, device: 'phone', layers: [5], head: true, computeSeconds: 0.5, uploadSeconds: 0.12 },
      { ...work, device: 'tablet', layers: [3, 4], head: false, computeSeconds: 0.47, uploadSeconds: 0.08 },
      { ...work, device: 'laptop', layers: [0, 1, 2], head: false, computeSeconds: 0.39, uploadSeconds: 0.03 },
    ],
  },
};
