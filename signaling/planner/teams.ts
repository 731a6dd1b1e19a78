import { shareBandwidth } from './bandwidth.ts';
import { chainLoads, type Fleet } from './fleet.ts';
import { fastestGroups } from './grouped.ts';
import type { Load } from './load.ts';
import { linkOf } from './run-costs.ts';
import { type KnownOrders, type Members, orderOf, type TeamCosts, teamCosts } from './team-costs.ts';
import { descend, settle, type TeamState } from './team-search.ts';
import { dataParallel } from './whole-model.ts';

export interface TeamPlan {
  readonly teams: readonly Members[];
  readonly samples: readonly number[];
  readonly loads: readonly Load[];
  readonly hertz: readonly number[];
  readonly latencySeconds: number;
}

/**
 * `teams`: the samples are split over teams, inside a team the blocks over its members. Starts from every other plan's shape (each device for
 * itself; the fastest chain), and from balanced teams, and searches each: at the latency in hand, deal out samples and move devices while that lowers the
 * hertz needed; a sum below the whole means a lower latency. Never worse than its starts. Null when nothing works.
 */
export function fastestTeams(fleet: Fleet): TeamPlan | null {
  const starts = startingPlans(fleet);
  if (starts.length === 0) return null;
  const ends = starts.map((start) => search(fleet, start));
  return ends.reduce((a, b) => (b.latencySeconds < a.latencySeconds ? b : a));
}

function startingPlans(fleet: Fleet): TeamPlan[] {
  const plans: TeamPlan[] = [];
  const grouped = fastestGroups(fleet);
  if (!grouped) return [];
  const { loads, hertz, latencySeconds } = grouped;
  plans.push({
    teams: [grouped.chain.map(({ device }) => device).sort((a, b) => a - b)],
    samples: [fleet.samples],
    loads,
    hertz,
    latencySeconds,
  });
  const parallel = dataParallel(fleet);
  if (!('reason' in parallel)) {
    plans.push({
      ...parallel,
      teams: parallel.loads.map(({ device }) => [device]),
      samples: parallel.loads.map((load) => load.samples!.count),
    });
  }
  return plans;
}

/** Everybody who is in no team becomes one of their own, without samples. */
function withIdle(fleet: Fleet, plan: TeamPlan): { teams: Members[]; samples: number[] } {
  const busy = new Set(plan.teams.flat());
  const idle = [...fleet.devices.keys()].filter((k) => !busy.has(k) && fleet.deepestHeld[k]! >= 0);
  return { teams: [...plan.teams, ...idle.map((k) => [k])], samples: [...plan.samples, ...idle.map(() => 0)] };
}

/** Gains below this part of the latency are left to the last step, which moves no devices. */
const WORTH_A_STAGE = 1e-4;

function search(fleet: Fleet, start: TeamPlan): TeamPlan {
  const orders: KnownOrders = new Map();
  let best: TeamPlan = start;
  for (let moving = true; ; ) {
    const costs = teamCosts(fleet, best.latencySeconds * (1 - 1e-9), orders);
    const { teams, samples } = moving ? withIdle(fleet, best) : best;
    teams.forEach((members, t) => {
      if (samples[t]! > 0) costs.reconsider(members, samples[t]!);
    });
    const settled = settle(fleet, costs, teams, samples);
    const plan: TeamPlan | null = settled && measure(fleet, costs, moving ? descend(fleet, costs, settled) : settled);
    const gain: number = plan ? 1 - plan.latencySeconds / best.latencySeconds : 0;
    if (plan && gain > 0) best = plan;
    if (moving) moving = gain > WORTH_A_STAGE;
    else if (gain < 1e-9) return best;
  }
}

/** The latency that a state really takes. */
function measure(fleet: Fleet, costs: TeamCosts, state: TeamState): TeamPlan {
  const teams: Members[] = [];
  const samples: number[] = [];
  const loads: Load[] = [];
  let start = 0;
  state.teams.forEach((members, t) => {
    const count = state.samples[t]!;
    if (count === 0) return;
    const chain = costs.chain(members, count)!;
    loads.push(...chainLoads(fleet, chain.runs.map(linkOf), { start, count }));
    const order = orderOf(chain);
    const working = order.toSorted((a, b) => a - b);
    costs.suggest(working, order);
    teams.push(working);
    samples.push(count);
    start += count;
  });
  return { teams, samples, loads, ...shareBandwidth(fleet.law, loads, fleet.bandwidthHz) };
}
