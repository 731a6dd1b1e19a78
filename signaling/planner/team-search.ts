import type { Chain } from './chain.ts';
import type { Fleet } from './fleet.ts';
import { cheapestSplit } from './samples.ts';
import type { TeamCosts } from './team-costs.ts';

/** Devices of a team, ascending; the teams of a state are disjoint. */
export type Members = readonly number[];

/** Who works together and on how many samples. */
export interface TeamState {
  readonly teams: readonly Members[];
  /** Samples of each team; teams without are idle. */
  readonly samples: readonly number[];
  /** Hertz needed to finish before the limit. */
  readonly hertz: number;
  /** Hertz that the last unit of samples costs. */
  readonly marginal: number;
}

/** Samples are dealt out in at most so many units; a unit is one sample in rounds up to that size. */
export const MAX_UNITS = 32;
/** Larger teams are priced only at so many units around what they have. */
const WINDOW = 3;
/** Of all moves that look good, so many of the best are settled exactly. */
const TRIED_PER_STEP = 6;
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
    const centre = Math.round((around[t] ?? 0) / unit);
    const [first, last] =
      members.length <= 2 ? [1, units] : [Math.max(1, centre - WINDOW), Math.min(units, centre + WINDOW)];
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
  return { teams, samples, hertz: split.cost, marginal: split.marginal };
}

interface Move {
  /** Indices of the teams that go. */
  readonly without: readonly number[];
  readonly instead: readonly { readonly members: Members; readonly around: number }[];
  readonly gain: number;
}

/** Moves devices between teams while that lowers the hertz needed within the limit. */
export function descend(fleet: Fleet, costs: TeamCosts, start: TeamState): TeamState {
  let state = start;
  for (let step = 0; step < MAX_STEPS; step++) {
    const moves = proposals(fleet, costs, state)
      .filter(({ gain }) => gain > 1e-9 * state.hertz)
      .sort((a, b) => b.gain - a.gain)
      .slice(0, TRIED_PER_STEP);
    let next: TeamState | null = null;
    for (const move of moves) {
      next = apply(fleet, costs, state, move);
      if (next && next.hertz < state.hertz * (1 - 1e-9)) break;
      next = null;
    }
    if (!next) return state;
    state = next;
  }
  return state;
}

function apply(fleet: Fleet, costs: TeamCosts, state: TeamState, { without, instead }: Move): TeamState | null {
  const stay = state.teams.flatMap((members, t) =>
    without.includes(t) ? [] : [{ members, around: state.samples[t]! }],
  );
  const all = [...stay, ...instead.filter(({ members }) => members.length > 0)];
  return settle(
    fleet,
    costs,
    all.map(({ members }) => members),
    all.map(({ around }) => around),
  );
}

/** Every move between two teams, with what it seems to gain when samples that change hands are worth the marginal price. */
function proposals(fleet: Fleet, costs: TeamCosts, state: TeamState): Move[] {
  const { teams, samples } = state;
  const perSample = state.marginal < Infinity ? state.marginal / unitOf(fleet) : 0;
  const active = teams.flatMap((members, t) => (samples[t]! > 0 ? [{ t, members, n: samples[t]! }] : []));
  const idle = teams.flatMap((members, t) => (samples[t] === 0 ? [{ t, members, n: 0 }] : []));
  const cost = (members: Members, n: number) => (n === 0 ? 0 : (costs.chain(members, n)?.cost ?? Infinity));
  const moves: Move[] = [];

  for (const a of active) {
    const chain = costs.chain(a.members, a.n)!;
    for (const x of idle) {
      if (x.members.length === 1) {
        const gain = insertionGain(fleet, costs, chain, x.members[0]!, a.n);
        moves.push({ without: [a.t, x.t], instead: [{ members: union(a.members, x.members), around: a.n }], gain });
      }
    }
    for (const b of active) {
      if (b.t === a.t) continue;
      const now = chain.cost + cost(b.members, b.n);
      // b's samples go to the others, b helps a.
      const members = union(a.members, b.members);
      const helped = now - perSample * b.n - cost(members, a.n);
      moves.push({ without: [a.t, b.t], instead: [{ members, around: a.n }], gain: helped });
      if (b.t > a.t) {
        const gain = now - cost(members, a.n + b.n);
        moves.push({ without: [a.t, b.t], instead: [{ members, around: a.n + b.n }], gain });
      }
    }
    if (a.members.length < 2) continue;
    for (const x of a.members) {
      const rest = a.members.filter((member) => member !== x);
      const restChain = costs.chain(rest, a.n);
      const saved = chain.cost - (restChain?.cost ?? Infinity);
      const alone = { members: [x], around: 0 };
      moves.push({ without: [a.t], instead: [{ members: rest, around: a.n }, alone], gain: saved + perSample });
      for (const b of active) {
        if (b.t === a.t) continue;
        const gain = saved + insertionGain(fleet, costs, costs.chain(b.members, b.n)!, x, b.n);
        const instead = [
          { members: rest, around: a.n },
          { members: union(b.members, [x]), around: b.n },
        ];
        moves.push({ without: [a.t, b.t], instead, gain });
      }
      for (const y of idle) {
        if (y.members.length > 1) continue;
        const swapped = union(rest, y.members);
        const estimate = restChain
          ? saved + insertionGain(fleet, costs, restChain, y.members[0]!, a.n)
          : replacementGain(fleet, costs, chain, x, y.members[0]!, a.n);
        moves.push({ without: [a.t, y.t], instead: [{ members: swapped, around: a.n }, alone], gain: estimate });
      }
    }
  }
  return moves;
}

function union(a: Members, b: Members): Members {
  return [...a, ...b].sort((x, y) => x - y);
}

/** What a chain gains if a device takes over the front or the back of one of its runs. */
function insertionGain(fleet: Fleet, costs: TeamCosts, chain: Chain, device: number, samples: number): number {
  const side = fleet.layers + 2;
  const own = costs.runs(device, samples);
  let best = 0;
  for (const run of chain.runs) {
    const table = costs.runs(run.device, samples);
    const whole = table[run.from * side + run.to]!;
    for (let cut = run.from; cut <= run.to; cut++) {
      const front =
        (cut > run.from ? own[run.from * side + cut]! : 0) + (cut < run.to ? table[cut * side + run.to]! : 0);
      const back =
        (cut > run.from ? table[run.from * side + cut]! : 0) + (cut < run.to ? own[cut * side + run.to]! : 0);
      best = Math.max(best, whole - front, whole - back);
    }
  }
  return best;
}

/** What a chain gains if one device takes the other's run as it is. */
function replacementGain(
  fleet: Fleet,
  costs: TeamCosts,
  chain: Chain,
  device: number,
  by: number,
  samples: number,
): number {
  const side = fleet.layers + 2;
  const run = chain.runs.find((candidate) => candidate.device === device);
  if (!run) return 0;
  const entry = run.from * side + run.to;
  return costs.runs(device, samples)[entry]! - costs.runs(by, samples)[entry]!;
}
