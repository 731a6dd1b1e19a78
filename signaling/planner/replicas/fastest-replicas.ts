import type { SplitDevice, SplitProblem } from '../../protocol/pipeline/split-problem.ts';
import { windowCap } from '../../protocol/pipeline/stages.ts';
import { unitCount } from '../../protocol/split.ts';
import { type Best, fastestPipeline } from '../pipelines/fastest-pipeline.ts';
import { type RatedReplicas, type Replica, ReplicaEvaluator } from './replica-evaluator.ts';
import { annealReplicas } from './replica-search.ts';
import { alone, dealt } from './starts.ts';

/** Of the work goes into one pipeline; of the rest into what several of them begin with. */
const ONE = 0.2;
const BEGINNING = 0.3;
/** Numbers of pipelines from which a search begins. */
const COUNTS = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64] as const;
/** The best beginnings are searched from. */
const SEARCHED = 2;
/** Less than this part of the seconds is no gain: ties go to the fewest pipelines. */
const GAIN = 1e-9;

/** The best way found to share a round's samples over pipelines. */
export interface BestReplicas {
  /** With the devices in the order that rows speak of. */
  readonly problem: SplitProblem;
  readonly evaluator: ReplicaEvaluator;
  readonly found: RatedReplicas;
  /** The best single pipeline. */
  readonly one: Best;
  /** Pipelines that memory allows, at most. */
  readonly most: number;
}

/** One pipeline or several, whatever so much work finds quickest; or why there is none. */
export function fastestReplicas(
  problem: SplitProblem,
  work: number,
  nodes?: number,
): BestReplicas | { readonly reason: string } {
  const most = mostPipelines(problem);
  const one = fastestPipeline(problem, most > 1 ? ONE * work : work, nodes);
  if ('reason' in one) return one;
  const evaluator = new ReplicaEvaluator(one.evaluator.rows);
  const first = evaluator.rate([{ samples: problem.split.samples, pipeline: one.found.pipeline }]);
  if (first === null) throw new Error('The best pipeline does not fit.');
  const best = { problem: one.problem, evaluator, one, most };
  if (most === 1) return { ...best, found: first };
  const rest = (1 - ONE) * work;
  const begun = beginnings(evaluator, most, BEGINNING * rest);
  const left = rest - Math.min(evaluator.operations, BEGINNING * rest);
  const searched = [first, ...begun].sort((a, b) => a.seconds - b.seconds).slice(0, SEARCHED);
  const found = searched
    .map((start, i) => annealReplicas(evaluator, start, { seed: 3 + i, work: left / searched.length, most }))
    .reduce((a, b) => (b.seconds < a.seconds * (1 - GAIN) ? b : a), first);
  return { ...best, found: inOrder(simplest(evaluator, found)) };
}

function beginnings(evaluator: ReplicaEvaluator, most: number, work: number): RatedReplicas[] {
  const counts = COUNTS.filter((count) => count <= most);
  const each = work / (counts.length + 1);
  const made = [alone(evaluator, most, each), ...counts.map((count) => dealt(evaluator, count, each))];
  return made.flatMap((one) => (one === null ? [] : [one]));
}

/** The narrowest windows with which it is as quick. */
function simplest(evaluator: ReplicaEvaluator, found: RatedReplicas): RatedReplicas {
  let best = found;
  for (const i of found.parts.keys())
    for (const rule of [1, 2]) {
      const { samples, pipeline } = best.parts[i]!;
      if (pipeline.rule <= rule) break;
      const next: Replica[] = [...best.parts];
      next[i] = { samples, pipeline: { ...pipeline, rule } };
      const rated = evaluator.rate(next);
      if (rated !== null && rated.seconds <= best.seconds) best = rated;
    }
  return best;
}

/** Who takes most samples comes first. */
const inOrder = (found: RatedReplicas): RatedReplicas => ({
  ...found,
  parts: found.parts.toSorted((a, b) => b.samples - a.samples || a.pipeline.devices[0]! - b.pipeline.devices[0]!),
});

/** Pipelines of these devices at most: each has the embeddings, the head, every layer and a sample. */
export function mostPipelines({ split, devices, pipelines = 1 }: SplitProblem): number {
  if (pipelines === 1) return 1;
  const ofOne = { ...split, samples: 1 };
  const top = unitCount(split.layers);
  const fits = (device: SplitDevice, from: number, to: number) =>
    windowCap(ofOne, { device, run: { from, to } }, 1) >= 1;
  const holders = (from: number, to: number) => devices.filter((device) => fits(device, from, to)).length;
  /** Of the layers least is kept next to the embeddings, where none are trained, with them or without. */
  const mostLayers = (device: SplitDevice): number => {
    let most = 0;
    for (let count = 1; count <= split.layers; count++)
      if (fits(device, 1, 1 + count) || fits(device, 0, 1 + count)) most = count;
    return most;
  };
  const layers = devices.reduce((sum, device) => sum + mostLayers(device), 0);
  const byLayers = Math.floor(layers / split.layers);
  return Math.max(1, Math.min(pipelines, split.samples, holders(0, 1), holders(top - 1, top), byLayers));
}
