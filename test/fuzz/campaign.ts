import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { mixSeed } from '../../worker/data/seeded-random.ts';
import { drawing } from './mutate.ts';
import { isDeclared, TARGETS, type Target } from './targets.ts';

/** A reader that takes longer for one input hangs. */
const HANG_MS = 1000;
/** What a reader may hold after all its inputs beyond what it held after the first part of them. */
const GROWTH_BYTES = 24 * 2 ** 20;
/** After this part everything that is made once is made. */
const WARM_PART = 0.2;
/** So many failures of one reader say enough. */
const MAX_FAILURES = 5;

export interface Failure {
  readonly target: string;
  /** With the seed, makes the input again: `--only 'TARGET' --at INDEX`. */
  readonly index: number;
  readonly what: string;
}

export interface Tally {
  readonly target: string;
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: number;
  readonly seconds: number;
  readonly slowestMs: number;
  readonly grownBytes: number;
}

export interface Campaign {
  readonly tallies: readonly Tally[];
  readonly failures: readonly Failure[];
}

/** `count` inputs, shared out over the readers by their weights. */
export async function campaign(
  count: number,
  seed: number,
  only: string | null = null,
  onTally: (tally: Tally) => void = () => undefined,
): Promise<Campaign> {
  const total = TARGETS.reduce((sum, { weight }) => sum + weight, 0);
  const tallies: Tally[] = [];
  const failures: Failure[] = [];
  for (const target of TARGETS) {
    if (only !== null && target.name !== only) continue;
    const inputs = only === null ? Math.ceil((count * target.weight) / total) : count;
    const tally = await run(target, inputs, seed, failures);
    tallies.push(tally);
    onTally(tally);
  }
  return { tallies, failures };
}

const drawFor = (target: Target, seed: number, index: number) =>
  drawing(mixSeed(seed, index, ...new TextEncoder().encode(target.name)));

/** The input of a failure. */
export function inputOf(name: string, seed: number, index: number): Uint8Array | null {
  const target = TARGETS.find((one) => one.name === name);
  return target === undefined ? null : target.make(drawFor(target, seed, index));
}

async function run(target: Target, inputs: number, seed: number, failures: Failure[]): Promise<Tally> {
  const began = performance.now();
  let accepted = 0;
  let slowestMs = 0;
  let failed = 0;
  let heldBytes = 0;
  const fail = (index: number, what: string): void => {
    failed++;
    failures.push({ target: target.name, index, what });
  };
  for (let index = 0; index < inputs && failed < MAX_FAILURES; index++) {
    if (index === Math.floor(inputs * WARM_PART)) heldBytes = heldNow();
    const draw = drawFor(target, seed, index);
    const input = target.make(draw);
    const cpu = process.cpuUsage();
    try {
      const reading = target.read(input, draw);
      if (reading instanceof Promise) await reading;
      accepted++;
    } catch (error) {
      if (!isDeclared(error)) fail(index, error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    const { user, system } = process.cpuUsage(cpu);
    const ms = (user + system) / 1000;
    slowestMs = Math.max(slowestMs, ms);
    if (ms > HANG_MS) fail(index, `It took ${Math.round(ms)} ms.`);
  }
  const grownBytes = heldNow() - heldBytes;
  if (grownBytes > GROWTH_BYTES) fail(inputs, `It holds ${Math.round(grownBytes / 2 ** 20)} MiB more than before.`);
  const seconds = (performance.now() - began) / 1000;
  return { target: target.name, inputs, accepted, refused: inputs - accepted, seconds, slowestMs, grownBytes };
}

let collect: (() => void) | null = null;

/** Bytes in use once all garbage is gone. */
function heldNow(): number {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    const gc: unknown = runInNewContext('gc');
    if (typeof gc !== 'function') throw new Error('This Node has no garbage collector to call.');
    collect = () => void gc();
  }
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
