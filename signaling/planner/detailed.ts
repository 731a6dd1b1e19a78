import type { Policy } from '../protocol/settings.ts';
import { latencyAt } from './bandwidth.ts';
import { groupedBound, teamsBound } from './bounds.ts';
import { chainLoads, type Fleet, whyNoChain } from './fleet.ts';
import { groupAtFixedRate } from './grouping.ts';
import type { Refusal, Solution } from './load.ts';
import { dataParallel, offload, single } from './whole-model.ts';

/** The policies on the detailed form: layers are grouped, samples split and micro-batches picked here. */
export interface DetailedContext {
  readonly seed: number;
}

type DetailedPolicy = (fleet: Fleet, context: DetailedContext) => Solution | Refusal;

const later: DetailedPolicy = () => ({ reason: 'this policy is not available yet', solver: 'none' });

export const detailedPolicies: Record<Exclude<Policy, 'auto'>, DetailedPolicy> = {
  lola: later,
  exact: later,
  teams: later,
  random: later,
  greedy: later,
  'depth-unaware': later,
  'equal-bandwidth': later,
  crunch(fleet) {
    const hertz = fleet.bandwidthHz / fleet.devices.length;
    const grouping = groupAtFixedRate(fleet, hertz, fleet.layers);
    if (!grouping) return { reason: whyNoChain(fleet), solver: 'grouping by bisection' };
    const loads = chainLoads(fleet, grouping.chain, { start: 0, count: fleet.samples });
    const shares = loads.map(() => hertz);
    const latencySeconds = latencyAt(fleet.law, loads, shares);
    return {
      loads,
      hertz: shares,
      latencySeconds,
      lowerBoundSeconds: groupedBound(fleet, latencySeconds),
      solver: grouping.solver,
    };
  },
  single: (fleet) => bounded(fleet, single(fleet)),
  offload: (fleet) => bounded(fleet, offload(fleet)),
  'data-parallel': (fleet) => bounded(fleet, dataParallel(fleet)),
};

function bounded(fleet: Fleet, found: Omit<Solution, 'lowerBoundSeconds'> | Refusal): Solution | Refusal {
  if ('reason' in found) return found;
  return { ...found, lowerBoundSeconds: teamsBound(fleet, found.latencySeconds) };
}
