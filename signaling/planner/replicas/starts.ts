import type { SplitProblem } from '../../protocol/pipeline/split-problem.ts';
import { drawsFrom } from '../algorithms/random.ts';
import { fastestPipeline } from '../pipelines/fastest-pipeline.ts';
import { placement } from '../pipelines/fitting.ts';
import type { RatedReplicas, Replica, ReplicaEvaluator } from './replica-evaluator.ts';
import { withSamples } from './replica-search.ts';

/** Pipelines dealt from scratch: of each number of them one way, and one in which whoever holds the whole model is a pipeline alone. */

/** Operations for each stage put while all pipelines of a few devices are tried. */
const PER_NODE = 400;
/** Of so many devices every way to deal them is tried. */
const DEVICES_TO_DEAL_OUT = 6;
/** Deals by lot, where those by speed and by memory do not fit. */
const LOTS = 24;
/** Samples are first dealt in so many parts. */
const PARTS = 16;
/** Shares follow from what the last ones took, so many times. */
const PASSES = 3;
/** Pipelines of devices that do not hold the whole model, beside those that do. */
const MOST_BESIDE = 4;

/** So many pipelines of devices dealt in some ways, the best of them; null where no way that was tried fits in memory. `work` is for all. */
export function dealt(evaluator: ReplicaEvaluator, count: number, work: number): RatedReplicas | null {
  const samples = Math.ceil(evaluator.rows.samples / count);
  const fits = (rows: readonly number[]) => rows.length > 0 && placement(roomOf(evaluator, rows, samples)) !== null;
  const { devices } = evaluator.rows;
  const ways =
    devices <= DEVICES_TO_DEAL_OUT
      ? partitions(devices, count).filter((groups) => groups.every(fits))
      : [deals(evaluator, count).find((groups) => groups.every(fits)) ?? []];
  const each = work / Math.max(1, ways.length) / count;
  const known = new Map<string, Replica | null>();
  const best = (rows: readonly number[]): Replica | null => {
    const key = rows.join();
    const found = known.get(key) ?? among(evaluator, rows, samples, each);
    known.set(key, found);
    return found;
  };
  const made = ways.flatMap((groups) => {
    const pipelines = groups.length === 0 ? inTurn(evaluator, count, samples, each) : groups.map(best);
    const all = pipelines?.flatMap((one) => one ?? []) ?? [];
    return all.length < count ? [] : (balanced(evaluator, all) ?? []);
  });
  return made.reduce<RatedReplicas | null>((a, b) => (a === null || b.seconds < a.seconds ? b : a), null);
}

/** Every way to put so many devices into so many groups. */
function partitions(devices: number, count: number): (readonly number[])[][] {
  const found: number[][][] = [];
  const groups: number[][] = [];
  const put = (row: number): void => {
    if (row === devices) {
      if (groups.length === count) found.push(groups.map((group) => [...group]));
      return;
    }
    for (const group of groups) {
      group.push(row);
      put(row + 1);
      group.pop();
    }
    if (groups.length === count) return;
    groups.push([row]);
    put(row + 1);
    groups.pop();
  };
  put(0);
  return found;
}

/** Devices in so many groups: every so manieth from the quickest down, there and back; by memory, to whoever has least; by lot. */
function deals({ rows }: ReplicaEvaluator, count: number): (readonly number[])[][] {
  const all = [...Array(rows.devices).keys()];
  const dealing = (order: readonly number[], groupOf: (i: number, groups: readonly number[][]) => number) => {
    const groups: number[][] = Array.from({ length: count }, () => []);
    for (const [i, row] of order.entries()) groups[groupOf(i, groups)]!.push(row);
    return groups.map((group) => group.sort((a, b) => a - b));
  };
  const thereAndBack = (i: number) => (Math.floor(i / count) % 2 === 0 ? i % count : count - 1 - (i % count));
  const held = (group: readonly number[]) => group.reduce((sum, row) => sum + rows.limit[row]!, 0);
  const poorest = (_: number, groups: readonly number[][]) =>
    groups.reduce((least, group, i) => (held(group) < held(groups[least]!) ? i : least), 0);
  const byMemory = all.toSorted((a, b) => rows.limit[b]! - rows.limit[a]! || a - b);
  const draws = drawsFrom(count);
  return [
    dealing(all, thereAndBack),
    dealing(byMemory, poorest),
    ...Array.from({ length: LOTS }, (_, i) =>
      dealing(draws.shuffle(all), i % 2 === 0 ? poorest : () => draws.below(count)),
    ),
  ];
}

/** One pipeline after the other of the devices that are left, those with most memory first; null where it does not come to so many. */
function inTurn(evaluator: ReplicaEvaluator, count: number, samples: number, work: number): Replica[] | null {
  const { limit, devices } = evaluator.rows;
  let left = [...Array(devices).keys()].sort((a, b) => limit[b]! - limit[a]! || a - b);
  const made: Replica[] = [];
  while (made.length < count) {
    const next = among(evaluator, left, samples, work);
    if (next === null) return null;
    made.push(next);
    left = without(left, next);
  }
  return made;
}

