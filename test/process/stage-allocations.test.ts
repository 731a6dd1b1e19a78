import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { forEngine } from '../../worker/device/memory-probe.ts';
import { needs, WHOLE } from '../needs.ts';

/**
 * What stages of every kind really allocate, counted from outside of the project's code while they load and through a round: roberta-base's
 * size at 16 bits, whose layers take 14 MB and whose embeddings take 79 MB, each in a process that is told the same limit.
 */
const LIMIT_MB = 165;
const SCRIPT = fileURLToPath(new URL('../bench/split/one-stage.ts', import.meta.url));
const numberIn = (out: string, what: RegExp): number => Number(what.exec(out)?.[1] ?? Number.NaN);

it.each([
  ['embeddings alone', '0,1', 4],
  ['embeddings and a layer', '0,2', 4],
  ['layers', '4,10', 3],
  ['layers and the head', '8,14', 1],
  ['the head alone', '13,14', 1],
])('a stage of %s keeps to its limit', { timeout: 240_000, ...needs(WHOLE) }, async (_, units, window) => {
  const args = ['--size', 'base', '--units', units, '--window', `${window}`, '--limit', `${LIMIT_MB}`];
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', SCRIPT, ...args]);
  const counted = numberIn(stdout, /engine counts of it: (\d+) MB/);
  const loaded = numberIn(stdout, /loaded: (\d+) MB/);
  const worked = numberIn(stdout, /passes done: (\d+) MB/);
  // It is one that a plan would give a device of that limit.
  expect(counted).toBeLessThanOrEqual(forEngine({ besideBytes: 36e6 }, 1e6 * LIMIT_MB) / 1e6);
  // Whatever is counted from outside has at least the tensors that are there.
  expect(Math.min(loaded, worked)).toBeGreaterThan(counted - 30);
  expect(Math.max(loaded, worked)).toBeLessThanOrEqual(LIMIT_MB);
});
