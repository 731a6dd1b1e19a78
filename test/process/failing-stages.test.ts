import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../signaling/server/server.ts';
import { needs, WHOLE } from '../needs.ts';
import type { Failing } from './failing-stage.ts';
import { HeadlessRoom, losses, startTestServer } from './headless-room.ts';
import { type Trained, trainAlone, weightsOf } from './one-device.ts';

/** As in `split-room.test.ts`: no device here can hold roberta-mini's weights; a fourth one is a spare. */
const MEMORY_BYTES = 9.5e6;
const ROUNDS = 8;
const FAILS_IN = 3;

let server: RunningServer;
let origin: string;
let alone: Promise<Trained> | null = null;
beforeAll(async () => {
  server = await startTestServer();
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

const WHY: Readonly<Record<Failing, RegExp>> = {
  before: /^b lost its link/,
  between: /^b lost its link/,
  after: /^b lost its link/,
  slow: /^b is late/,
};

describe.each(Object.keys(WHY) as Failing[])(
  'a stage that is killed before, between or after its passes, or is slow: %s',
  (how) => {
    it('is replayed by a spare, and the curve stays one device’s to the bit', {
      ...needs(WHOLE),
      timeout: 200_000,
    }, async () => {
      const training = { rounds: ROUNDS, dropout: 0.1, samplesPerRound: 8 };
      const room = await HeadlessRoom.open(origin, 'split', training, { memoryBytes: MEMORY_BYTES });
      try {
        await room.addFailing('b', how, { round: FAILS_IN, memoryBytes: MEMORY_BYTES });
        await room.measured(2);
        for (const [i, name] of ['c', 'd'].entries()) {
          await room.addDevice(name, MEMORY_BYTES);
          await room.measured(i + 3);
        }
        room.session.start();
        const taken = (round: number) => `d takes over its part of round ${round}.`;
        const said = await room.until(({ notices }) =>
          notices.some(({ sentence }) => sentence.endsWith(taken(FAILS_IN))),
        );
        expect(said.notices.find(({ sentence }) => sentence.endsWith(taken(FAILS_IN)))?.sentence).toMatch(WHY[how]);
        const view = await room.finished();
        const settings = view.room?.settings;
        if (settings === undefined) throw new Error('There is no room.');
        alone ??= trainAlone(settings, origin);
        expect(losses(view)).toEqual((await alone).losses);
        expect(weightsOf(await room.session.exportAdapter('last'))).toEqual(weightsOf((await alone).adapter));
        const sentences = view.notices.map(({ sentence }) => sentence);
        expect(sentences.filter((sentence) => sentence.includes('begins again'))).toEqual([]);
        // Late twice in a row it rests, and is tried again after pauses that grow: most rounds go on without it.
        const late = sentences.filter((sentence) => WHY.slow.test(sentence)).length;
        if (how === 'slow') expect([late >= 2, late <= 4]).toEqual([true, true]);
      } finally {
        await room.close();
      }
    });
  },
);
