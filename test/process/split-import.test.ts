import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunningServer } from '../../signaling/server/server.ts';
import type { HostRequest } from '../../worker/api/host-api.ts';
import { needs, WHOLE } from '../needs.ts';
import { DEALT_RUNS } from './dealt-plans.ts';
import { HeadlessRoom, startTestServer } from './headless-room.ts';

/** roberta-mini's weights alone take 10.05 MB: no device of the split room can hold it. */
const MEMORY_BYTES = 9.5e6;

let server: RunningServer;
let origin: string;
beforeAll(async () => {
  server = await startTestServer();
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

it(
  'an adapter that one device trained goes on in a split room with its layers, ranks and the one device’s score',
  needs(WHOLE),
  async () => {
    const lora: HostRequest['lora'] = {
      rank: 4,
      alpha: 8,
      targets: ['query', 'key', 'output.dense'],
      layers: [1, 4],
      rankPattern: { 4: 2 },
      rslora: true,
    };
    const alone = await HeadlessRoom.open(origin, 'crunch', { rounds: 8 }, { request: { lora } });
    await alone.ready(1);
    alone.session.start();
    const { scores: ofOne } = await alone.finished();
    const files = await alone.session.exportAdapter('last');
    await alone.close();

    const split = await HeadlessRoom.open(
      origin,
      'split',
      { rounds: 1 },
      { memoryBytes: MEMORY_BYTES, request: { start: { kind: 'adapter', files } } },
    );
    try {
      for (const [i, name] of ['b', 'c'].entries()) {
        await split.addDevice(name, MEMORY_BYTES);
        await split.measured(i + 2);
      }
      const planned = await split.until(({ room }) => room?.plan != null);
      expect(planned.room?.settings.lora).toEqual(lora);
      split.session.start();
      const { scores, room } = await split.finished();
      expect(room?.devices.map(({ holds }) => holds)).toEqual(DEALT_RUNS.map(({ from, to }) => ({ from, to })));
      const [before, after] = [ofOne[0]!, ofOne.at(-1)!];
      expect(scores[0]).toMatchObject({ round: 0, value: after.value, examples: after.examples });
      // Chunks of other sizes add their losses up in another order.
      expect(scores[0]?.loss).toBeCloseTo(after.loss, 6);
      // It is the trained one: without it the loss is another.
      expect(Math.abs(before.loss - after.loss)).toBeGreaterThan(1e-3);
      const tried = await split.session.tryText('the dog sees the cats', null);
      expect(tried.round).toBe(1);
    } finally {
      await split.close();
    }
  },
);
