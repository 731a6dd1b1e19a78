import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startThread } from '../../signaling/node/start-thread.ts';
import {
  LARGEST_QUANTITY,
  ProblemError,
  parseProblem,
  SMALLEST_QUANTITY,
} from '../../signaling/planner/problem/parse.ts';
import { solve } from '../../signaling/planner/solve.ts';
import { POLICIES } from '../../signaling/protocol/settings.ts';
import type { Seeds, Solved } from './any-numbers-thread.ts';

/** This form says nothing of single units. */
const WHOLE = POLICIES.filter((policy) => policy !== 'split');

const SEEDS: Seeds = { from: 0, to: 900 };
const LONGEST_MS = 5000;

test('any numbers, in every policy and both forms: a finite plan or one sentence, each within five seconds', async () => {
  const thread = startThread(new URL('./any-numbers-thread.ts', import.meta.url), SEEDS);
  const results: Solved[] = [];
  thread.on('message', (some: readonly Solved[]) => results.push(...some));
  // A policy that never ends is named by the test's own time limit: nothing is heard after the seed before it.
  const stuck = setTimeout(() => void thread.terminate(), 100_000);
  await once(thread, 'exit');
  clearTimeout(stuck);
  expect(results.length / POLICIES.length, 'seeds that every policy ended').toBe(SEEDS.to - SEEDS.from);
  expect(results.filter(({ fault }) => fault !== null)).toEqual([]);
  expect(results.filter(({ milliseconds }) => milliseconds > LONGEST_MS)).toEqual([]);
  const count = (wanted: Solved['outcome']) => results.filter(({ outcome }) => outcome === wanted).length;
  expect(count('plan')).toBeGreaterThan(3000);
  expect(count('no plan')).toBeGreaterThan(500);
  expect(count('refused')).toBeGreaterThan(2000);
}, 120_000);

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/cases/plan/${name}`, import.meta.url), 'utf8'));

describe('numbers beyond the planner', () => {
  test.each([
    ['detailed-bits-1e308.json', 'model.layerUploadBits', 'layerUploadBits'],
    ['max-link-detailed.json', 'devices.0.bitsPerSecondPerHz', 'bitsPerSecondPerHz'],
  ])('%s: the sentence names %s', (file, path, name) => {
    expect(() => parseProblem(fixture(file))).toThrow(
      new ProblemError(`The problem's ${path} is wrong: ${name} must be 0 or between 1e-50 and 1e50.`),
    );
  });

  const table = (bits: number, seconds: number) => ({
    blocks: [{ uploadBits: bits }],
    devices: [
      {
        id: 'a',
        computeSeconds: [seconds],
        memoryBytes: [0],
        memoryLimitBytes: 0,
        bitsPerSecondPerHz: SMALLEST_QUANTITY,
      },
    ],
    bandwidthHz: SMALLEST_QUANTITY,
  });

  test('the ends themselves are planned: 1e50 bits at 1e-50 Hz and 1e-50 bit/s/Hz take 1e150 s', () => {
    for (const policy of WHOLE) {
      const answer = solve(parseProblem(table(LARGEST_QUANTITY, 1)), policy);
      if (!answer.feasible) throw new Error(`${policy}: ${answer.reason}`);
      expect(answer.latencySeconds / 1e150, policy).toBeCloseTo(1, 9);
    }
  });

  test.each([2e50, 9e-51, Infinity, -1e-300, Number.NaN])('%d is refused in a row too', (seconds) => {
    expect(() => parseProblem(table(1, seconds))).toThrow(
      /devices\.0\.computeSeconds is wrong: .*finite.*0 or between/,
    );
  });

  test('-0 is 0: no link, and no negative price of it', () => {
    const problem = parseProblem({
      ...table(1, 1),
      devices: [{ ...table(1, 1).devices[0], bitsPerSecondPerHz: -0 }],
    });
    expect(Object.is(problem.devices[0]!.bitsPerSecondPerHz, 0)).toBe(true);
    expect(solve(problem, 'auto')).toMatchObject({ feasible: false });
  });
});
