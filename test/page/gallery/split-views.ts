import type { RoomAssignment, RoomPlan } from '../../../signaling/protocol/plan.ts';
import type { DeviceView, RoomView } from '../../../signaling/protocol/room-view.ts';
import type { SessionView } from '../../../web/session/view/view.ts';
import { device, room, rounds, SAMPLES, scores, view } from './scenarios.ts';

/** Rooms whose model is split over their devices. */

interface Piece {
  readonly place: number;
  readonly from: number;
  readonly to: number;
  readonly megabytes: number;
  readonly seconds: number;
  readonly pipeline?: number;
  readonly samples?: { readonly start: number; readonly count: number };
}

export function splitPlan(layers: number, lowestLayer: number, pieces: readonly Piece[]): RoomPlan {
  const indices = new Map<number, number>();
  const assignments = pieces.map(({ place, from, to, megabytes, seconds, pipeline = 0, samples }): RoomAssignment => {
    const index = indices.get(pipeline) ?? 0;
    indices.set(pipeline, index + 1);
    const trained = Array.from({ length: layers }, (_, layer) => layer).filter(
      (layer) => layer >= lowestLayer && layer + 1 >= from && layer + 1 < to,
    );
    const head = to === layers + 2;
    const trains = head || trained.length > 0;
    return {
      device: device(place).id,
      layers: trained,
      head,
      samples: samples ?? { start: 0, count: SAMPLES },
      microBatch: 4,
      memoryBytes: megabytes * 1e6,
      share: 1,
      uploadBits: 131_072 * trained.length,
      computeSeconds: seconds,
      uploadSeconds: trains ? 0.1 : 0,
      stage: { pipeline, index, from, to, window: trains ? pieces.length - index : 0, microBatches: 8 },
    };
  });
  const slowest = assignments.toSorted((a, b) => b.computeSeconds - a.computeSeconds)[0]!;
  return {
    version: 3,
    policy: 'split',
    solver: 'pipelines, local search',
    solveMs: 41,
    latencySeconds: 2.1,
    lowerBoundSeconds: 1.7,
    limitedBy: slowest.device,
    explanation: 'Old ThinkPad limits the round: its layers take longest.',
    assignments,
  };
}

const holding = (place: number, from: number, to: number, change: Partial<DeviceView> = {}): DeviceView => {
  const made = device(place, { holds: { from, to }, ...change });
  return {
    ...made,
    profile: made.profile && {
      ...made.profile,
      memory: { ...made.profile.memory, limitBytes: 300e6, weightsBytes: 480e6 },
    },
  };
};

const three = splitPlan(6, 3, [
  { place: 1, from: 0, to: 3, megabytes: 212, seconds: 1.2 },
  { place: 2, from: 3, to: 6, megabytes: 188, seconds: 1.8 },
  { place: 0, from: 6, to: 8, megabytes: 97, seconds: 0.9 },
]);
const devices = [holding(0, 6, 8), holding(1, 0, 3), holding(2, 3, 6)];

const split = (change: Partial<SessionView>, of: Partial<RoomView> = {}): SessionView =>
  view({
    room: room({ devices, plan: three, ...of }),
    rounds: rounds(34, three),
    scores: scores(34, 20),
    activity: null,
    ...change,
  });

const base = splitPlan(
  24,
  18,
  [5, 6, 4, 5, 4, 2].map((units, i, all) => {
    const from = all.slice(0, i).reduce((a, b) => a + b, 0);
    return { place: i, from, to: from + units, megabytes: 240 + 8 * i, seconds: 0.8 + 0.2 * i };
  }),
);

export const SPLIT_VIEWS: Readonly<Record<string, SessionView>> = {
  'split-training': split({}),
  'split-device': split({ role: 'device', self: device(1).id }),
  'split-fetching': split(
    { rounds: [], scores: [] },
    {
      phase: 'gathering',
      devices: [
        holding(0, 6, 8),
        holding(1, 0, 3, {
          holds: null,
          status: {
            kind: 'loading',
            done: 9,
            total: 20,
            transfer: { bytes: 90e6, totalBytes: 200e6, bytesPerSecond: 6.4e6, secondsLeft: 17 },
          },
        }),
        holding(2, 3, 6, { holds: null, status: { kind: 'measured' } }),
      ],
    },
  ),
  'split-spares': split({}, { devices: [...devices, holding(3, 0, 3), device(4, { holds: null })] }),
  'split-late': split({}, { devices: [...devices.slice(0, 2), holding(2, 3, 6, { online: false, linked: false })] }),
  'split-teams': split(
    {},
    {
      devices: [...devices, holding(3, 0, 5), holding(4, 5, 8)],
      plan: splitPlan(6, 0, [
        { place: 1, from: 0, to: 3, megabytes: 212, seconds: 1.2, samples: { start: 0, count: 16 } },
        { place: 2, from: 3, to: 6, megabytes: 188, seconds: 1.8, samples: { start: 0, count: 16 } },
        { place: 0, from: 6, to: 8, megabytes: 97, seconds: 0.9, samples: { start: 0, count: 16 } },
        { place: 3, from: 0, to: 5, megabytes: 280, seconds: 1.6, pipeline: 1, samples: { start: 16, count: 16 } },
        { place: 4, from: 5, to: 8, megabytes: 180, seconds: 1.1, pipeline: 1, samples: { start: 16, count: 16 } },
      ]),
    },
  ),
  'split-24x6': view({
    room: room({ devices: base.assignments.map(({ stage }, i) => holding(i, stage!.from, stage!.to)), plan: base }, 24),
    rounds: rounds(34, base),
    activity: null,
  }),
};
