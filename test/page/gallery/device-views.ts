import type { SessionView } from '../../../web/session/view/view.ts';
import { youLeftTheSession } from '../../../web/words/session/session.ts';
import { device, plan, room, rounds, type Share, scores, view, withStatus } from './scenarios.ts';

/** What a joined device shows of itself. */

const SHARES: readonly Share[] = [
  { place: 0, layers: [2, 3] },
  { place: 1, layers: [4, 5], head: true },
  { place: 2, layers: [0, 1] },
];
const three = plan(6, SHARES);
const self = device(1).id;
const devices = [device(0), device(1), device(2)];
/** Rounds slow enough to be followed. */
const slow = (count: number) => rounds(count, three).map((report) => ({ ...report, elapsedSeconds: 1.6 }));

const mine = (change: Partial<SessionView>): SessionView =>
  view({
    role: 'device',
    self,
    room: room({ devices, plan: three }),
    rounds: slow(34),
    scores: scores(34, 20),
    activity: { round: 35, devices: [{ device: self, received: 2, expected: 3 }] },
    proofs: { [self]: { proof: 'secret', digits: null } },
    links: {
      [self]: { way: 'direct', roundTripMs: 4, sentBitsPerSecond: 2e5, receivedBitsPerSecond: 6e5, movedBytes: 5e6 },
    },
    ...change,
  });

export const DEVICE_VIEWS: Readonly<Record<string, SessionView>> = {
  'device-training': mine({}),
  'device-done': mine({ activity: { round: 35, devices: [{ device: self, received: 3, expected: 3 }] } }),
  'device-ready': mine({
    room: room({ devices, plan: three, phase: 'gathering' }),
    rounds: [],
    scores: [],
    activity: null,
  }),
  'device-paused': mine({
    status: { kind: 'paused' },
    room: room({
      devices: [device(0), withStatus(1, { kind: 'paused' }), device(2)],
      plan: plan(6, [
        { place: 0, layers: [3, 4, 5], head: true },
        { place: 2, layers: [0, 1, 2] },
      ]),
    }),
  }),
  'device-hot': mine({
    rounds: slow(34).map((report, i) =>
      i < 28
        ? report
        : {
            ...report,
            devices: report.devices.map((one) => ({ ...one, computeSeconds: 1.9 * one.computeSeconds })),
          },
    ),
  }),
  'device-standing-by': mine({
    room: room({
      devices: [...devices, device(3)],
      plan: plan(6, [
        { place: 0, layers: [3, 4, 5], head: true },
        { place: 2, layers: [0, 1, 2] },
      ]),
    }),
    activity: null,
  }),
  'device-late': mine({
    activity: {
      round: 35,
      devices: [
        { device: device(0).id, received: 2, expected: 2 },
        { device: self, received: 3, expected: 3 },
        { device: device(2).id, received: 0, expected: 2 },
      ],
    },
    room: room({
      devices: [device(0), device(1), device(2, { hidden: true })],
      plan: { ...three, latencySeconds: 0.1 },
    }),
    rounds: rounds(34, three).map((report) => ({ ...report, elapsedSeconds: 0.6 })),
  }),
  'device-host-away': mine({
    room: room({ devices: [device(0, { online: false }), device(1, { linked: false }), device(2)], plan: three }),
    proofs: {},
    activity: null,
    linkTrouble: 'The connection was closed.',
  }),
  'device-left': mine({ activity: null, ended: youLeftTheSession }),
};
