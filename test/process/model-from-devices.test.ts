import { afterEach, beforeEach, expect, it } from 'vitest';
import { needs, WHOLE } from '../needs.ts';
import { LoadingRoom, until, wideModel } from './loading-room.ts';

/** The model reaches a room's devices without the hub serving it to each: real server, real links, a disk for each. */

let room: LoadingRoom;
beforeEach(async () => {
  // 26 MB: seven chunks.
  room = await new LoadingRoom(wideModel(50_000)).open();
});
afterEach(() => room.close());

// A device asks the hub where nothing comes for seconds, as on a machine that is busy with much else.
it('is fetched from the hub once by three devices, and they train with it', needs(WHOLE), async () => {
  const host = await room.host();
  expect(room.hub.served).toBeLessThan(1.1 * room.modelBytes);
  await Promise.all([room.device('ada'), room.device('ben')]);
  expect(room.hub.served).toBeLessThan(1.2 * room.modelBytes);
  host.start();
  await until(host, ({ room: view }) => view?.phase === 'finished');
  // Who computed with another model would have been found by the checks of what devices give.
  expect(host.view.rounds).toHaveLength(5);
  expect(host.view.room?.devices.map(({ status }) => status.kind)).toEqual(['ready', 'ready', 'ready']);
});
