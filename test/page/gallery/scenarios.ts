import type { RoomAssignment, RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { Profile } from '../../../signaling/protocol/profile.ts';
import type {
  DeviceStatus,
  DeviceView,
  RoomView,
  RoundReport,
  ScoreReport,
} from '../../../signaling/protocol/room-view.ts';
import { PLAIN_TRAINING, type Policy, type SessionSettings } from '../../../signaling/protocol/settings.ts';
import { SETTINGS_VERSION } from '../../../signaling/protocol/version.ts';
import type { SessionView } from '../../../web/session/view/view.ts';
import { findTask } from '../../../worker/data/tasks.ts';

/** Session views for looking at the page without a network: everything from a seed, nothing from a clock. */

export const SAMPLES = 32;

export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  // mulberry32
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NAMES = [
  'Linen Shuttle',
  'Pixel 8',
  'Old ThinkPad',
  'Merino Bobbin',
  'Studio',
  'Hempen Heddle',
  'iPad',
  'Cotton Reed',
];

export function settings(layers: number, policy: Policy, rounds: number): SessionSettings {
  return {
    version: SETTINGS_VERSION,
    model: { kind: 'embedded', id: 'roberta-mini' },
    weights: 'f32',
    shape: {
      layers,
      hiddenSize: 128,
      heads: 4,
      ffnSize: 512,
      vocabSize: 8192,
      maxPositions: 130,
      layerNormEps: 1e-5,
      padTokenId: 1,
    },
    task: {
      id: 'sentiment',
      title: 'Sentiment',
      kind: 'classification',
      labelCount: 2,
      classNames: ['negative', 'positive'],
      metric: 'accuracy',
      trainExamples: 4000,
      roundTokens: 32,
      devExamples: 500,
    },
    lora: { rank: 8, alpha: 16, targets: ['query', 'value'] },
    training: {
      ...PLAIN_TRAINING,
      rounds,
      samplesPerRound: SAMPLES,
      maxTokens: 64,
      learningRate: 1e-3,
      weightDecay: 0.01,
      warmupFraction: 0.06,
      dropout: 0,
      evaluateEvery: 20,
      seed: 1,
    },
    policy,
  };
}

function profile(random: () => number, host: boolean): Profile {
  const speed = 0.4 + 2 * random();
  const threads = random() < 0.5 ? 4 : 1;
  return {
    engine: 'onnx',
    backend: `WASM, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    overheadSeconds: 0.01,
    secondsPerSample: { embed: 2e-4, forwardPerLayer: 1.5e-3 * speed, backwardPerLayer: 3e-3 * speed, head: 1e-4 },
    flopsPerSecond: 1.5e10 / speed,
    memoryBytesPerSecond: 8e9 / speed,
    memory: {
      limitBytes: 1e9,
      weightsBytes: 1e7,
      transientPerSample: 1e6,
      savedPerSamplePerLayer: 4e5,
      gradientBytesPerLayer: 4e5,
    },
    linkBitsPerSecond: host ? 1e12 : 5e6 + 6e7 * random(),
  };
}

export function device(place: number, change: Partial<DeviceView> = {}, seed = 7): DeviceView {
  const random = seeded(seed * 1000 + place);
  return {
    id: `device${String(place).padStart(3, '0')}`,
    name: NAMES[place] ?? `${NAMES[place % NAMES.length]} ${1 + Math.floor(place / NAMES.length)}`,
    kind: 'tab',
    status: { kind: 'ready' },
    hidden: false,
    linked: true,
    online: true,
    peerId: null,
    profile: profile(random, place === 0),
    ...change,
  };
}

export interface Share {
  /** Place of the device in the room. */
  readonly place: number;
  readonly layers: readonly number[];
  readonly head?: boolean;
  readonly samples?: { readonly start: number; readonly count: number };
}

function assignment(
  { place, layers, head = false, samples = { start: 0, count: SAMPLES } }: Share,
  all: number,
): RoomAssignment {
  const { secondsPerSample: s, overheadSeconds } = device(place).profile!;
  const depth = layers.length === 0 ? 0 : all - Math.min(...layers);
  const compute =
    overheadSeconds + samples.count * (s.embed + all * s.forwardPerLayer + depth * s.backwardPerLayer + s.head);
  return {
    device: device(place).id,
    layers: [...layers],
    head,
    samples,
    microBatch: 8,
    memoryBytes: 5e7,
    share: 0.3,
    uploadBits: 131_072 * layers.length,
    computeSeconds: compute,
    uploadSeconds: place === 0 ? 0 : 0.04 + 0.03 * layers.length,
  };
}

export function plan(layers: number, shares: readonly Share[], change: Partial<RoomPlan> = {}): RoomPlan {
  const assignments = shares.map((share) => assignment(share, layers));
  const seconds = (one: RoomAssignment) => one.computeSeconds + one.uploadSeconds;
  const slowest = assignments.toSorted((a, b) => seconds(b) - seconds(a))[0]!;
  const place = Number(slowest.device.slice('device'.length));
  return {
    version: 3,
    policy: 'crunch',
    solver: 'crunch cutting',
    solveMs: 0.34,
    latencySeconds: seconds(slowest),
    lowerBoundSeconds: 0.93 * seconds(slowest),
    limitedBy: slowest.device,
    explanation: `${device(place).name} limits the round: most of its time is the backward pass. One more device as fast as it would shorten the round by about a third.`,
    assignments,
    ...change,
  };
}

/** A falling loss with the noise of small batches, under plan version 3. */
export function rounds(count: number, current: RoomPlan, seed = 11): RoundReport[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, i) => {
    const devices = current.assignments.map((one) => ({
      device: one.device,
      samples: one.samples.count,
      deepestDepth: one.layers.length,
      computeSeconds: one.computeSeconds * (0.9 + 0.3 * random()),
      uploadSeconds: one.uploadSeconds * (0.9 + 0.4 * random()),
      uploadBits: one.uploadBits,
      startSeconds: 0.02,
      downSeconds: one.uploadSeconds === 0 ? 0 : 0.06,
    }));
    return {
      round: i + 1,
      planVersion: current.version,
      loss: 0.18 + 0.52 * Math.exp(-i / 30) + 0.08 * (random() - 0.5),
      learningRate: 1e-3,
      gradientNorm: 1.2,
      elapsedSeconds: Math.max(...devices.map((d) => 0.02 + d.downSeconds + d.computeSeconds + d.uploadSeconds)) + 0.03,
      stepSeconds: 0.03,
      devices,
      reassigned: 0,
    };
  });
}

export function scores(upTo: number, every: number, metric: ScoreReport['metric'] = 'accuracy'): ScoreReport[] {
  const count = Math.floor(upTo / every) + 1;
  return Array.from({ length: count }, (_, i) => ({
    round: i * every,
    metric,
    value:
      metric === 'accuracy' || metric === 'f1'
        ? 0.508 + 0.4 * (1 - Math.exp(-i / 2))
        : 0.62 * (1 - Math.exp(-i / 2)) - 0.04,
    loss: 0.69 * Math.exp(-i / 4),
    examples: 500,
    elapsedSeconds: 1.4,
  }));
}

/** The settings of a session on one of the tasks that the host's worker knows. */
export function settingsOf(taskId: string): SessionSettings {
  const base = settings(6, 'auto', 120);
  const { id, title, labelCount, classNames, metric } = findTask(taskId);
  return { ...base, task: { ...base.task, id, title, labelCount, classNames: [...classNames], metric } };
}

export function room(change: Partial<RoomView> & Pick<RoomView, 'devices'>, layers = 6): RoomView {
  return {
    id: 'abc234',
    settings: settings(layers, 'auto', 120),
    phase: 'training',
    host: device(0).id,
    plan: null,
    planNote: null,
    ...change,
  };
}

const SECRET = 'k3v9w0x7q2m5n8p4r6t1y0z3b8';
const HOST_DOOR = {
  invitation: { room: 'abc234', secret: SECRET, link: `http://192.168.1.20:8787/#room=abc234&secret=${SECRET}` },
  door: 'link',
  cap: 64,
} as const;
const NO_DOOR = { invitation: null, door: null, cap: null } as const;

export function view(change: Partial<SessionView>): SessionView {
  return {
    role: 'host',
    self: device(0).id,
    server: 'connected',
    opening: null,
    ...(change.role === undefined || change.role === 'host' ? HOST_DOOR : NO_DOOR),
    waiting: [],
    atDoor: null,
    proofs: {},
    beside: [],
    links: {},
    linkTrouble: null,
    room: null,
    status: { kind: 'ready' },
    rounds: [],
    scores: [],
    activity: null,
    passes: null,
    traffic: null,
    heirs: [],
    tables: {},
    follows: false,
    followed: false,
    evaluation: null,
    best: null,
    kept: null,
    data: null,
    pairs: null,
    notices: [],
    ended: null,
    ...change,
  };
}

export const withStatus = (place: number, status: DeviceStatus, change: Partial<DeviceView> = {}): DeviceView =>
  device(place, { status, ...(status.kind === 'ready' ? {} : { profile: null }), ...change });
