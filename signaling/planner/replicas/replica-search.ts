import { drawsFrom, type RandomSource } from '../algorithms/random.ts';
import { change, type Draft, draftOf } from '../pipelines/moves.ts';
import type { Rated, RatedReplicas, Replica, ReplicaEvaluator } from './replica-evaluator.ts';

/** What drawing a candidate costs in operations of simulations. */
const PER_CANDIDATE = 40;
/** The slowest pipeline decides; that the others be quick counts so much, so that there is something to give. */
const OTHERS = 0.05;
/** Draws of what to change: within one pipeline, samples that change hands, devices that change places, pipelines founded and ended. */
const WITHIN = 0.72;
const SAMPLES = 0.84;
const DEVICES = 0.97;
const FOUNDED = 0.985;
/** The slowest pipeline is changed so often; otherwise any. */
const SLOWEST = 0.5;

interface AnnealOptions {
  readonly seed: number;
  /** Operations of simulations that it may cost. */
  readonly work: number;
  /** Pipelines at most. */
  readonly most: number;
}

/**
 * Simulated annealing over pipelines that share the samples: what `anneal` changes in one, and samples and devices that go from one to another.
 * The same seed and work give the same plan.
 */
export function annealReplicas(
  evaluator: ReplicaEvaluator,
  start: RatedReplicas,
  { seed, work, most }: AnnealOptions,
): RatedReplicas {
  const { rows } = evaluator;
  const longest = Math.min(rows.devices, rows.units);
  const draws = drawsFrom(seed);
  const used = new Uint8Array(rows.devices);
  const heatAt = (seconds: number, share: number) => seconds * HOT * (COLD / HOT) ** share;
  let current = start;
  let energy = energyOf(start);
  let best = start;
  mark(used, current.parts, 1);
  const begun = evaluator.operations;
  for (let tried = 0; ; tried++) {
    const spent = evaluator.operations - begun + tried * PER_CANDIDATE;
    if (spent >= work) break;
    const candidate = changed(current.parts, { draws, used, longest, most, samples: rows.samples });
    if (candidate === null) continue;
    const enough = energy - heatAt(energy, spent / work) * Math.log(1 - draws.uniform());
    const rated = evaluator.rate(candidate, enough);
    if (rated === null || energyOf(rated) >= enough) continue;
    mark(used, current.parts, 0);
    mark(used, rated.parts, 1);
    current = rated;
    energy = energyOf(rated);
    if (rated.seconds < best.seconds) best = rated;
  }
  return best;
}

const HOT = 0.05;
const COLD = 0.002;

function energyOf({ parts, seconds }: RatedReplicas): number {
  let sum = 0;
  for (const part of parts) sum += part.seconds;
  return seconds + (OTHERS * sum) / parts.length;
}

function mark(used: Uint8Array, parts: readonly Replica[], value: number): void {
  for (const { pipeline } of parts) for (let s = 0; s < pipeline.stages; s++) used[pipeline.devices[s]!] = value;
}

interface Around {
  readonly draws: RandomSource;
  readonly used: Uint8Array;
  readonly longest: number;
  readonly most: number;
  /** Of the round. */
  readonly samples: number;
}

/** The replicas after one change drawn by lot; null where the draw makes no sense. */
function changed(parts: readonly Rated[], around: Around): Changed | null {
  const { draws } = around;
  const drawn = draws.uniform();
  const at = draws.uniform() < SLOWEST ? slowest(parts) : draws.below(parts.length);
  if (drawn < WITHIN || (parts.length === 1 && drawn < DEVICES)) return changedWithin(parts, at, around);
  if (drawn < SAMPLES) return handedSamples(parts, at, around);
  if (drawn < DEVICES) return handedDevice(parts, at, around);
  return drawn < FOUNDED ? founded(parts, at, around) : ended(parts, draws.below(parts.length));
}

type Changed = (Replica | Rated)[];

const put = (parts: readonly (Replica | Rated)[], at: number, replica: Replica): Changed => parts.with(at, replica);

function slowest(parts: readonly Rated[]): number {
  let at = 0;
  for (let i = 1; i < parts.length; i++) if (parts[i]!.seconds > parts[at]!.seconds) at = i;
  return at;
}

function changedWithin(parts: readonly Rated[], at: number, { draws, used, longest }: Around): Changed | null {
  const { samples, pipeline, busiest } = parts[at]!;
  const draft = draftFrom(pipeline, longest);
  return change(draft, { draws, samples, used, busiest }) ? put(parts, at, fresh(samples, draft)) : null;
}

