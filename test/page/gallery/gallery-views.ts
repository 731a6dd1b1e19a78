import type { ScoreReport } from '../../../signaling/protocol/room-view.ts';
import { WITHOUT_KEY } from '../../../web/session/view/resumed-words.ts';
import type { SessionView } from '../../../web/session/view/view.ts';
import { bestScore } from '../../../web/session/view/view-state.ts';
import { TASKS } from '../../../worker/data/tasks.ts';
import { crowd } from './crowd.ts';
import { ownData, TOKENIZER } from './data-report.ts';
import { DEVICE_VIEWS } from './device-views.ts';
import { DOOR_VIEWS, download, lobby, news, WAITING } from './door-views.ts';
import { FOLLOWING_VIEWS } from './following-views.ts';
import { LONG_VIEWS } from './long-views.ts';
import { device, plan, room, rounds, type Share, scores, settingsOf, view, withStatus } from './scenarios.ts';
import { SPLIT_VIEWS } from './split-views.ts';

const THREE: readonly Share[] = [
  { place: 0, layers: [2, 3], head: false },
  { place: 1, layers: [4, 5], head: true },
  { place: 2, layers: [0, 1], head: false },
];
const three = plan(6, THREE);
const devices3 = [device(0), device(1), device(2)];
const gathering = { phase: 'gathering' as const };
const deviceRole = { role: 'device' as const, self: device(1).id, kept: null, data: null, pairs: null };

const arriving = (of: readonly [place: number, received: number, expected: number][], round = 35) => ({
  round,
  devices: of.map(([place, received, expected]) => ({ device: device(place).id, received, expected })),
});

const training = (): Partial<SessionView> => ({
  room: room({ devices: devices3, plan: three }),
  rounds: rounds(34, three),
  scores: scores(34, 20),
  best: { round: 20, by: 'accuracy', value: 0.665 },
  kept: { round: 30, atMs: 1_760_000_000_000 },
  pairs: false,
  data: { tables: [], cutTexts: { cut: 0, counted: 500, total: 500, maxTokens: 64 }, tokenizer: TOKENIZER },
  activity: arriving([
    [0, 1, 2],
    [1, 3, 3],
    [2, 0, 2],
  ]),
});

const TEAMS: readonly Share[] = [
  { place: 0, layers: [0, 1, 2, 3, 4, 5], head: true, samples: { start: 0, count: 12 } },
  { place: 1, layers: [4, 5], head: true, samples: { start: 12, count: 20 } },
  { place: 2, layers: [2, 3], samples: { start: 12, count: 20 } },
  { place: 3, layers: [0, 1], samples: { start: 12, count: 20 } },
];
const teams = plan(6, TEAMS, { policy: 'teams', solver: 'teams, local search', limitedBy: device(3).id });

const parallel = plan(
  6,
  [0, 1, 2, 3].map((place) => ({
    place,
    layers: [0, 1, 2, 3, 4, 5],
    head: true,
    samples: { start: 8 * place, count: place === 1 ? 4 : place === 2 ? 12 : 8 },
  })),
  { policy: 'data-parallel', solver: 'balanced split', limitedBy: device(2).id },
);

const all64 = Array.from({ length: 64 }, (_, place) => device(place));
const large = plan(
  24,
  Array.from(
    { length: 25 },
    (_, depth): Share => ({
      place: (depth * 37) % 64,
      layers: depth === 0 ? [] : [24 - depth],
      head: depth === 0,
    }),
  ),
);
const twelve = plan(
  12,
  [5, 2, 7, 0, 3, 1, 6, 4].map(
    (place, i): Share => ({
      place,
      layers: i < 4 ? [11 - i] : [15 - 2 * i, 14 - 2 * i].filter((l) => l >= 0).reverse(),
      head: i === 0,
    }),
  ),
);

const finishedRoom = room({ devices: devices3, plan: three, phase: 'finished' });
const FURTHER: Readonly<Record<string, NonNullable<ScoreReport['further']>>> = {
  mrpc: [{ metric: 'accuracy', devSet: null, value: 0.8211 }],
  qqp: [{ metric: 'accuracy', devSet: null, value: 0.8642 }],
  stsb: [{ metric: 'spearman', devSet: null, value: 0.5312 }],
  mnli: [{ metric: 'accuracy', devSet: 'mismatched', value: 0.8641 }],
  'mnli-mismatched': [{ metric: 'accuracy', devSet: 'matched', value: 0.8702 }],
};

