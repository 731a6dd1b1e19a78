import type { SplitProblem } from '../../protocol/pipeline/split-problem.ts';
import { boundOf } from '../pipelines/fastest-pipeline.ts';
import { type SplitAnswer, writePlan, writeReplicas } from './answer.ts';
import { type BestReplicas, fastestReplicas, mostPipelines } from './fastest-replicas.ts';
import { priceBound } from './price-bound.ts';
import { replicaBound } from './replica-bound.ts';

/** Operations of a search: an eighth of a second or so; of several pipelines each costs more beside the simulation. */
export const WORK = 1.5e7;
export const WORK_OF_SEVERAL = 7e6;

/** The model over a pipeline of devices, or over several. The same problem gives the same plan whatever the order of its devices. */
export function solveSplit(problem: SplitProblem, options: { readonly now?: () => number } = {}): SplitAnswer {
  const started = options.now?.() ?? 0;
  const best = fastestReplicas(problem, mostPipelines(problem) > 1 ? WORK_OF_SEVERAL : WORK);
  const answer: SplitAnswer =
    'reason' in best
      ? { policy: 'split', feasible: false, reason: best.reason, solver: 'none', solveMs: 0 }
      : written(best);
  return { ...answer, solveMs: (options.now?.() ?? 0) - started };
}

function written(best: BestReplicas): SplitAnswer {
  const { problem, found } = best;
  const bound = boundOfReplicas(best);
  const [first] = found.parts;
  return found.parts.length === 1 && first !== undefined
    ? writePlan(problem, { pipeline: first.pipeline, seconds: found.seconds }, bound)
    : writeReplicas(problem, found, bound);
}

/** What no pipeline, and no several that share the samples, can beat; what is fetched is left out. */
export function boundOfReplicas({ problem, evaluator, found, one, most }: BestReplicas): number {
  if (most === 1) return boundOf(one);
  const seconds = found.seconds - found.loading;
  return Math.max(replicaBound(problem, seconds), priceBound(evaluator, seconds));
}
