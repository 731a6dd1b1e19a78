import { shareBandwidth } from './bandwidth.ts';
import { chainLoads, type Fleet } from './fleet.ts';
import { fastestGroups } from './grouped.ts';
import type { Load } from './load.ts';
import { linkOf } from './run-costs.ts';
import { type TeamCosts, teamCosts } from './team-costs.ts';
import { descend, type Members, settle, type TeamState } from './team-search.ts';
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
  const { loads, hertz, latencySeconds } = grouped.best;
  plans.push({
    teams: [grouped.best.chain.map(({ device }) => device).sort((a, b) => a - b)],
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

function search(fleet: Fleet, start: TeamPlan): TeamPlan {
  let best = start;
  for (;;) {
    const costs = teamCosts(fleet, best.latencySeconds * (1 - 1e-9));
    const { teams, samples } = withIdle(fleet, best);
    const settled = settle(fleet, costs, teams, samples);
    if (!settled) return best;
    const state = descend(fleet, costs, settled);
    const plan = measure(fleet, costs, state);
    if (!(plan.latencySeconds < best.latencySeconds * (1 - 1e-7))) return best;
    best = plan;
  }
}

/** The latency that a state really takes. */
function measure(fleet: Fleet, costs: TeamCosts, state: TeamState): TeamPlan {
  const busy = state.teams.flatMap((members, t) =>
    state.samples[t]! > 0 ? [{ members, count: state.samples[t]! }] : [],
  );
  const loads: Load[] = [];
  let start = 0;
  for (const { members, count } of busy) {
    const chain = costs.chain(members, count)!;
    loads.push(...chainLoads(fleet, chain.runs.map(linkOf), { start, count }));
    start += count;
  }
  const shares = shareBandwidth(fleet.law, loads, fleet.bandwidthHz);
  return {
    teams: busy.map(({ members }) => members),
    samples: busy.map(({ count }) => count),
    loads,
    ...shares,
  };
}
