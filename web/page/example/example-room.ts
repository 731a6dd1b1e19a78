import type { RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import type { DeviceView, RoomView } from '../../../signaling/protocol/room-view.ts';
import type { SessionSettings } from '../../../signaling/protocol/settings.ts';
import { PLAIN_TRAINING } from '../../../signaling/protocol/settings.ts';
import { SETTINGS_VERSION } from '../../../signaling/protocol/version.ts';
import * as say from '../../words/start/example.ts';
import { DEFAULT_FORM } from '../start/start-form.ts';

/** Two rooms for the start page. Their plans are what the planner answers for these devices: a test asks it again. */

interface Measured {
  /** How many times slower than the laptop. */
  readonly slower: number;
  readonly limitBytes: number;
  readonly linkBitsPerSecond: number;
}

interface ModelCosts {
  readonly forwardPerLayer: number;
  readonly weightsBytes: number;
  readonly bytesPerSample: number;
}

const SMALL: ModelCosts = { forwardPerLayer: 6e-4, weightsBytes: 1e7, bytesPerSample: 4e5 };
const LARGE: ModelCosts = { forwardPerLayer: 1e-3, weightsBytes: 3.3e8, bytesPerSample: 2.4e7 };

const profile = ({ slower, limitBytes, linkBitsPerSecond }: Measured, costs: ModelCosts): Profile => ({
  engine: 'webgpu',
  backend: say.webGPU,
  overheadSeconds: 0.02,
  secondsPerSample: {
    embed: 1e-4,
    forwardPerLayer: costs.forwardPerLayer * slower,
    backwardPerLayer: 1.1 * costs.forwardPerLayer * slower,
    head: 2e-4 * slower,
  },
  flopsPerSecond: 1e11 / slower,
  memoryBytesPerSecond: 1e10 / slower,
  memory: {
    limitBytes,
    weightsBytes: costs.weightsBytes,
    transientPerSample: costs.bytesPerSample,
    savedPerSamplePerLayer: costs.bytesPerSample,
    gradientBytesPerLayer: 3e5,
  },
  linkBitsPerSecond,
});

const device = (id: string, name: string, measured: Measured, costs: ModelCosts): DeviceView => ({
  id,
  name,
  kind: 'tab',
  status: { kind: 'ready' },
  hidden: false,
  linked: true,
  online: true,
  peerId: null,
  profile: profile(measured, costs),
});

/** Of the device that is the host itself. */
const NO_LINK = 1e12;
const SAMPLES = Number(DEFAULT_FORM.samplesPerRound);

const settings = (layers: number, hiddenSize: number, vocabSize: number): SessionSettings => ({
  version: SETTINGS_VERSION,
  model: { kind: 'embedded', id: 'roberta-mini' },
  weights: 'f32',
  shape: {
    layers,
    hiddenSize,
    heads: hiddenSize / 32,
    ffnSize: 4 * hiddenSize,
    vocabSize,
    maxPositions: 130,
    layerNormEps: 1e-5,
    padTokenId: 1,
  },
  task: {
    id: 'example',
    title: say.example,
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
    rounds: 100,
    samplesPerRound: SAMPLES,
    maxTokens: 64,
    learningRate: 0.001,
    weightDecay: 0,
    warmupFraction: 0,
    dropout: 0,
    evaluateEvery: 0,
    seed: 1,
  },
  policy: 'auto',
});

type Room = Pick<RoomView, 'settings' | 'phase' | 'devices' | 'plan' | 'host'>;

export interface Example {
  readonly label: string;
  readonly room: Room & { readonly plan: RoomPlan };
  readonly sentence: string;
  readonly caption: string;
}

const plan = (
  change: Pick<RoomPlan, 'policy' | 'latencySeconds' | 'lowerBoundSeconds' | 'limitedBy' | 'assignments'>,
): RoomPlan => ({ version: 1, solver: '', solveMs: 0, explanation: '', ...change });

const work = { memoryBytes: 0, share: 1 / 3, uploadBits: 0 };
const ALL_SIX = [0, 1, 2, 3, 4, 5];
const part = (start: number, count: number) => ({ samples: { start, count }, microBatch: count });
const whole = (microBatch: number) => ({ samples: { start: 0, count: SAMPLES }, microBatch });

export const EXAMPLES: readonly [Example, Example] = [
  {
    label: say.aSmallModel,
    sentence: say.eachOfTheThreeDevices,
    caption: say.aSmallModelFitsEverybody,
    room: {
      phase: 'gathering',
      host: 'laptop',
      settings: settings(6, 128, 8192),
      devices: [
        device('phone', say.phone, { slower: 1.8, limitBytes: 1.5e9, linkBitsPerSecond: 1e8 }, SMALL),
        device('tablet', say.tablet, { slower: 1.4, limitBytes: 1.5e9, linkBitsPerSecond: 1e8 }, SMALL),
        device('laptop', say.laptop, { slower: 1, limitBytes: 1.5e9, linkBitsPerSecond: NO_LINK }, SMALL),
      ],
      plan: plan({
        policy: 'data-parallel',
        latencySeconds: 0.1458,
        lowerBoundSeconds: 0.1455,
        limitedBy: 'laptop',
        assignments: [
          {
            ...work,
            ...part(0, 9),
            device: 'tablet',
            layers: ALL_SIX,
            head: true,
            computeSeconds: 0.119,
            uploadSeconds: 0.027,
          },
          {
            ...work,
            ...part(9, 7),
            device: 'phone',
            layers: ALL_SIX,
            head: true,
            computeSeconds: 0.118,
            uploadSeconds: 0.027,
          },
          {
            ...work,
            ...part(16, 16),
            device: 'laptop',
            layers: ALL_SIX,
            head: true,
            computeSeconds: 0.146,
            uploadSeconds: 0,
          },
        ],
      }),
    },
  },
  {
    label: say.aLargerOneSlowLinks,
    sentence: say.thePhoneTrainsTheHead,
    caption: say.aLargerModelLinks,
    room: {
      phase: 'gathering',
      host: 'phone',
      settings: settings(12, 768, 50_265),
      devices: [
        device('phone', say.phone, { slower: 3, limitBytes: 0.41e9, linkBitsPerSecond: NO_LINK }, LARGE),
        device('tablet', say.tablet, { slower: 1.4, limitBytes: 0.85e9, linkBitsPerSecond: 5e6 }, LARGE),
        device('laptop', say.laptop, { slower: 1, limitBytes: 1.5e9, linkBitsPerSecond: 5e6 }, LARGE),
      ],
      plan: plan({
        policy: 'exact',
        latencySeconds: 6.08,
        lowerBoundSeconds: 5.41,
        limitedBy: 'laptop',
        assignments: [
          {
            ...work,
            ...whole(1),
            device: 'phone',
            layers: [10, 11],
            head: true,
            computeSeconds: 1.41,
            uploadSeconds: 4.68,
          },
          {
            ...work,
            ...whole(2),
            device: 'tablet',
            layers: [4, 5, 6, 7, 8, 9],
            head: false,
            computeSeconds: 4.06,
            uploadSeconds: 2.02,
          },
          {
            ...work,
            ...whole(3),
            device: 'laptop',
            layers: [0, 1, 2, 3],
            head: false,
            computeSeconds: 4.9,
            uploadSeconds: 1.18,
          },
        ],
      }),
    },
  },
];
