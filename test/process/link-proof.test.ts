import { afterAll, beforeAll, expect, it } from 'vitest';
import { headlessEnvironment } from '../../signaling/node/node-environment.ts';
import { newSecret } from '../../signaling/protocol/door/secret.ts';
import type { RunningServer } from '../../signaling/server/server.ts';
import { JoinSession } from '../../web/session/join-session.ts';
import type { InvitedTo, SessionView } from '../../web/session/view/view.ts';
import { HeadlessRoom, startTestServer } from './headless-room.ts';

/** Host and device over a real server and real WebRTC: how each knows the other. */
let server: RunningServer;
let room: HeadlessRoom;
let invitation: { room: string; secret: string };
beforeAll(async () => {
  server = await startTestServer();
  room = await HeadlessRoom.open(`http://127.0.0.1:${server.port}`, 'auto', {});
  const view = await room.until((v) => v.invitation !== null);
  if (view.invitation === null) throw new Error('There is no invitation.');
  invitation = view.invitation;
});
afterAll(async () => {
  await room.close();
  await server.close();
});

async function join(invited: InvitedTo): Promise<{ session: JoinSession; until: typeof until }> {
  const environment = await headlessEnvironment(`http://127.0.0.1:${server.port}`, { memoryLimitBytes: 1e9 });
  const session = new JoinSession(environment, invited, { name: 'phone', watch: false, slowdown: 1 });
  function until(holds: (view: SessionView) => boolean): Promise<SessionView> {
    return new Promise((resolve) => {
      const look = (view: SessionView): void => {
        if (!holds(view)) return;
        off();
        resolve(view);
      };
      const off = session.subscribe(look);
      look(session.view);
    });
  }
  return { session, until };
}

const proofOf = (view: SessionView, device: string) => view.proofs[device];

it('a device with the link is proven by the secret, on both sides', async () => {
  const { session, until } = await join(invitation);
  const { self } = session.view;
  const theirs = await until((view) => proofOf(view, self) !== undefined);
  const ours = await room.until((view) => proofOf(view, self) !== undefined);
  expect([theirs, ours].map((view) => proofOf(view, self))).toEqual(Array(2).fill({ proof: 'secret', digits: null }));
  session.leave();
  await room.until((view) => proofOf(view, self) === undefined);
});

it('a device with the code alone shows the host’s digits, and is known when they were compared', async () => {
  const { session, until } = await join({ ...invitation, secret: null });
  const { self } = session.view;
  await room.until((view) => view.waiting.some(({ id }) => id === self));
  room.session.entrance.admit(self);
  const theirs = proofOf(await until((view) => proofOf(view, self) !== undefined), self);
  const ours = proofOf(await room.until((view) => proofOf(view, self) !== undefined), self);
  expect(ours).toEqual(theirs);
  expect(ours).toEqual({ proof: 'not proven', digits: expect.stringMatching(/^\d{6}$/) });
  room.session.entrance.confirmDigits(self, true);
  await until((view) => proofOf(view, self)?.proof === 'compared');
  expect(proofOf(room.session.view, self)).toEqual({ proof: 'compared', digits: null });
  session.leave();
});

it('a device whose digits are others is taken out', async () => {
  const { session, until } = await join({ ...invitation, secret: null });
  const { self } = session.view;
  await room.until((view) => view.waiting.some(({ id }) => id === self));
  room.session.entrance.admit(self);
  await room.until((view) => proofOf(view, self) !== undefined);
  room.session.entrance.confirmDigits(self, false);
  await until((view) => view.ended !== null);
  await room.until((view) => view.room?.devices.some(({ id }) => id === self) === false);
});

it('a device with another session’s link stays out', async () => {
  const secret = newSecret((length) => new Uint8Array(length).fill(77));
  const { session, until } = await join({ ...invitation, secret });
  const { ended, self, room: seen } = await until((view) => view.ended !== null);
  expect(ended).toMatch(/link/);
  expect([seen, proofOf(room.session.view, self)]).toEqual([null, undefined]);
  session.leave();
});