const without = (rows: readonly number[], { pipeline: { devices, stages } }: Replica): number[] =>
  rows.filter((row) => !Array.from(devices).slice(0, stages).includes(row));

/** Every device that holds the whole model alone, up to `most` of them, and pipelines of the others. */
export function alone(evaluator: ReplicaEvaluator, most: number, work: number): RatedReplicas | null {
  const { devices, units, samples } = evaluator.rows;
  const single = (row: number): Replica => ({
    samples: 1,
    pipeline: { devices: [row], ends: [units], stages: 1, microBatches: 1, rule: 1 },
  });
  const one = evaluator.at(1);
  const able = [...Array(devices).keys()]
    .filter((row) => one.load(single(row).pipeline))
    .slice(0, Math.min(most, samples));
  if (able.length === 0) return null;
  const made = able.map(single);
  let left = [...Array(devices).keys()].filter((row) => !able.includes(row));
  const share = Math.ceil(samples / (able.length + 1));
  for (let i = 0; i < MOST_BESIDE && made.length < Math.min(most, samples); i++) {
    const next = among(evaluator, left, share, work / MOST_BESIDE);
    if (next === null) break;
    made.push(next);
    left = without(left, next);
  }
  return balanced(evaluator, made);
}

/** The room of some of the devices, in the order of the rows, that take so many samples. */
function roomOf({ rows: { problem } }: ReplicaEvaluator, rows: readonly number[], samples: number): SplitProblem {
  const devices = rows.map((row) => problem.devices[row]!);
  return { ...problem, split: { ...problem.split, samples }, devices, pipelines: 1 };
}

/** The best pipeline of some devices that so much work finds; null where they do not hold the model. */
function among(evaluator: ReplicaEvaluator, given: readonly number[], samples: number, work: number): Replica | null {
  const rows = given.toSorted((a, b) => a - b);
  if (rows.length === 0) return null;
  const best = fastestPipeline(roomOf(evaluator, rows, samples), work, Math.ceil(work / PER_NODE));
  if ('reason' in best) return null;
  const { pipeline } = best.found;
  const devices = Array.from({ length: pipeline.stages }, (_, s) => rows[pipeline.devices[s]!]!);
  return { samples, pipeline: { ...pipeline, devices } };
}

/** The samples dealt so that all are done together, as far as whole samples allow; pipelines that get none end. */
export function balanced(evaluator: ReplicaEvaluator, given: readonly Replica[]): RatedReplicas | null {
  const { samples } = evaluator.rows;
  let weights = given.map(() => 1);
  let best: RatedReplicas | null = null;
  for (let pass = 0; pass < PASSES; pass++) {
    const counts = sharesOf(samples, weights);
    const rated = evaluator.rate(given.flatMap((one, i) => (counts[i]! > 0 ? [withSamples(one, counts[i]!)] : [])));
    if (rated !== null && (best === null || rated.seconds < best.seconds)) best = rated;
    const all = evaluator.rate(given.map((one, i) => withSamples(one, Math.max(1, counts[i]!))));
    if (all === null) break;
    weights = all.parts.map(({ samples: own, seconds }) => own / seconds);
  }
  return best === null ? null : evened(evaluator, best);
}

/** Whole numbers in proportion to the weights, by largest remainders; equal ones where devices state no time at all, or one without an end. */
function sharesOf(samples: number, stated: readonly number[]): number[] {
  const all = stated.reduce((a, b) => a + b, 0);
  const weights = all > 0 && all < Infinity ? stated : stated.map(() => 1);
  const sum = weights.reduce((a, b) => a + b, 0);
  const exact = weights.map((weight) => (samples * weight) / sum);
  const counts = exact.map(Math.floor);
  const order = [...exact.keys()].sort((a, b) => exact[b]! - counts[b]! - (exact[a]! - counts[a]!) || a - b);
  let left = samples - counts.reduce((a, b) => a + b, 0);
  for (const i of order) if (left-- > 0) counts[i]!++;
  return counts;
}

/** Samples go from the slowest to the quickest as long as that helps. */
function evened(evaluator: ReplicaEvaluator, start: RatedReplicas): RatedReplicas {
  let best = start;
  for (let step = Math.max(1, Math.floor(evaluator.rows.samples / PARTS)); step >= 1; step >>= 1)
    for (let tries = 4 * best.parts.length; tries > 0 && best.parts.length > 1; tries--) {
      const { parts } = best;
      const order = [...parts.keys()].sort((a, b) => parts[a]!.seconds - parts[b]!.seconds);
      const [to, from] = [order[0]!, order.at(-1)!];
      const count = Math.min(step, parts[from]!.samples);
      const next: Replica[] = [...parts];
      next[to] = withSamples(parts[to]!, parts[to]!.samples + count);
      if (count === parts[from]!.samples) next.splice(from, 1);
      else next[from] = withSamples(parts[from]!, parts[from]!.samples - count);
      const rated = evaluator.rate(next, best.seconds);
      if (rated === null) break;
      best = rated;
    }
  return best;
}
