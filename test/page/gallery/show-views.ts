import type { Step } from '../../../web/page/show/tour.ts';
import type { SessionView } from '../../../web/session/view/view.ts';
import type { Actor } from '../../../web/tab/show/demonstration.ts';
import { device, plan, room, rounds, type Share, scores, view } from './scenarios.ts';
import { SPLIT_VIEWS } from './split-views.ts';

/** Stations of the demonstration, as they look when what is waited for has come. */
export interface ShownAt {
  readonly step: Step;
  readonly view: SessionView;
  readonly actors: readonly Actor[];
}

const NAMES = ['Laptop', 'Old laptop', 'Tablet', 'Phone'];
const devices = NAMES.map((name, place) => ({ ...device(place), name }));
const ALL = [0, 1, 2, 3, 4, 5];

const actor = (place: number, change: Partial<Actor> = {}): Actor => ({
  ...{ place, name: NAMES[place]!, device: device(place).id, isHost: place === 0 },
  made: {
    slowdown: [1, 1.5, 2, 3][place]!,
    memoryLimitBytes: 1e9,
    uplinkBitsPerSecond: [Number.POSITIVE_INFINITY, 5e7, 2e7, 1e7][place]!,
  },
  ...{ plugged: true, locked: false, lies: false, caught: false },
  ...change,
});
const four = NAMES.map((_, place) => actor(place));
const withoutPhone = four.map((one) => (one.place === 3 ? { ...one, plugged: false } : one));
const small = withoutPhone.map((one) => ({ ...one, made: { ...one.made, memoryLimitBytes: 9.5e6 } }));

const share = (place: number, start: number, count: number, layers = ALL): Share => ({
  ...{ place, layers, head: layers.includes(5), samples: { start, count } },
});
const parallel = plan(6, [share(0, 0, 12), share(1, 12, 9), share(2, 21, 6), share(3, 27, 5)], {
  policy: 'data-parallel',
  alternatives: [
    { policy: 'data-parallel', seconds: 0.81 },
    { policy: 'crunch', seconds: 1.2 },
    { policy: 'single', seconds: 2 },
  ],
});
const three = plan(6, [share(0, 0, 14), share(1, 14, 10), share(2, 24, 8)], { policy: 'data-parallel' });
const byDepth = plan(
  6,
  [share(0, 0, 32, [4]), share(1, 0, 32, [0, 1, 2, 3]), { ...share(2, 0, 32, [5]), head: true }],
  { policy: 'crunch' },
);
const training = (of: typeof parallel, count: number, among = devices): SessionView =>
  view({
    room: room({ devices: among, plan: of, phase: 'training' }),
    rounds: rounds(count, of),
    scores: scores(count, 10),
    activity: null,
  });

export const SHOW_VIEWS: Readonly<Record<string, ShownAt>> = {
  'show-measure': {
    step: 'measure',
    view: view({
      room: room({
        devices: devices.map((one, place) =>
          place === 0 ? one : { ...one, status: { kind: 'profiling' as const }, profile: null },
        ),
        plan: null,
        phase: 'gathering',
      }),
      rounds: [],
      scores: [],
    }),
    actors: four,
  },
  'show-plan': {
    step: 'plan',
    view: view({ room: room({ devices, plan: parallel, phase: 'gathering' }), rounds: [], scores: [] }),
    actors: four,
  },
  'show-round': { step: 'round', view: training(parallel, 12), actors: four },
  'show-left': { step: 'leave', view: training(three, 15, devices.slice(0, 3)), actors: withoutPhone },
  'show-depth': { step: 'depth', view: training(byDepth, 24, devices.slice(0, 3)), actors: withoutPhone },
  'show-split': { step: 'split', view: SPLIT_VIEWS['split-training']!, actors: small },
  'show-answer': { step: 'answer', view: SPLIT_VIEWS['split-training']!, actors: small },
};
