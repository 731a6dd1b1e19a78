import type { WholePolicy } from '../../protocol/settings.ts';
import { drawsFrom } from '../algorithms/random.ts';
import { depthUnaware, greedy, random } from '../blocks/baselines.ts';
import { groupedBound } from '../blocks/bounds.ts';
import type { JointAnswer } from '../blocks/exact.ts';
import { type Fleet, whyNoChain } from '../problem/fleet.ts';
import type { Refusal, Solution } from '../problem/load.ts';
import type { BlockTable } from '../problem/table.ts';
import {
  chainAt,
  equalParts,
  fastestGroups,
  type GroupedPlan,
  groupsBound,
  lolaOnGroups,
  onGroups,
  singleLayers,
  startingGroups,
} from './grouped.ts';
import { groupAtFixedRate } from './grouping.ts';
import type { KnownPlans } from './known-plans.ts';
import { fastestTeams } from './teams.ts';
import { teamsBound } from './teams-bound.ts';
import { offload, single } from './whole-model.ts';

export interface DetailedContext {
  readonly seed: number;
  /** The whole fleet: bounds speak of it, `fleet` may be its shortlist. */
  readonly all: Fleet;
  /** Whether each plan is to state the bound of its class; a comparison asks for the widest class's alone. */
  readonly bounded: boolean;
  /** Of `fleet`, worked out once for all policies that are asked. */
  readonly known: KnownPlans;
}

type DetailedPolicy = (fleet: Fleet, context: DetailedContext) => Solution | Refusal;

/** Up to so many devices every one-block plan states the bound of the fastest chain; beyond, a cheaper one. */
const MAX_DEVICES_TO_CERTIFY = 64;

/** The policies on the detailed form: layers are grouped, samples split and micro-batches picked here. */
export const detailedPolicies: Record<WholePolicy, DetailedPolicy> = {
  crunch(fleet, { all, bounded }) {
    const hertz = fleet.bandwidthHz / all.devices.length;
    const grouping = groupAtFixedRate(fleet, hertz, fleet.blocks);
    if (!grouping) return refuse(fleet, 'grouping by bisection');
    const grouped = chainAt(fleet, grouping.chain, hertz);
    const singles = singleLayers(fleet, hertz);
    return singles && singles.plan.latencySeconds < grouped.latencySeconds
      ? oneBlockEach(all, singles.plan, singles.solver, bounded)
      : oneBlockEach(all, grouped, grouping.solver, bounded);
  },

  exact(fleet, { all, bounded, known }) {
    const plan = known.groups();
    if (!plan) return refuse(fleet, 'groups by penalised shortest path');
    const lowerBoundSeconds = bounded ? groupsBound(all, plan) : 0;
    return { ...plan, lowerBoundSeconds, solver: 'groups by penalised shortest path' };
  },

  lola(fleet, { all, bounded }) {
    const found = lolaOnGroups(fleet);
    if (!found) return refuse(fleet, 'dual ascent on groups');
    return oneBlockEach(all, found.plan, `dual ascent on groups, ${found.iterations} iterations`, bounded);
  },

  teams(fleet, { all, known }) {
    const solver = 'teams by local search';
    const plan = fastestTeams(fleet, known);
    if (!plan) return refuse(fleet, solver);
    return { ...plan, lowerBoundSeconds: teamsBound(all, plan.latencySeconds), solver };
  },

  random: (fleet, { seed, ...of }) => baseline(fleet, of, 'drawn blocks', (table) => random(table, drawsFrom(seed))),
  greedy: (fleet, of) => baseline(fleet, of, 'fastest takes deepest', greedy),
  'depth-unaware': (fleet, of) => baseline(fleet, of, 'crunch on averaged costs', depthUnaware),

  'equal-bandwidth'(fleet, { all, bounded }) {
    const plan = equalParts(fleet);
    const solver = 'grouping at bandwidth / blocks';
    return plan ? oneBlockEach(all, plan, solver, bounded) : refuse(fleet, solver);
  },

  single: (fleet, { all, bounded }) => wholeModel(all, single(fleet), bounded),
  offload: (fleet, { all, bounded }) => wholeModel(all, offload(fleet), bounded),
  'data-parallel'(fleet, { all, bounded, known }) {
    const plan = known.parallel();
    const solver = 'samples by dynamic programming';
    return plan ? wholeModel(all, { ...plan, solver }, bounded) : refuse(fleet, solver);
  },
};

/** Blocks from crunch's grouping, allocated by a careless policy, bandwidth shared in the best way. */
function baseline(
  fleet: Fleet,
  { all, bounded }: Pick<DetailedContext, 'all' | 'bounded'>,
  solver: string,
  policy: (table: BlockTable) => JointAnswer | null,
): Solution | Refusal {
  const grouping = startingGroups(fleet);
  const plan = grouping && onGroups(fleet, grouping.chain, policy);
  return plan ? oneBlockEach(all, plan, `${solver}, crunch's groups, best bandwidth`, bounded) : refuse(fleet, solver);
}

function oneBlockEach(fleet: Fleet, plan: GroupedPlan, solver: string, bounded: boolean): Solution {
  if (!bounded) return { ...plan, lowerBoundSeconds: 0, solver };
  const fastest = fleet.devices.length <= MAX_DEVICES_TO_CERTIFY ? fastestGroups(fleet) : null;
  const bound = fastest ? groupsBound(fleet, fastest) : groupedBound(fleet, plan.latencySeconds);
  return { ...plan, lowerBoundSeconds: Math.min(bound, plan.latencySeconds), solver };
}

function wholeModel(
  fleet: Fleet,
  found: Omit<Solution, 'lowerBoundSeconds'> | Refusal,
  bounded: boolean,
): Solution | Refusal {
  if ('reason' in found) return found;
  return { ...found, lowerBoundSeconds: bounded ? teamsBound(fleet, found.latencySeconds) : 0 };
}

function refuse(fleet: Fleet, solver: string): Refusal {
  return { reason: whyNoChain(fleet), solver };
}
