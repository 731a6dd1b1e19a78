import type { Fleet } from '../problem/fleet.ts';
import { type KnownOrders, teamCosts } from './team-costs.ts';
import { measureTeams, refineSamples, type TeamPlan } from './team-plan.ts';
import { settle } from './team-search.ts';
import { single } from './whole-model.ts';

/**
 * Every device that works trains the whole model on its part of the samples. At a latency T the least bandwidth for D samples is a
 * knapsack over the devices, solved by dynamic programming; each answer's own latency is the next T, until none is lower. Exact in
 * rounds of up to 32 samples; larger ones are dealt out in units that are refined afterwards. Null when nobody can train the whole model.
 */
export function dataParallel(fleet: Fleet): TeamPlan | null {
  const start = single(fleet);
  if ('reason' in start) return null;
  const workers = [...fleet.devices.keys()].filter((k) => fleet.deepestHeld[k] === fleet.blocks).map((k) => [k]);
  const none = workers.map(() => 0);
  const orders: KnownOrders = new Map();
  let best: TeamPlan = { ...start, teams: [[start.loads[0]!.device]], samples: [fleet.samples] };
  for (;;) {
    const costs = teamCosts(fleet, best.latencySeconds, orders);
    const settled = settle(fleet, costs, workers, none);
    const plan = settled && measureTeams(fleet, costs, settled);
    if (!plan || !(plan.latencySeconds < best.latencySeconds * (1 - 1e-12))) return refineSamples(fleet, best, orders);
    best = plan;
  }
}
