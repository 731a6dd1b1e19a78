import type { WholePolicy } from '../../protocol/settings.ts';
import { drawsFrom } from '../algorithms/random.ts';
import { depthUnaware, greedy, random } from '../blocks/baselines.ts';
import { groupedBound } from '../blocks/bounds.ts';
import type { JointAnswer } from '../blocks/exact.ts';
import { type Fleet, whyNoChain } from '../problem/fleet.ts';
import type { Refusal, Solution } from '../problem/load.ts';
import type { BlockTable } from '../problem/table.ts';
import { dataParallel } from './data-parallel.ts';
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
import { fastestTeams } from './teams.ts';
import { teamsBound } from './teams-bound.ts';
import { offload, single } from './whole-model.ts';

export interface DetailedContext {
  readonly seed: number;
  /** The whole fleet: bounds speak of it, `fleet` may be its shortlist. */
  readonly all: Fleet;
}

type DetailedPolicy = (fleet: Fleet, context: DetailedContext) => Solution | Refusal;

/** Up to so many devices every one-block plan states the bound of the fastest chain; beyond, a cheaper one. */
const MAX_DEVICES_TO_CERTIFY = 64;

/** The policies on the detailed form: layers are grouped, samples split and micro-batches picked here. */
export const detailedPolicies: Record<WholePolicy, DetailedPolicy> = {
  crunch(fleet, { all }) {
    const hertz = fleet.bandwidthHz / all.devices.length;
    const grouping = groupAtFixedRate(fleet, hertz, fleet.blocks);
    if (!grouping) return refuse(fleet, 'grouping by bisection');
    const grouped = chainAt(fleet, grouping.chain, hertz);
    const singles = singleLayers(fleet, hertz);
    return singles && singles.plan.latencySeconds < grouped.latencySeconds
      ? oneBlockEach(all, singles.plan, singles.solver)
      : oneBlockEach(all, grouped, grouping.solver);
  },

  exact(fleet, { all }) {
    const plan = fastestGroups(fleet);
    if (!plan) return refuse(fleet, 'groups by penalised shortest path');
    const lowerBoundSeconds = groupsBound(all, plan);
    return { ...plan, lowerBoundSeconds, solver: 'groups by penalised shortest path' };
  },

  lola(fleet, { all }) {
    const found = lolaOnGroups(fleet);
    if (!found) return refuse(fleet, 'dual ascent on groups');
    return oneBlockEach(all, found.plan, `dual ascent on groups, ${found.iterations} iterations`);
  },

  teams(fleet, { all }) {
    const solver = 'teams by local search';
    const plan = fastestTeams(fleet);
    if (!plan) return refuse(fleet, solver);
    return { ...plan, lowerBoundSeconds: teamsBound(all, plan.latencySeconds), solver };
  },

  random: (fleet, { seed, all }) => baseline(fleet, all, 'drawn blocks', (table) => random(table, drawsFrom(seed))),
  greedy: (fleet, { all }) => baseline(fleet, all, 'fastest takes deepest', greedy),
  'depth-unaware': (fleet, { all }) => baseline(fleet, all, 'crunch on averaged costs', depthUnaware),

  'equal-bandwidth'(fleet, { all }) {
    const plan = equalParts(fleet);
    const solver = 'grouping at bandwidth / blocks';
    return plan ? oneBlockEach(all, plan, solver) : refuse(fleet, solver);
  },

  single: (fleet, { all }) => wholeModel(all, single(fleet)),
  offload: (fleet, { all }) => wholeModel(all, offload(fleet)),
  'data-parallel'(fleet, { all }) {
    const plan = dataParallel(fleet);
    const solver = 'samples by dynamic programming';
    return plan ? wholeModel(all, { ...plan, solver }) : refuse(fleet, solver);
  },
};

/** Blocks from crunch's grouping, allocated by a careless policy, bandwidth shared in the best way. */
function baseline(
  fleet: Fleet,
  all: Fleet,
  solver: string,
  policy: (table: BlockTable) => JointAnswer | null,
): Solution | Refusal {
  const grouping = startingGroups(fleet);
  const plan = grouping && onGroups(fleet, grouping.chain, policy);
  return plan ? oneBlockEach(all, plan, `${solver}, crunch's groups, best bandwidth`) : refuse(fleet, solver);
}

function oneBlockEach(fleet: Fleet, plan: GroupedPlan, solver: string): Solution {
  const fastest = fleet.devices.length <= MAX_DEVICES_TO_CERTIFY ? fastestGroups(fleet) : null;
  const bound = fastest ? groupsBound(fleet, fastest) : groupedBound(fleet, plan.latencySeconds);
  return { ...plan, lowerBoundSeconds: Math.min(bound, plan.latencySeconds), solver };
}

function wholeModel(fleet: Fleet, found: Omit<Solution, 'lowerBoundSeconds'> | Refusal): Solution | Refusal {
  if ('reason' in found) return found;
  return { ...found, lowerBoundSeconds: teamsBound(fleet, found.latencySeconds) };
}

function refuse(fleet: Fleet, solver: string): Refusal {
  return { reason: whyNoChain(fleet), solver };
}
