import { type ChainOptions, cheapestChain, type Run, type RunCosts } from './chain.ts';

export interface Measured {
  readonly latencySeconds: number;
}

export interface ChainSearch<M extends Measured> {
  readonly best: M;
  /** No chain is faster. */
  readonly lowerBoundSeconds: number;
}

/** How far below the best latency a proof is tried when the bound does not close on it. */
const STEPS_DOWN = [1e-9, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3];

/**
 * The fastest chain of runs when bandwidth is shared: a chain below latency T exists iff the cheapest one, at the hertz that its runs need
 * to finish before T, costs less than the whole. Every chain found is tightened to the latency that it really takes, until none is below.
 * The penalised bound then says how far below the best none can be.
 */
export function fastestChain<M extends Measured>(
  start: M,
  bandwidthHz: number,
  costsBefore: (limitSeconds: number) => RunCosts,
  measure: (runs: readonly Run[]) => M,
): ChainSearch<M> {
  let best = start;
  let options: ChainOptions | undefined;
  const cheapestBefore = (limitSeconds: number) => {
    const costs = costsBefore(limitSeconds);
    options ??= { maxIterations: 100, penalties: new Float64Array(costs.devices) };
    return cheapestChain(costs, bandwidthHz, options);
  };
  for (;;) {
    const chain = cheapestBefore(best.latencySeconds).chain;
    if (!chain || !(chain.cost < bandwidthHz)) break;
    const found = measure(chain.runs);
    if (!(found.latencySeconds < best.latencySeconds * (1 - 1e-13))) break;
    best = found;
  }
  for (const down of STEPS_DOWN) {
    const limit = best.latencySeconds * (1 - down);
    if (cheapestBefore(limit).bound >= bandwidthHz) return { best, lowerBoundSeconds: limit };
  }
  return { best, lowerBoundSeconds: 0 };
}