const withFurther = (of: readonly ScoreReport[], further: ScoreReport['further']): ScoreReport[] =>
  of.map((report, i) => (i === of.length - 1 && further !== undefined ? { ...report, further } : report));

/** A finished session of each task: its metric, its class names, one text or two. */
const finishedTasks = Object.fromEntries(
  TASKS.map(({ id, metric, source }): [string, SessionView] => [
    `finished-${id}`,
    view({
      room: { ...finishedRoom, settings: settingsOf(id) },
      rounds: rounds(120, three),
      scores: withFurther(scores(120, 20, metric), FURTHER[id]),
      best: bestScore(scores(120, 20, metric), null),
      pairs: source.kind === 'glue' && source.pairColumn !== null,
    }),
  ]),
);

/** Every state of a session that the page can show, by name. */
export const VIEWS: Readonly<Record<string, SessionView>> = {
  opening: view({
    server: 'connecting',
    status: { kind: 'joining' },
    opening: { stage: 'data', done: 2.1e6, total: 4.6e6 },
  }),
  connecting: view({ ...deviceRole, server: 'connecting', status: { kind: 'joining' } }),
  'lobby-empty': view({
    status: { kind: 'loading', done: 3, total: 10 },
    room: room({ ...gathering, devices: [withStatus(0, { kind: 'loading', done: 3, total: 10 })] }),
  }),
  lobby: view(lobby()),
  ...LONG_VIEWS,
  ...DOOR_VIEWS,
  'lobby-device-loading': view({
    ...deviceRole,
    status: { kind: 'loading', done: 3.2, total: 10, transfer: download },
    room: room({
      ...gathering,
      devices: [device(0), withStatus(1, { kind: 'loading', done: 3.2, total: 10, transfer: download })],
    }),
  }),
  'lobby-device': view({
    ...deviceRole,
    status: { kind: 'profiling' },
    room: room({ ...gathering, devices: [device(0), withStatus(1, { kind: 'profiling' })] }),
  }),
  'lobby-infeasible': view({
    room: room(
      {
        ...gathering,
        devices: [device(0), device(1)],
        planNote:
          'No device has the memory for depth 9 and deeper. Let a device with more memory join, or lower the samples a round.',
      },
      12,
    ),
  }),
  'training-host': view(training()),
  'training-waiting': view({ ...training(), waiting: WAITING }),
  'training-own': view({ ...training(), data: ownData }),
  'training-device': view({ ...training(), ...deviceRole }),
  ...DEVICE_VIEWS,
  ...FOLLOWING_VIEWS,
  ...SPLIT_VIEWS,
  'training-watcher': view({
    ...training(),
    role: 'watcher',
    self: device(5).id,
    status: { kind: 'watching' },
    room: room({ devices: [...devices3, withStatus(5, { kind: 'watching' })], plan: three }),
  }),
  'training-first': view({
    room: room({ devices: devices3, plan: three }),
    activity: arriving(
      [
        [0, 0, 2],
        [1, 1, 3],
        [2, 0, 2],
      ],
      1,
    ),
    scores: scores(0, 20),
  }),
  'training-evaluating': view({ ...training(), activity: null, evaluation: { done: 320, total: 500 } }),
  'training-trouble': view({
    ...training(),
    room: room({
      devices: [
        device(0),
        device(1, { hidden: true }),
        device(2, { online: false, linked: false }),
        withStatus(3, { kind: 'failed', sentence: 'The GPU was lost: probably out of memory.' }),
        device(4),
        withStatus(5, { kind: 'profiling' }),
      ],
      plan: three,
    }),
    notices: [
      news(1, 'Merino Bobbin joined.', 40),
      news(2, 'Old ThinkPad went away in round 34; its work was given to Linen Shuttle.', 71, 'problem'),
    ],
  }),
  'training-moved': view({
    ...training(),
    notices: [
      news(1, 'Merino Bobbin joined.', 40),
      news(2, 'Old ThinkPad went away; Linen Shuttle takes over its part of round 34.', 71, 'moved'),
    ],
  }),
  'training-probation': view({
    ...training(),
    room: room({
      devices: [...devices3, device(3, { probation: { why: 'late', since: 30, next: 38 } })],
      plan: three,
    }),
  }),
  'training-reconnecting': view({ ...training(), ...deviceRole, server: 'reconnecting' }),
  'training-failed-self': view({
    ...training(),
    ...deviceRole,
    status: { kind: 'failed', sentence: 'The self-test gave a wrong gradient twice.' },
    room: room({
      devices: [
        device(0),
        withStatus(1, { kind: 'failed', sentence: 'The self-test gave a wrong gradient twice.' }),
        device(2),
      ],
      plan: three,
    }),
  }),
  'training-no-link': view({
    ...training(),
    ...deviceRole,
    room: room({
      devices: [device(0), device(1, { linked: false }), device(2)],
      plan: plan(6, [
        { place: 0, layers: [3, 4, 5], head: true },
        { place: 2, layers: [0, 1, 2] },
      ]),
    }),
  }),
  'training-teams': view({
    ...training(),
    room: room({ devices: [device(0), device(1), device(2), device(3), device(4)], plan: teams }),
    rounds: rounds(34, teams),
    activity: arriving([
      [0, 4, 7],
      [1, 3, 3],
      [2, 1, 2],
      [3, 0, 2],
    ]),
  }),
  'training-parallel': view({
    ...training(),
    room: room({ devices: [device(0), device(1), device(2), device(3)], plan: parallel }),
    rounds: rounds(34, parallel),
    activity: null,
  }),
  'training-compared': view({
    ...training(),
    room: room({
      devices: [device(0), device(1), device(2), device(3)],
      plan: {
        ...parallel,
        alternatives: [
          { policy: 'data-parallel', seconds: parallel.latencySeconds },
          { policy: 'teams', seconds: 1.07 * parallel.latencySeconds },
          { policy: 'crunch', seconds: 1.9 * parallel.latencySeconds },
          { policy: 'single', seconds: 3.1 * parallel.latencySeconds },
          { policy: 'split', reason: 'Linen Shuttle did not say what single layers cost.' },
        ],
      },
    }),
    rounds: rounds(34, parallel),
    activity: null,
  }),
  'training-single': view({
    ...training(),
    room: room({
      devices: [device(0)],
      plan: plan(6, [{ place: 0, layers: [0, 1, 2, 3, 4, 5], head: true }], { policy: 'single' }),
    }),
    activity: null,
  }),
  'training-8x12': view({
    ...training(),
    room: room({ devices: all64.slice(0, 8), plan: twelve }, 12),
    rounds: rounds(34, twelve),
    activity: arriving([
      [0, 1, 1],
      [1, 1, 2],
      [2, 1, 1],
      [3, 0, 2],
      [5, 2, 2],
      [7, 1, 1],
    ]),
  }),
  'training-50': crowd(50, 110),
  'training-64x24': view({
    ...training(),
    room: room({ devices: all64, plan: large }, 24),
    rounds: rounds(34, large),
    activity: null,
  }),
  resumed: view({
    ...training(),
    room: room({
      phase: 'paused',
      devices: [withStatus(0, { kind: 'loading', done: 3.2, total: 10, transfer: download })],
      planNote: 'No device is ready yet.',
    }),
    status: { kind: 'loading', done: 3.2, total: 10, transfer: download },
    kept: { round: 34, atMs: 1_760_000_000_000 },
    activity: null,
  }),
  'resumed-without-key': view({
    ...training(),
    room: room({ devices: [device(0)], plan: null, phase: 'paused' }),
    notices: [news(1, WITHOUT_KEY, 2)],
    activity: null,
  }),
  paused: view({ ...training(), room: room({ devices: devices3, plan: three, phase: 'paused' }), activity: null }),
  finished: view({
    room: finishedRoom,
    rounds: rounds(120, three),
    scores: scores(120, 20),
    best: { round: 100, by: 'accuracy', value: 0.8912 },
    kept: { round: 120, atMs: 1_760_000_000_000 },
    pairs: false,
  }),
  ...finishedTasks,
  'finished-evaluating': view({
    room: finishedRoom,
    rounds: rounds(120, three),
    scores: scores(100, 20),
    evaluation: { done: 160, total: 500 },
  }),
  'finished-device': view({ ...deviceRole, room: finishedRoom, rounds: rounds(120, three), scores: scores(120, 20) }),
  'ended-not-found': view({
    ...deviceRole,
    ended: 'There is no session with the code abc234. Check the code, or ask the host for a new link.',
  }),
  'ended-removed': view({
    ...training(),
    ...deviceRole,
    server: 'closed',
    activity: null,
    ended: 'The host took this device out of the session.',
  }),
  'ended-host-left': view({
    ...training(),
    ...deviceRole,
    server: 'closed',
    activity: null,
    ended: 'The host ended the session.',
  }),
};
