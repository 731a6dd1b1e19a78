import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunningServer } from '../../signaling/server/server.ts';
import { needs, WHOLE } from '../needs.ts';
import { HeadlessRoom, losses, startTestServer } from './headless-room.ts';
import { trainAlone, weightsOf } from './one-device.ts';
import { pipelinesOf, SteadyPlanner } from './steady-plans.ts';

/** roberta-mini's embeddings take 4.3 MB in f32, 1.1 MB in 8 bits; with a layer's work beside them no device here holds the former. */
const MEMORY_BYTES = 5e6;
const ROUNDS = 4;

let server: RunningServer;
let origin: string;
beforeAll(async () => {
  server = await startTestServer(0, false, new SteadyPlanner());
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

async function room(embeddings?: 'int8'): Promise<HeadlessRoom> {
  const training = { rounds: ROUNDS, dropout: 0.1, samplesPerRound: 4 };
  const made = await HeadlessRoom.open(origin, 'split', training, {
    memoryBytes: MEMORY_BYTES,
    ...(embeddings && { embeddings }),
  });
  for (const name of ['b', 'c']) await made.addDevice(name, MEMORY_BYTES);
  await made.measured(3);
  return made;
}

it(
  'a word table that no device can hold is nobody’s in f32; in 8 bits it is planned, and trained with as one device does',
  needs(WHOLE),
  async () => {
    const full = await room();
    try {
      const seen = await full.until(({ room: now }) => now?.planNote != null);
      expect(seen.room?.plan).toBeNull();
      expect(seen.room?.planNote).toMatch(/^no device's memory can hold the embeddings/);
    } finally {
      await full.close();
    }
    const lean = await room('int8');
    try {
      const { room: planned } = await lean.until(({ room: now }) => (now?.plan?.assignments.length ?? 0) > 1);
      if (planned === null) throw new Error('There is no room.');
      lean.session.start();
      const view = await lean.finished();
      const shares = pipelinesOf(planned).map(({ share }) => share);
      const alone = await trainAlone(planned.settings, origin, { shares });
      expect(losses(view)).toEqual(alone.losses);
      expect(weightsOf(await lean.session.exportAdapter('last'))).toEqual(weightsOf(alone.adapter));
    } finally {
      await lean.close();
    }
  },
);
