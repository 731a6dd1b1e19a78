import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunningServer } from '../../signaling/server/server.ts';
import { needs, WHOLE } from '../needs.ts';
import { Network } from '../relay/network.ts';
import { HeadlessRoom, startTestServer } from './headless-room.ts';
import { TabloomProcess } from './tabloom-process.ts';

const ROUNDS = 6;
let server: RunningServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

it(
  'a device whose link to the host is cut, and then its connection to the server, is back each time and the rounds go on',
  needs(WHOLE),
  async () => {
    const network = new Network(`http://127.0.0.1:${server.port}`, { seed: 1 });
    network.set({ delayMs: 10, loss: 0.01 });
    const [hostDoor, farDoor] = [await network.door('host'), await network.door('far')];
    const room = await HeadlessRoom.open(hostDoor.origin, 'data-parallel', { rounds: ROUNDS });
    const { invitation } = await room.until((view) => view.invitation !== null);
    const far = new TabloomProcess(['join', farDoor.link(invitation?.link ?? ''), '--name', 'far', '--memory', '2GB']);
    try {
      const online = (wanted: boolean) =>
        room.until((view) => view.room?.devices.find(({ name }) => name === 'far')?.online === wanted);
      const linked = (wanted: boolean) =>
        room.until((view) => view.room?.devices.find(({ name }) => name === 'far')?.linked === wanted);
      await room.ready(2);
      network.set({ cut: true }, 'far');
      room.session.start();
      await linked(false);
      network.set({ cut: false }, 'far');
      await linked(true);
      farDoor.cut();
      await online(false);
      farDoor.heal();
      await online(true);
      const { rounds } = await room.finished();
      expect(rounds.map(({ round }) => round)).toEqual(Array.from({ length: ROUNDS }, (_, i) => i + 1));
      const { came, arrived, lost, cut } = network.counts('far', 'host');
      expect(came).toBe(arrived + lost + cut);
      for (const count of [arrived, lost, cut]) expect(count).toBeGreaterThan(0);
    } finally {
      await room.close();
      far.child.kill('SIGKILL');
      await network.close();
    }
  },
);