/** From one pipeline to another; one that has none left ends. */
function handedSamples(parts: readonly Rated[], from: number, { draws }: Around): Changed | null {
  const to = draws.below(parts.length);
  const giver = parts[from]!;
  const count = 1 + (draws.uniform() < 0.5 ? 0 : draws.below(Math.max(1, giver.samples >> 1)));
  if (to === from || count > giver.samples) return null;
  const next: Changed = put(parts, to, withSamples(parts[to]!, parts[to]!.samples + count));
  if (count === giver.samples) return next.toSpliced(from, 1);
  next[from] = withSamples(giver, giver.samples - count);
  return next;
}

/** Two devices of different pipelines change places, or one leaves its pipeline and takes a part of a run of another. */
function handedDevice(parts: readonly Rated[], at: number, around: Around): Changed | null {
  const { draws, longest } = around;
  const other = draws.below(parts.length);
  if (other === at) return null;
  const one = draftFrom(parts[at]!.pipeline, longest);
  const two = draftFrom(parts[other]!.pipeline, longest);
  const mine = draws.uniform() < 0.4 ? Math.min(parts[at]!.busiest, one.stages - 1) : draws.below(one.stages);
  const theirs = draws.below(two.stages);
  if (draws.uniform() < 0.6) {
    const device = one.devices[mine]!;
    one.devices[mine] = two.devices[theirs]!;
    two.devices[theirs] = device;
  } else if (!takeOver(two, theirs, one, mine, draws)) return null;
  const next: Changed = put(parts, at, fresh(parts[at]!.samples, one));
  next[other] = fresh(parts[other]!.samples, two);
  return next;
}

/** The device of a stage leaves its pipeline, whose neighbour takes its run, and takes a part of `to`'s run. */
function takeOver(giver: Draft, stage: number, taker: Draft, to: number, draws: RandomSource): boolean {
  const from = to === 0 ? 0 : taker.ends[to - 1]!;
  const length = taker.ends[to]! - from;
  if (giver.stages < 2 || length < 2 || taker.stages === taker.devices.length) return false;
  const device = giver.devices[stage]!;
  const below = stage === giver.stages - 1 || (stage > 0 && draws.uniform() < 0.5);
  for (let s = below ? stage - 1 : stage; s < giver.stages - 1; s++) giver.ends[s] = giver.ends[s + 1]!;
  for (let s = stage; s < giver.stages - 1; s++) giver.devices[s] = giver.devices[s + 1]!;
  giver.stages--;
  const place = draws.uniform() < 0.5 ? to : to + 1;
  for (let s = taker.stages; s > to; s--) taker.ends[s] = taker.ends[s - 1]!;
  taker.ends[to] = from + 1 + draws.below(length - 1);
  for (let s = taker.stages; s > place; s--) taker.devices[s] = taker.devices[s - 1]!;
  taker.devices[place] = device;
  taker.stages++;
  return true;
}

/** A free device takes the whole model, and a part of the samples of another pipeline. */
function founded(parts: readonly Rated[], at: number, { draws, used, longest, most }: Around): Changed | null {
  const row = draws.below(used.length);
  const giver = parts[at]!;
  if (used[row] !== 0 || parts.length >= most || giver.samples < 2) return null;
  const count = 1 + draws.below(giver.samples >> 1);
  const draft = draftOf(longest);
  const top = giver.pipeline.ends[giver.pipeline.stages - 1]!;
  draft.devices[0] = row;
  draft.ends[0] = top;
  draft.stages = 1;
  draft.microBatches = draws.uniform() < 0.5 ? 1 : count;
  return [...put(parts, at, withSamples(giver, giver.samples - count)), fresh(count, draft)];
}

/** A pipeline ends; the others share its samples. */
function ended(parts: readonly Rated[], at: number): Changed | null {
  if (parts.length === 1) return null;
  let left = parts[at]!.samples;
  const rest = parts.toSpliced(at, 1);
  return rest.map((part, i) => {
    const own = Math.ceil(left / (rest.length - i));
    left -= own;
    return own === 0 ? part : withSamples(part, part.samples + own);
  });
}

/** With another number of samples; one sample a micro-batch stays so. */
export function withSamples({ samples, pipeline }: Replica, count: number): Replica {
  const microBatches = pipeline.microBatches === samples ? count : Math.min(pipeline.microBatches, count);
  return { samples: count, pipeline: { ...pipeline, microBatches } };
}

const fresh = (samples: number, draft: Draft): Replica => ({ samples, pipeline: draft });

function draftFrom(pipeline: Replica['pipeline'], longest: number): Draft {
  const draft = draftOf(longest);
  for (let s = 0; s < pipeline.stages; s++) {
    draft.devices[s] = pipeline.devices[s]!;
    draft.ends[s] = pipeline.ends[s]!;
  }
  draft.stages = pipeline.stages;
  draft.microBatches = pipeline.microBatches;
  draft.rule = pipeline.rule;
  return draft;
}
