import { cheapestSplit } from '../algorithms/cheapest-split.ts';
import type { Fleet } from '../problem/fleet.ts';
import type { Members, TeamCosts, TeamState } from './team-costs.ts';
import { type Move, proposals } from './team-moves.ts';

/** Samples are dealt out in at most so many units; a unit is one sample in rounds up to that size. */
const MAX_UNITS = 32;
/** Teams of several devices are priced only at so many units around what they have. */
const WINDOW = 2;
/** Of all moves that look good, so many of the best are settled exactly. */
const TRIED_PER_STEP = 5;
const MAX_STEPS = 60;

export function unitOf(fleet: Fleet): number {
  return Math.ceil(fleet.samples / MAX_UNITS);
}

/** Deals the samples out over teams in the cheapest way; null when that is impossible within the limit. */
export function settle(
  fleet: Fleet,
  costs: TeamCosts,
  teams: readonly Members[],
  around: readonly number[],
): TeamState | null {
  const unit = unitOf(fleet);
  const units = Math.ceil(fleet.samples / unit);
  const curves = teams.map((members, t) => {
    const curve = new Float64Array(units + 1).fill(Infinity);
    curve[0] = 0;
    const centre = Math.round(around[t]! / unit);
    const [first, last] =
      members.length === 1 ? [1, units] : [Math.max(1, centre - WINDOW), Math.min(units, centre + WINDOW)];
    for (let u = first; u <= last; u++) {
      curve[u] = costs.chain(members, Math.min(u * unit, fleet.samples))?.cost ?? Infinity;
      // More samples never cost less.
      if (curve[u] === Infinity) break;
    }
    return curve;
  });
  const split = cheapestSplit(curves, units);
  if (!split) return null;
  const samples = split.units.map((u) => u * unit);
  // The last unit may be a part of one: whoever has most has that much less.
  const most = samples.indexOf(Math.max(...samples));
  samples[most] = samples[most]! - (units * unit - fleet.samples);
  return { teams, samples, hertz: split.cost, marginal: split.marginal / unit };
}

/** Moves devices between teams while that lowers the hertz needed within the limit. */
export function descend(fleet: Fleet, costs: TeamCosts, start: TeamState): TeamState {
  let state = start;
  for (let step = 0; step < MAX_STEPS; step++) {
    const moves = proposals(costs, state, 1e-9 * state.hertz)
      .sort((a, b) => b.gain - a.gain)
      .slice(0, TRIED_PER_STEP);
    let next: TeamState | null = null;
    for (const move of moves) {
      next = apply(fleet, costs, state, move);
      if (next && next.hertz < state.hertz * (1 - 1e-9)) break;
      next = null;
    }
    if (!next) return state;
    state = released(costs, next);
  }
  return state;
}

function apply(fleet: Fleet, costs: TeamCosts, state: TeamState, move: Move): TeamState | null {
  const { without } = move;
  const instead = move.instead();
  const stay = state.teams.flatMap((members, t) =>
    without.includes(t) ? [] : [{ members, around: state.samples[t]! }],
  );
  for (const { members, order } of instead) if (order) costs.suggest(members, order);
  const all = [...stay, ...instead];
  return settle(
    fleet,
    costs,
    all.map(({ members }) => members),
    all.map(({ around }) => around),
  );
}

/** Members whom their team's chain leaves out are free again. */
function released(costs: TeamCosts, state: TeamState): TeamState {
  const teams: Members[] = [];
  const samples: number[] = [];
  state.teams.forEach((members, t) => {
    const count = state.samples[t]!;
    const chain = count > 0 && members.length > 1 ? costs.chain(members, count) : null;
    if (!chain || chain.runs.length === members.length) {
      teams.push(members);
      samples.push(count);
      return;
    }
    const order = chain.runs.map((run) => run.device);
    const working = order.toSorted((a, b) => a - b);
    costs.suggest(working, order);
    teams.push(working, ...members.filter((member) => !working.includes(member)).map((member) => [member]));
    samples.push(count, ...new Array<number>(members.length - working.length).fill(0));
  });
  return { ...state, teams, samples };
}
