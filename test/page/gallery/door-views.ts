import type { Waiting } from '../../../signaling/protocol/door.ts';
import type { NoticeKind, SessionView } from '../../../web/session/view/view.ts';
import { device, plan, room, view, withStatus } from './scenarios.ts';

/** Before training: who is in, and who stands at the door, from both sides of it. */

export const download = { bytes: 148e6, totalBytes: 501e6, bytesPerSecond: 6.4e6, secondsLeft: 55 };

export const news = (id: number, sentence: string, elapsedSeconds: number, kind: NoticeKind = 'news') => ({
  id,
  kind,
  sentence,
  elapsedSeconds,
});

const gathering = { phase: 'gathering' as const };
const outside = { role: 'device' as const, self: device(1).id, status: { kind: 'joining' as const } };

export const lobby = (): Partial<SessionView> => ({
  room: room({
    ...gathering,
    devices: [
      device(0),
      device(1),
      withStatus(2, { kind: 'profiling' }),
      withStatus(3, { kind: 'loading', done: 3.2, total: 4.6, transfer: download }),
      withStatus(4, { kind: 'watching' }),
    ],
    plan: plan(6, [
      { place: 0, layers: [0, 1, 2] },
      { place: 1, layers: [3, 4, 5], head: true },
    ]),
  }),
  notices: [news(1, 'Pixel 8 joined.', 14), news(2, 'Pixel 8 is ready.', 22)],
});

const waits = (place: number, change: Partial<Waiting> = {}): Waiting => {
  const { id, name, kind } = device(place);
  return { id, name, kind, watch: false, withPass: true, likeRemoved: false, ...change };
};
export const WAITING = [
  waits(5),
  waits(6, { withPass: false }),
  waits(7, { kind: 'headless' }),
  waits(8, { withPass: false, watch: true, likeRemoved: true }),
];

/** Two came without the link: one has been compared, the other has not. */
const PROOFS: SessionView['proofs'] = {
  [device(1).id]: { proof: 'not proven', digits: '402917' },
  [device(2).id]: { proof: 'compared', digits: null },
  [device(3).id]: { proof: 'secret', digits: null },
};

export const DOOR_VIEWS: Readonly<Record<string, SessionView>> = {
  'lobby-digits': view({ ...lobby(), proofs: PROOFS }),
  'lobby-device-digits': view({
    ...lobby(),
    ...outside,
    status: { kind: 'ready' },
    proofs: { [device(1).id]: { proof: 'not proven', digits: '402917' } },
  }),
  'lobby-waiting': view({ ...lobby(), waiting: WAITING }),
  'lobby-ask': view({ ...lobby(), door: 'ask', cap: 12, waiting: WAITING.slice(0, 1) }),
  'lobby-locked': view({ ...lobby(), door: 'locked' }),
  waiting: view({
    ...outside,
    atDoor: 'The host has to let you in. It sees that you wait.',
  }),
  'waiting-host-away': view({
    ...outside,
    atDoor: 'The host is away just now; it sees that you wait when it comes back.',
  }),
  'ended-not-let-in': view({ ...outside, ended: 'The host did not let this device in.' }),
};
