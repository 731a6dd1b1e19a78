import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../signaling/server/server.ts';
import { needs, WHOLE } from '../needs.ts';
import { HeadlessRoom, largestRelativeDifference, losses, namesOf, startTestServer } from './headless-room.ts';
import { type Trained, trainAlone, weightsOf } from './one-device.ts';
import { pipelinesOf, SPARE, SteadyPlanner } from './steady-plans.ts';

/**
 * Two pipelines that share a round's samples, each over two processes of which none could hold the model: the planner's own plan, over real
 * WebRTC. Curve and adapter are those of one device that computes the two parts one after the other, to the bit, with dropout.
 */
const ROUNDS = 12;
/** roberta-mini's weights alone take 10.05 MB; half of its layers with the embeddings take 7. */
const MEMORY_BYTES = 9.5e6;

const planner = new SteadyPlanner();
let server: RunningServer;
let origin: string;
let alone: Trained;

async function opened(names: readonly string[]): Promise<HeadlessRoom> {
  planner.expect(names.length + 1);
  const training = { rounds: ROUNDS, dropout: 0.1, samplesPerRound: 8 };
  const room = await HeadlessRoom.open(origin, 'split', training, { memoryBytes: MEMORY_BYTES });
  for (const name of names) await room.addDevice(name, MEMORY_BYTES);
  await room.measured(names.length + 1);
  return room;
}

beforeAll(async () => {
  server = await startTestServer(0, false, planner);
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

describe('two pipelines over four processes', needs(WHOLE), () => {
  it('train as one device does that computes their parts in turn, to the bit', async () => {
    const room = await opened(['b', 'c', 'd']);
    try {
      const planned = await room.until(({ room: seen }) => (seen?.plan?.assignments.length ?? 0) === 4);
      if (planned.room === null) throw new Error('There is no room.');
      const pipelines = pipelinesOf(planned.room);
      expect(pipelines.map(({ share }) => share.samples)).toEqual([
        { start: 0, count: 4 },
        { start: 4, count: 4 },
      ]);
      expect(pipelines.flatMap(({ names }) => names).toSorted()).toEqual(['b', 'c', 'd', 'host']);
      room.session.start();
      const view = await room.finished();
      expect(view.rounds.map((_, i) => namesOf(view, i + 1).length)).toEqual(Array(ROUNDS).fill(4));
      const { settings } = planned.room;
      alone = await trainAlone(settings, origin, { shares: pipelines.map(({ share }) => share) });
      expect(losses(view)).toEqual(alone.losses);
      expect(weightsOf(await room.session.exportAdapter('last'))).toEqual(weightsOf(alone.adapter));
      // All samples in one go are other sums of the same gradients.
      const atOnce = await trainAlone(settings, origin);
      expect(largestRelativeDifference(losses(view), atOnce.losses)).toBeLessThan(1e-4);
      expect(view.scores.map(({ round, examples }) => [round, examples])).toEqual([
        [0, settings.task.devExamples],
        [ROUNDS, settings.task.devExamples],
      ]);
    } finally {
      await room.close();
    }
  });

  it('come to the same when a stage of one dies, whoever takes it over', async () => {
    const room = await opened(['b', 'c', 'd', SPARE]);
    try {
      const planned = await room.until(
        ({ room: seen }) => seen?.plan?.assignments.length === 4 && seen.phase === 'gathering',
      );
      if (planned.room === null) throw new Error('There is no room.');
      const pipelines = pipelinesOf(planned.room);
      const lost = pipelines.find(({ names }) => !names.includes('host'))?.names[1] ?? '';
      room.session.start();
      await room.until(({ activity }) => activity?.round === 4);
      room.kill(lost);
      const view = await room.finished();
      expect(view.rounds).toHaveLength(ROUNDS);
      // The plan after it may cut the samples otherwise, which only changes the order of sums.
      expect(largestRelativeDifference(losses(view), alone.losses)).toBeLessThan(1e-6);
      expect(namesOf(view, ROUNDS)).not.toContain(lost);
    } finally {
      await room.close();
    }
  });
});
