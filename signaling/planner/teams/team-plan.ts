import { shareBandwidth } from '../problem/bandwidth.ts';
import { chainLoads, type Fleet } from '../problem/fleet.ts';
import type { Load } from '../problem/load.ts';
import { blockRunOf } from '../problem/run-costs.ts';
import { type KnownOrders, type Members, orderOf, type TeamCosts, teamCosts } from './team-costs.ts';
import { unitOf } from './team-search.ts';

/** Teams, with the samples of each. */
export interface Shape {
  readonly teams: readonly Members[];
  readonly samples: readonly number[];
}

export interface TeamPlan extends Shape {
  readonly loads: readonly Load[];
  readonly hertz: readonly number[];
  readonly latencySeconds: number;
}

/** The latency that teams really take; those without samples, and members whom their team's chain leaves out, drop out. */
export function measureTeams(fleet: Fleet, costs: TeamCosts, shape: Shape): TeamPlan {
  const teams: Members[] = [];
  const samples: number[] = [];
  const loads: Load[] = [];
  let start = 0;
  shape.teams.forEach((members, t) => {
    const count = shape.samples[t]!;
    if (count === 0) return;
    const chain = costs.chain(members, count)!;
    loads.push(...chainLoads(fleet, chain.runs.map(blockRunOf), { start, count }));
    const order = orderOf(chain);
    const working = order.toSorted((a, b) => a - b);
    costs.suggest(working, order);
    teams.push(working);
    samples.push(count);
    start += count;
  });
  return { teams, samples, loads, ...shareBandwidth(fleet.law, loads, fleet.bandwidthHz) };
}

/**
 * Large rounds are dealt out in units; here ever smaller parts of a unit move from one team to another while that lowers the latency.
 */
export function refineSamples(fleet: Fleet, plan: TeamPlan, orders: KnownOrders): TeamPlan {
  let best = plan;
  for (let step = unitOf(fleet) >> 1; step >= 1; step >>= 1) {
    for (;;) {
      const costs = teamCosts(fleet, best.latencySeconds, orders);
      const samples = cheapestTransfer(costs, best, step);
      if (!samples) break;
      const next = measureTeams(fleet, costs, { teams: best.teams, samples });
      if (!(next.latencySeconds < best.latencySeconds * (1 - 1e-9))) break;
      best = next;
    }
  }
  return best;
}

/** Samples after the transfer of `step` between two teams that saves most hertz; null when none does. */
function cheapestTransfer(costs: TeamCosts, { teams, samples }: Shape, step: number): number[] | null {
  const cost = (t: number, count: number) => (count === 0 ? 0 : (costs.chain(teams[t]!, count)?.cost ?? Infinity));
  const now = teams.map((_, t) => cost(t, samples[t]!));
  const more = teams.map((_, t) => cost(t, samples[t]! + step) - now[t]!);
  let saved = 1e-12 * now.reduce((a, b) => a + b, 0);
  let best: number[] | null = null;
  teams.forEach((_, from) => {
    if (samples[from]! < step) return;
    const less = now[from]! - cost(from, samples[from]! - step);
    teams.forEach((_, to) => {
      if (to === from || !(less - more[to]! > saved)) return;
      saved = less - more[to]!;
      best = samples.map((count, t) => count + (t === to ? step : t === from ? -step : 0));
    });
  });
  return best;
}
