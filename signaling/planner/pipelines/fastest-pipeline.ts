import type { SplitDevice, SplitProblem } from '../../protocol/pipeline/split-problem.ts';
import { stageBytes, weightBytes, windowCap } from '../../protocol/pipeline/stages.ts';
import { unitCount } from '../../protocol/split.ts';
import { bytesText } from '../../protocol/words/quantities.ts';
import { runText } from '../../protocol/words/units.ts';
import { statedBound } from '../problem/stated-bound.ts';
import { Evaluator, type Pipeline } from './evaluator.ts';
import { fastestOfAll } from './exact.ts';
import { firstUnplaced, type Placement, placement } from './fitting.ts';
import { mediumBound } from './medium-bound.ts';
import { roomBound } from './room-bound.ts';
import { rowsOf } from './rows.ts';
import { anneal, type Found } from './search.ts';

/** Rooms of so many devices are tried out: every pipeline that could be quicker, as long as so many stages put are enough for that. */
const DEVICES_TO_TRY_OUT = 12;
const NODES = 1e6;
/** Of the work goes into finding something before all is tried. */
const BEFORE = 0.05;

export interface Best {
  /** With the devices in the order that rows speak of. */
  readonly problem: SplitProblem;
  readonly evaluator: Evaluator;
  readonly found: Found;
  /** Nothing is better: all was tried. */
  readonly proven: boolean;
}

/** What no pipeline can beat; what is fetched is left out. */
export function boundOf({ problem, evaluator, found, proven }: Best): number {
  evaluator.load(found.pipeline);
  const seconds = found.seconds - evaluator.loading;
  if (proven && problem.rounds === undefined) return seconds;
  const bound = roomBound(evaluator, seconds);
  return problem.shared ? Math.max(bound, statedBound(mediumBound(evaluator.rows))) : bound;
}

/** The best pipeline that so much work finds; or why there is none. */
export function fastestPipeline(given: SplitProblem, work: number, nodes = NODES): Best | { readonly reason: string } {
  const problem = { ...given, devices: given.devices.toSorted(compareDevices) };
  const placed = placement(problem);
  if (placed === null) return { reason: whyNone(problem) };
  const evaluator = new Evaluator(rowsOf(problem));
  const starts = [started(evaluator, placed), ...loaded(problem, evaluator, work / 4)];
  const start = starts.reduce((a, b) => (b.seconds < a.seconds ? b : a));
  const small = problem.devices.length <= DEVICES_TO_TRY_OUT;
  const first = small ? anneal(evaluator, start, { seed: 1, work: work * BEFORE }) : start;
  const tried = small ? fastestOfAll(evaluator, first, nodes) : { found: first, proven: false };
  const found = tried.proven ? tried.found : anneal(evaluator, tried.found, { seed: 2, work });
  return { problem, evaluator, found: simplest(evaluator, found), proven: tried.proven };
}

/** The best of those that hold something already: where fetching counts, steps from others lead there only when all of them have gone. */
function loaded(problem: SplitProblem, evaluator: Evaluator, work: number): Found[] {
  if (problem.rounds === undefined) return [];
  const rows = [...problem.devices.keys()].filter((row) => (problem.devices[row]!.loading?.holds ?? null) !== null);
  if (rows.length === 0 || rows.length === problem.devices.length) return [];
  const alone = { ...problem, devices: rows.map((row) => problem.devices[row]!) };
  const placed = placement(alone);
  if (placed === null) return [];
  const among = new Evaluator(rowsOf(alone));
  const { pipeline, seconds } = anneal(among, started(among, placed), { seed: 1, work });
  const devices = Array.from({ length: pipeline.stages }, (_, s) => rows[pipeline.devices[s]!]!);
  const mapped = { ...pipeline, devices };
  return seconds < Infinity ? [{ pipeline: mapped, seconds: secondsOf(evaluator, mapped) }] : [];
}

/** What memory allows, one sample at a time. */
function started(evaluator: Evaluator, placed: Placement): Found {
  const pipeline = {
    devices: placed.map(({ row }) => row),
    ends: placed.map(({ run }) => run.to),
    stages: placed.length,
    microBatches: evaluator.rows.samples,
    rule: 1,
  };
  return { pipeline, seconds: secondsOf(evaluator, pipeline) };
}

const secondsOf = (evaluator: Evaluator, pipeline: Pipeline): number =>
  evaluator.load(pipeline) ? evaluator.seconds() : Infinity;

/** The narrowest windows with which it is as quick. */
function simplest(evaluator: Evaluator, { pipeline, seconds }: Found): Found {
  for (const rule of [1, 2]) {
    const narrower = { ...pipeline, rule };
    const taken = secondsOf(evaluator, narrower);
    if (taken <= seconds) return { pipeline: narrower, seconds: taken };
  }
  return { pipeline, seconds };
}

/** One sentence that names the units for which there is no room, and their bytes: the least that any device needs for them. */
function whyNone(problem: SplitProblem): string {
  const { split, devices } = problem;
  const units = unitCount(split.layers);
  const least = (bytesOf: (device: SplitDevice) => number): string => bytesText(Math.min(...devices.map(bytesOf)));
  for (let unit = 0; unit < units; unit++) {
    const run = { from: unit, to: unit + 1 };
    if (devices.some((device) => windowCap(split, { device, run }, 1) >= 1)) continue;
    const needed = least((device) => stageBytes(split, { device, run }, 1, 1));
    const room = Math.max(...devices.map(({ memory }) => memory.limitBytes));
    return `no device's memory can hold ${runText(run, split.layers)} (${needed} with one sample's work), not even alone: the largest has ${bytesText(room)}; add a device with more`;
  }
  const unit = firstUnplaced(problem);
  const run = { from: unit, to: units };
  const weights = least((device) => weightBytes(split, { device, run }));
  const below =
    unit === 0
      ? ''
      : ` once ${unit === 1 ? 'the embeddings are' : `all up to ${runText({ from: unit - 1, to: unit }, split.layers)} are`} held`;
  return `the devices together cannot hold the model: nobody has memory left for ${runText(run, split.layers)} (${weights} of weights)${below}; add a device`;
}

/** By their numbers alone, ids only between equals: peers that come in another order get the same plan. */
function compareDevices(a: SplitDevice, b: SplitDevice): number {
  const one = numbersOf(a);
  const other = numbersOf(b);
  for (const [i, value] of one.entries()) if (value !== other[i]) return value - other[i]!;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

const numbersOf = ({ fixedSeconds, secondsPerSample, memory, bitsPerSecond, lagSeconds }: SplitDevice): number[] => [
  ...[secondsPerSample, fixedSeconds].flatMap((s) => [s.forwardPerLayer, s.backwardPerLayer, s.embed, s.head]),
  memory.limitBytes,
  bitsPerSecond,
  lagSeconds,
  memory.embeddingBytes,
  memory.layerBytes,
  memory.headBytes,
  memory.transientPerSample,
  memory.savedPerSamplePerLayer,
  memory.gradientBytesPerLayer,
];
