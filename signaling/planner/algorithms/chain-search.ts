import { cheapestChain } from './chain.ts';
import type { Run, RunCosts } from './runs.ts';

export interface Measured {
  readonly latencySeconds: number;
}

/** Chains with shared bandwidth, as a search sees them. */
export interface ChainProblem<M extends Measured> {
  readonly bandwidthHz: number;
  /** Hertz that every run needs to finish before the limit. */
  readonly costsBefore: (limitSeconds: number) => RunCosts;
  /** What a chain really takes. */
  readonly measure: (runs: readonly Run[]) => M;
}

/** Iterations of the penalised shortest path, and what follows them. */
const EFFORTS = [
  { maxIterations: 25, reinserting: false },
  { maxIterations: 100, reinserting: true },
];

/** How far below the best latency a proof is tried when the bound does not close on it. */
const STEPS_DOWN = [1e-9, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3];

/**
 * The fastest chain of runs when bandwidth is shared: a chain below latency T exists iff the cheapest one, at the hertz that its runs need
 * to finish before T, costs less than the whole. Every chain found is tightened to the latency that it really takes, until none is below.
 */
export function fastestChain<M extends Measured>(problem: ChainProblem<M>, start: M, startRuns?: readonly Run[]): M {
  const { bandwidthHz, costsBefore, measure } = problem;
  let best = start;
  let known = startRuns;
  let penalties: Float64Array | undefined;
  for (;;) {
    const costs = costsBefore(best.latencySeconds);
    penalties ??= new Float64Array(costs.devices);
    let found: M | null = null;
    // The penalties go on from where they were: a few iterations mostly do, and many only when it seems to be the end.
    for (const { maxIterations, reinserting } of EFFORTS) {
      const { chain, bound } = cheapestChain(costs, bandwidthHz, { maxIterations, penalties, known, reinserting });
      found = chain && chain.cost < bandwidthHz ? measure(chain.runs) : null;
      if (found && found.latencySeconds < best.latencySeconds * (1 - 1e-13)) {
        known = chain?.runs;
        break;
      }
      found = null;
      if (bound >= bandwidthHz) break;
    }
    if (!found) return best;
    best = found;
  }
}

/** The highest of some limits just below the best latency before which no chain can finish: there the penalised bound exceeds the whole. */
export function provenBound<M extends Measured>(problem: ChainProblem<M>, best: M): number {
  for (const down of STEPS_DOWN) {
    const limit = best.latencySeconds * (1 - down);
    if (cheapestChain(problem.costsBefore(limit), problem.bandwidthHz).bound >= problem.bandwidthHz) return limit;
  }
  return 0;
}
