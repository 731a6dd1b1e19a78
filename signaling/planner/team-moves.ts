import type { Chain } from './chain.ts';
import { type Insertion, type Members, orderOf, type TeamCosts } from './team-costs.ts';
import type { TeamState } from './team-search.ts';

interface NewTeam {
  readonly members: Members;
  /** Samples near which it is worth pricing. */
  readonly around: number;
  /** In which it may work, from the loss down. */
  readonly order?: readonly number[];
}

/** A change of teams. */
export interface Move {
  /** Indices of the teams that go. */
  readonly without: readonly number[];
  readonly instead: readonly NewTeam[];
  /** Hertz that it seems to save when samples that change hands are worth the marginal price. */
  readonly gain: number;
}

interface Team {
  readonly index: number;
  readonly members: Members;
  readonly samples: number;
  readonly chain: Chain;
}

interface Idle {
  readonly index: number;
  readonly device: number;
}

/** Every move between two teams of a state, and what it seems to gain. */
export function proposals(costs: TeamCosts, state: TeamState): Move[] {
  const active: Team[] = [];
  const idle: Idle[] = [];
  state.teams.forEach((members, index) => {
    const samples = state.samples[index]!;
    if (samples > 0) active.push({ index, members, samples, chain: costs.chain(members, samples)! });
    else for (const device of members) idle.push({ index, device });
  });
  const marginal = state.marginal < Infinity ? state.marginal : 0;
  const unitSamples = [1, 0.25, 0.5].map((part) => Math.max(1, Math.round(part * Math.max(...state.samples))));
  const pairs =
    idle.length <= MAX_DEVICES_TO_PRICE_JOINS ? pairings(costs, idle, [...new Set(unitSamples)], marginal) : [];
  return active
    .flatMap((team) => [
      ...joins(costs, team, idle, state.teams.flat().length),
      ...active.flatMap((other) => (other === team ? [] : meetings(costs, team, other, marginal))),
      ...(team.members.length > 1 ? leavings(costs, team, active, idle, marginal) : []),
    ])
    .concat(pairs);
}

/** Two idle devices found a team. */
function pairings(costs: TeamCosts, idle: readonly Idle[], sampleCounts: readonly number[], marginal: number): Move[] {
  return idle.flatMap((one, i) =>
    idle.slice(i + 1).flatMap((other) =>
      sampleCounts.map((samples) => {
        const members = union([one.device], [other.device]);
        const gain = marginal * samples - (costs.chain(members, samples)?.cost ?? Infinity);
        return { without: [one.index, other.index], instead: [{ members, around: samples }], gain };
      }),
    ),
  );
}

/** In small rooms a team that an idle device joins is priced exactly, elsewhere by the one run that the device would cut. */
const MAX_DEVICES_TO_PRICE_JOINS = 16;

/** An idle device helps a team. */
function joins(costs: TeamCosts, team: Team, idle: readonly Idle[], devices: number): Move[] {
  return idle.map(({ index, device }) => {
    const guess = insertion(costs, team.chain, device, team.samples);
    const newTeam = joined(team, device, guess.order);
    let { gain } = guess;
    if (devices <= MAX_DEVICES_TO_PRICE_JOINS) {
      costs.suggest(newTeam.members, guess.order);
      gain = team.chain.cost - (costs.chain(newTeam.members, team.samples)?.cost ?? Infinity);
    }
    return { without: [team.index, index], instead: [newTeam], gain };
  });
}

function joined(team: Team, device: number, order: readonly number[]): NewTeam {
  return { members: union(team.members, [device]), around: team.samples, order };
}

/** Two teams become one, or a lone worker gives its samples away to help another team. */
function meetings(costs: TeamCosts, team: Team, other: Team, marginal: number): Move[] {
  const moves: Move[] = [];
  const without = [team.index, other.index];
  if (other.members.length === 1) {
    const { gain, order } = insertion(costs, team.chain, other.members[0]!, team.samples);
    const freed = other.chain.cost - marginal * other.samples;
    moves.push({ without, instead: [joined(team, other.members[0]!, order)], gain: gain + freed });
  }
  if (other.index > team.index) {
    const members = union(team.members, other.members);
    const samples = team.samples + other.samples;
    const order = [...team.chain.runs, ...other.chain.runs].toSorted((a, b) => a.to - b.to).map((run) => run.device);
    costs.suggest(members, order);
    const merged = costs.chain(members, samples)?.cost ?? Infinity;
    moves.push({
      without,
      instead: [{ members, around: samples, order }],
      gain: team.chain.cost + other.chain.cost - merged,
    });
  }
  return moves;
}

