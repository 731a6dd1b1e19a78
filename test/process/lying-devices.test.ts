import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../signaling/server/server.ts';
import { needs, WHOLE } from '../needs.ts';
import { losses, startTestServer } from './headless-room.ts';
import { apart, type Ended, trainWithLiars } from './lying-room.ts';

/**
 * Devices with a changed worker, in real processes over real WebRTC: whoever lies is removed, the log says why, and what it gave is undone
 * and done again, so that the parameters are those of honest devices. Every lie in a room of its own: `test/bench/audits/lies.ts`.
 */
const ROUNDS = 10;
/** Between honest rooms of other devices: some 1e-6 of the parameters. */
const TOLERANCE = 1e-4;

let server: RunningServer;
let origin: string;
let alone: Ended;

beforeAll(async () => {
  server = await startTestServer();
  origin = `http://127.0.0.1:${server.port}`;
  alone = await trainWithLiars(origin, { policy: 'data-parallel', rounds: ROUNDS, honest: [] });
});
afterAll(() => server.close());

const removals = ({ said }: Ended): readonly string[] => said.filter((sentence) => sentence.includes('was removed:'));

describe('a room', () => {
  it('of honest devices removes nobody and undoes nothing, and parameters stay where they are where one lies unseen', async () => {
    const honest = await trainWithLiars(origin, { policy: 'data-parallel', rounds: ROUNDS, honest: ['b'] });
    expect(honest.said.filter((sentence) => /removed|undone/.test(sentence))).toEqual([]);
    expect(apart(honest.parameters, alone.parameters)).toBeLessThan(TOLERANCE);
    // Where nobody looks the same lie does harm: there is something to find.
    const off = { policy: 'data-parallel', rounds: ROUNDS, honest: [], audits: 0 } as const;
    const believed = await trainWithLiars(origin, { ...off, liars: [{ name: 'l', lie: 'sign flipped' }] });
    expect(removals(believed)).toEqual([]);
    expect(apart(believed.parameters, alone.parameters)).toBeGreaterThan(100 * TOLERANCE);
  });

  it('finds who lies from the start within three rounds, four of them at once', async () => {
    const ended = await trainWithLiars(origin, {
      ...{ policy: 'data-parallel', rounds: ROUNDS, honest: ['b', 'c'] },
      liars: [
        { name: 'scaler', lie: 'scaled by 1.05' },
        { name: 'sleepyhead', lie: 'zeroed' },
        { name: 'labeller', lie: 'flipped labels' },
        { name: 'boaster', lie: 'false loss' },
      ],
    });
    const said = removals(ended);
    expect(said.map((sentence) => sentence.split(' ')[0]).sort()).toEqual([
      'boaster',
      'labeller',
      'scaler',
      'sleepyhead',
    ]);
    for (const sentence of said) expect(sentence).toMatch(/round [123][, ]/);
    expect(ended.view.rounds.map(({ round }) => round)).toEqual(Array.from({ length: ROUNDS }, (_, i) => i + 1));
    expect(apart(ended.parameters, alone.parameters)).toBeLessThan(TOLERANCE);
    expect(Math.max(...losses(ended.view).map((x, i) => Math.abs(x - losses(alone.view)[i]!)))).toBeLessThan(1e-4);
  });

  it('finds who begins to lie later, and repeats what nobody had checked', needs(WHOLE), async () => {
    const ended = await trainWithLiars(origin, {
      ...{ policy: 'data-parallel', rounds: ROUNDS, honest: ['b', 'c'], audits: 0.5 },
      liars: [
        { name: 'noisy', lie: 'noise of a tenth', from: 5 },
        { name: 'turncoat', lie: 'sign flipped', from: 6 },
        { name: 'elsewhere', lie: 'other samples', from: 5 },
        { name: 'late', lie: 'old parameters', from: 5 },
      ],
    });
    const said = removals(ended);
    expect(said.map((sentence) => sentence.split(' ')[0]).sort()).toEqual(['elsewhere', 'late', 'noisy', 'turncoat']);
    expect(ended.said.some((sentence) => sentence.includes('undone and repeated'))).toBe(true);
    expect(apart(ended.parameters, alone.parameters)).toBeLessThan(TOLERANCE);
  });
});
