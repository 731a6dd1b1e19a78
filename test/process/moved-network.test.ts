import { afterAll, beforeAll, expect, it } from 'vitest';
import { headlessEnvironment } from '../../signaling/node/node-environment.ts';
import type { RunningServer } from '../../signaling/server/server.ts';
import { JoinSession } from '../../web/session/join-session.ts';
import { OwnSession } from '../../web/session/own-session.ts';
import type { Session } from '../../web/session/view/view.ts';
import { Emitter } from '../../web/session/world/emitter.ts';
import { needs, WHOLE } from '../needs.ts';
import { Network } from '../relay/network.ts';
import { HeadlessRoom, startTestServer } from './headless-room.ts';

const ROUNDS = 400;
/** An old link would be missed after 7 s of silence, and an old connection to the server later; a machine may be slow. */
const BACK_MS = 12_000;
const PATIENCE_MS = 60_000;
let server: RunningServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** Milliseconds until the device has lost its link to the host and has one again. */
function relinked(device: Session): Promise<number> {
  const beganMs = performance.now();
  let wasLost = false;
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      off();
      act();
    };
    const timer = setTimeout(() => settle(() => reject(new Error(`No other link; lost: ${wasLost}`))), PATIENCE_MS);
    const off = device.subscribe(({ linkTrouble }) => {
      if (linkTrouble !== null) wasLost = true;
      else if (wasLost) settle(() => resolve(performance.now() - beganMs));
    });
  });
}

it(
  'a device, and then the host, has another network while rounds run: it is back in seconds, and no round is lost',
  needs(WHOLE),
  async () => {
    const network = new Network(`http://127.0.0.1:${server.port}`, { seed: 1 });
    const [hostMoved, farMoved] = [new Emitter<void>(), new Emitter<void>()];
    const [hostDoor, farDoor] = [await network.door('host'), await network.door('far')];
    const room = await HeadlessRoom.open(
      hostDoor.origin,
      'data-parallel',
      { rounds: ROUNDS },
      {
        make: (environment, ...rest) => new OwnSession({ ...environment, onMoved: hostMoved.on }, ...rest),
      },
    );
    const { invitation } = await room.until((view) => view.invitation !== null);
    const { room: code, secret = null } = invitation ?? {};
    if (code === undefined) throw new Error('There is no invitation.');
    const environment = await headlessEnvironment(farDoor.origin, { memoryLimitBytes: 2e9 });
    const device = new JoinSession(
      { ...environment, onMoved: farMoved.on },
      { room: code, secret },
      { name: 'far', watch: false, slowdown: 1 },
    );
    try {
      await room.ready(2);
      room.session.start();
      const rounds = (count: number) => room.until((view) => view.rounds.length >= count);
      await rounds(2);
      for (const [name, moved] of [
        ['far', farMoved],
        ['host', hostMoved],
      ] as const) {
        const back = relinked(device);
        network.move(name);
        moved.emit();
        expect(await back, name).toBeLessThan(BACK_MS);
        await rounds(room.view.rounds.length + 3);
      }
      room.session.finish();
      const view = await room.until(({ room: seen }) => seen?.phase !== 'training');
      expect(view.rounds.map(({ round }) => round)).toEqual(view.rounds.map((_, i) => i + 1));
      expect(view.rounds.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    } finally {
      device.leave();
      await room.close();
      await network.close();
    }
  },
);
