import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../signaling/server/server.ts';
import { needs, WHOLE } from '../needs.ts';
import { losses, startTestServer } from './headless-room.ts';
import type { LieName } from './lies.ts';
import { apart, type Ended, trainWithLiars } from './lying-room.ts';

/**
 * Stages with a changed worker, in real processes over real WebRTC: what a stage sends up, down and to the host is computed again by another
 * device, of what its neighbours say that it was sent. Whoever lies is removed, and the parameters are an honest room's. Every lie by itself:
 * `npx tsx test/bench/audits/lies.ts --policy split`.
 */
const ROUNDS = 6;
const ROOM = { policy: 'split', rounds: ROUNDS } as const;
/** Between honest rooms with the same micro-batches: nothing. */
const TOLERANCE = 1e-6;

let server: RunningServer;
let origin: string;
let honest: Ended;

beforeAll(async () => {
  server = await startTestServer();
  origin = `http://127.0.0.1:${server.port}`;
  honest = await trainWithLiars(origin, { ...ROOM, honest: ['b', 'c', 'd'] });
});
afterAll(() => server.close());

const removals = ({ said }: Ended): readonly string[] => said.filter((sentence) => sentence.includes('was removed:'));

/** The first device is a stage in the middle, the second one the last stage, and others take over from them. */
async function lied(middle: LieName, last: LieName, from = 1): Promise<Ended> {
  const liars = [
    { name: 'middle', lie: middle, from },
    { name: 'last', lie: last, from },
  ];
  const audits = from === 1 ? {} : { audits: 0.5 };
  return trainWithLiars(origin, { ...ROOM, ...audits, honest: ['b', 'c'], liars });
}

function isAsHonest(ended: Ended): void {
  expect(ended.view.rounds.map(({ round }) => round)).toEqual(Array.from({ length: ROUNDS }, (_, i) => i + 1));
  expect(apart(ended.parameters, honest.parameters)).toBeLessThan(TOLERANCE);
  expect(Math.max(...losses(ended.view).map((x, i) => Math.abs(x - losses(honest.view)[i]!)))).toBeLessThan(1e-6);
}

describe('a split room', () => {
  it('of honest stages is checked, removes nobody and undoes nothing', needs(WHOLE), () => {
    expect(honest.said.filter((sentence) => /removed|undone|say the same|naudited/.test(sentence))).toEqual([]);
  });

  it('finds who sends false hidden states up and who sends false gradients down', needs(WHOLE), async () => {
    const ended = await lied('false hidden states', 'false gradients down');
    expect(
      removals(ended).map((sentence) => /^(\w+) was removed: in round [123] (.+) \(/.exec(sentence)?.slice(1)),
    ).toEqual(
      expect.arrayContaining([
        ['middle', expect.stringContaining('what it sent up was off by')],
        ['last', expect.stringContaining('what it sent down was 1.05 times')],
      ]),
    );
    isAsHonest(ended);
  });

  it('finds who lies of its gradient and of its loss', needs(WHOLE), async () => {
    const ended = await lied('noise of a tenth', 'false loss');
    expect(
      removals(ended)
        .map((sentence) => sentence.split(' ')[0])
        .sort(),
    ).toEqual(['last', 'middle']);
    isAsHonest(ended);
  });

  it('finds who begins to lie later, and repeats what nobody had checked', needs(WHOLE), async () => {
    const ended = await lied('sign flipped', 'zeroed', 4);
    expect(
      removals(ended)
        .map((sentence) => sentence.split(' ')[0])
        .sort(),
    ).toEqual(['last', 'middle']);
    isAsHonest(ended);
  });
});
