import { drawsFrom, type RandomSource } from '../algorithms/random.ts';
import { shareBandwidth } from '../problem/bandwidth.ts';
import { type Fleet, passSeconds } from '../problem/fleet.ts';
import { type KnownPlans, knownPlans } from './known-plans.ts';
import { type KnownOrders, teamCosts } from './team-costs.ts';
import { measureTeams, refineSamples, type Shape, type TeamPlan } from './team-plan.ts';
import { descend, settle } from './team-search.ts';

/**
 * `teams`: the samples are split over teams, inside a team the blocks over its members. Starts from every other plan's shape (each device
 * for itself; the fastest chain) and searches from both: at the latency in hand, deal out samples and move devices while that lowers
 * the hertz needed; a sum below the whole means a lower latency. Then the best is shaken and searched again a fixed number of times.
 * Never worse than its starts; a heuristic beyond. Null when nothing works.
 */
export function fastestTeams(fleet: Fleet, known: KnownPlans = knownPlans(fleet)): TeamPlan | null {
  const [first, ...others] = startingPlans(fleet, known).sort((a, b) => a.latencySeconds - b.latencySeconds);
  if (!first) return null;
  let best = search(fleet, first);
  const draw = drawsFrom(1);
  const shakes = Math.min(MAX_SHAKES, Math.floor(SHAKES_BY_DEVICES / fleet.devices.length));
  const shapes = [
    ...others.map((other) => () => withIdle(fleet, other)),
    ...DEALT_TEAMS.map((teams) => () => dealt(fleet, teams, best.latencySeconds)),
    ...Array.from({ length: shakes }, () => () => shaken(withIdle(fleet, best), draw)),
  ];
  for (const shape of shapes) {
    const found = searchNear(fleet, shape(), best.latencySeconds);
    if (found && found.latencySeconds < best.latencySeconds) best = found;
  }
  return withFreeHead(fleet, best);
}

const MAX_SHAKES = 24;
const SHAKES_BY_DEVICES = 48;
/** Another shape may take so much longer than the best at first, and so much when its devices have found their places. */
const SLACK = 1.15;
const PROMISING = 1.1;

/** So many teams of equal strength are tried from scratch. */
const DEALT_TEAMS = [2, 3];
const HELPERS_PER_TEAM = 6;

/** Teams with equal samples: each gets one of the quickest devices that hold the whole model, then helpers in turn by what their uplink is worth. */
function dealt(fleet: Fleet, count: number, limitSeconds: number): Shape {
  const { devices, blocks, coefficient, deepestHeld, samples } = fleet;
  const each = Math.max(1, Math.round(samples / count));
  const seconds = (k: number, block: number) => passSeconds(fleet, k, each, block);
  const byWorth = (block: number) => {
    const worth = Float64Array.from(devices, (_, k) =>
      deepestHeld[k]! < block ? 0 : coefficient[k]! * Math.max(0, limitSeconds - seconds(k, block)),
    );
    return [...devices.keys()].filter((k) => worth[k]! > 0).sort((a, b) => worth[b]! - worth[a]! || a - b);
  };
  const teams: number[][] = byWorth(blocks)
    .slice(0, count)
    .map((k) => [k]);
  const helpers = byWorth(1).filter((k) => !teams.some((members) => members.includes(k)));
  for (const [i, k] of helpers.entries()) {
    if (i < HELPERS_PER_TEAM * count) teams[i % count]?.push(k);
    else teams.push([k]);
  }
  return {
    teams: teams.map((members) => members.sort((a, b) => a - b)),
    samples: teams.map((_, t) => (t < count ? each : 0)),
  };
}

/** Some devices change places at random. */
function shaken({ teams, samples }: Shape, draw: RandomSource): Shape {
  const mixed = [...teams, []].map((members, t) => ({ members: [...members], around: samples[t] ?? 0 }));
  for (let moved = 2 + draw.below(2); moved > 0; moved--) {
    const from = mixed[draw.below(mixed.length)]!.members;
    const device = from.splice(draw.below(from.length), 1)[0];
    if (device !== undefined) mixed[draw.below(mixed.length)]!.members.push(device);
  }
  const kept = mixed.filter(({ members }) => members.length > 0);
  return {
    teams: kept.map(({ members }) => members.toSorted((a, b) => a - b)),
    samples: kept.map(({ around }) => around),
  };
}

/** Searches from a shape that need not be good yet; null when it is not going to beat the best. */
function searchNear(fleet: Fleet, { teams, samples }: Shape, bestSeconds: number): TeamPlan | null {
  const costs = teamCosts(fleet, bestSeconds * SLACK, new Map());
  const settled = settle(fleet, costs, teams, samples);
  const plan = settled && measureTeams(fleet, costs, descend(fleet, costs, settled));
  return plan && plan.latencySeconds < bestSeconds * PROMISING ? search(fleet, plan) : null;
}

/**
 * Chains give the head to whoever takes the first layers. Where rate is not linear in bandwidth somebody else may carry it better.
 */
function withFreeHead(fleet: Fleet, plan: TeamPlan): TeamPlan {
  let best = plan;
  for (const owner of plan.loads.filter(({ depths }) => depths[0] === 0 && depths.length > 1)) {
    const before = best;
    for (const other of plan.loads) {
      if (other === owner || other.samples?.start !== owner.samples?.start) continue;
      const loads = before.loads.map((load) => {
        if (load.device === owner.device) {
          return { ...load, depths: load.depths.slice(1), uploadBits: load.uploadBits - fleet.headBits };
        }
        if (load.device !== other.device) return load;
        return { ...load, depths: [0, ...load.depths], uploadBits: load.uploadBits + fleet.headBits };
      });
      const shares = shareBandwidth(fleet.law, loads, fleet.bandwidthHz);
      if (shares.latencySeconds < best.latencySeconds) best = { ...before, loads, ...shares };
    }
  }
  return best;
}

function startingPlans(fleet: Fleet, known: KnownPlans): TeamPlan[] {
  const plans: TeamPlan[] = [];
  const grouped = known.groups();
  if (!grouped) return [];
  const { loads, hertz, latencySeconds } = grouped;
  plans.push({
    teams: [grouped.chain.map(({ device }) => device).sort((a, b) => a - b)],
    samples: [fleet.samples],
    loads,
    hertz,
    latencySeconds,
  });
  const parallel = known.parallel();
  if (parallel) plans.push(parallel);
  return plans;
}

/** Everybody who is in no team becomes one of their own, without samples. */
function withIdle(fleet: Fleet, plan: TeamPlan): Shape {
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
    const plan: TeamPlan | null =
      settled && measureTeams(fleet, costs, moving ? descend(fleet, costs, settled) : settled);
    const gain: number = plan ? 1 - plan.latencySeconds / best.latencySeconds : 0;
    if (plan && gain > 0) best = plan;
    if (moving) moving = gain > WORTH_A_STAGE;
    else if (gain < 1e-9) return refineSamples(fleet, best, orders);
  }
}
