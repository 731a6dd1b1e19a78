import type { SessionView } from '../../../web/session/view/view.ts';
import { ownData } from './data-report.ts';
import { device, plan, room, rounds, type Share, scores, settingsOf, view } from './scenarios.ts';

/** Who goes on when the host is gone, and what is said of it. */

const SHARES: readonly Share[] = [
  { place: 0, layers: [2, 3] },
  { place: 1, layers: [4, 5], head: true },
  { place: 2, layers: [0, 1] },
];
const three = plan(6, SHARES);
const devices = [device(0), device(1), device(2), device(3)];
const proven = { proof: 'secret', digits: null } as const;
const base = settingsOf('sst2');
const settings = { ...base, task: { ...base.task, id: 'own', title: 'reviews.csv' } };
const privately = room({ devices, plan: three, settings });
const hostless = devices.map((one, place) => (place === 0 ? { ...one, online: false, linked: false } : one));

const host = (change: Partial<SessionView>): SessionView =>
  view({
    room: room({ devices, plan: three }),
    rounds: rounds(34, three),
    scores: scores(34, 20),
    proofs: { [device(1).id]: proven, [device(2).id]: proven, [device(3).id]: proven },
    ...change,
  });
const joined = (change: Partial<SessionView>): SessionView =>
  view({ role: 'device', self: device(1).id, rounds: rounds(34, three), scores: scores(34, 20), ...change });

export const FOLLOWING_VIEWS: Readonly<Record<string, SessionView>> = {
  'host-followed': host({ heirs: [device(1).id, device(2).id] }),
  'host-own-table': host({
    room: privately,
    data: ownData,
    kept: { round: 30, atMs: 1_760_000_000_000 },
    heirs: [device(1).id],
    tables: { [device(1).id]: 'held', [device(2).id]: 'coming' },
  }),
  'device-follows': joined({ room: room({ devices: hostless, plan: three }), follows: true }),
  'device-host-away-private': joined({ room: { ...privately, devices: hostless } }),
  'host-now': host({
    followed: true,
    notices: [
      { id: 1, kind: 'news', sentence: 'The host went away; this device leads the session now.', elapsedSeconds: 1 },
    ],
  }),
};