/** A member works alone, changes to another team, or an idle device takes its place. */
function leavings(
  costs: TeamCosts,
  team: Team,
  active: readonly Team[],
  idle: readonly Idle[],
  marginal: number,
): Move[] {
  const { chain, samples, index } = team;
  const order = orderOf(chain);
  return team.members.flatMap((member) => {
    const rest = team.members.filter((device) => device !== member);
    const restOrder = order.filter((device) => device !== member);
    const remaining: NewTeam = { members: rest, around: samples, order: restOrder };
    const alone: NewTeam = { members: [member], around: 0 };
    costs.suggest(rest, restOrder);
    const saved = chain.cost - (costs.chain(rest, samples)?.cost ?? Infinity);
    const moves: Move[] = [{ without: [index], instead: [remaining, alone], gain: saved + marginal }];
    for (const other of active) {
      if (other === team) continue;
      const there = insertion(costs, other.chain, member, other.samples);
      const instead = [remaining, joined(other, member, there.order)];
      moves.push({ without: [index, other.index], instead, gain: saved + there.gain });
    }
    moves.push(...foundings(costs, team, remaining, member, saved, idle, marginal));
    const run = chain.runs.find(({ device }) => device === member);
    if (!run) return moves;
    const own = costs.run(member, samples, run.from, run.to);
    for (const { index: from, device } of idle) {
      const gain = own - costs.run(device, samples, run.from, run.to);
      const members = union(rest, [device]);
      const replaced = order.map((worker) => (worker === member ? device : worker));
      moves.push({ without: [index, from], instead: [{ members, around: samples, order: replaced }, alone], gain });
    }
    return moves;
  });
}

/** A member leaves with some samples to found a team with an idle device. */
function foundings(
  costs: TeamCosts,
  team: Team,
  remaining: NewTeam,
  member: number,
  saved: number,
  idle: readonly Idle[],
  marginal: number,
): Move[] {
  const samples = Math.max(1, team.samples >> 1);
  const alone = costs.chain([member], samples);
  if (!alone) return [];
  return idle.map(({ index, device }) => {
    const { gain, order } = insertion(costs, alone, device, samples);
    const founded = { members: union([member], [device]), around: samples, order };
    const worth = marginal * samples - (alone.cost - gain);
    return { without: [team.index, index], instead: [remaining, founded], gain: saved + worth };
  });
}

function union(a: Members, b: Members): Members {
  return [...a, ...b].sort((x, y) => x - y);
}

/** What a chain gains if a device takes over the front or the back of one of its runs, and the order that this makes. */
function insertion(costs: TeamCosts, chain: Chain, device: number, samples: number): Insertion {
  const known = costs.insertions.get(chain) ?? new Map<number, Insertion>();
  costs.insertions.set(chain, known);
  let found = known.get(device);
  if (!found) {
    found = findInsertion(costs, chain, device, samples);
    known.set(device, found);
  }
  return found;
}

function findInsertion(costs: TeamCosts, chain: Chain, device: number, samples: number): Insertion {
  let gain = 0;
  let place = chain.runs.length;
  for (let i = 0; i < chain.runs.length; i++) {
    const { device: worker, from, to } = chain.runs[i]!;
    const whole = costs.run(worker, samples, from, to);
    for (let cut = from + 1; cut <= to; cut++) {
      const front = costs.run(device, samples, from, cut);
      // A later cut costs the newcomer more still.
      if (front >= whole) break;
      const saved = whole - front - (cut < to ? costs.run(worker, samples, cut, to) : 0);
      if (saved > gain) {
        gain = saved;
        place = i;
      }
    }
    for (let cut = to - 1; cut > from; cut--) {
      const back = costs.run(device, samples, cut, to);
      if (back >= whole) break;
      const saved = whole - back - costs.run(worker, samples, from, cut);
      if (saved > gain) {
        gain = saved;
        place = i + 1;
      }
    }
  }
  return { gain, order: orderOf(chain).toSpliced(place, 0, device) };
}
