import type { Chain } from '../algorithms/runs.ts';
import { type Insertion, type Members, orderOf, type TeamCosts, type TeamState } from './team-costs.ts';

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
  /** Worked out for the few moves that are tried. */
  readonly instead: () => readonly NewTeam[];
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

/** A state as the moves see it. */
interface Scene {
  readonly costs: TeamCosts;
  readonly active: readonly Team[];
  readonly idle: readonly Idle[];
  readonly devices: number;
  /** Hertz that a sample is worth. */
  readonly marginal: number;
  readonly propose: (gain: number, without: readonly number[], instead: () => readonly NewTeam[]) => void;
}

/** In small rooms a team that an idle device joins is priced exactly, elsewhere by the one run that the device would cut. */
const MAX_DEVICES_TO_PRICE_JOINS = 16;

/** Moves between two teams of a state that seem to save more than `threshold` hertz. */
export function proposals(costs: TeamCosts, state: TeamState, threshold: number): Move[] {
  const active: Team[] = [];
  const idle: Idle[] = [];
  state.teams.forEach((members, index) => {
    const samples = state.samples[index]!;
    if (samples > 0) active.push({ index, members, samples, chain: costs.chain(members, samples)! });
    else for (const device of members) idle.push({ index, device });
  });
  const moves: Move[] = [];
  const scene: Scene = {
    costs,
    active,
    idle,
    devices: idle.length + active.reduce((sum, { members }) => sum + members.length, 0),
    marginal: state.marginal < Infinity ? state.marginal : 0,
    propose(gain, without, instead) {
      if (gain > threshold) moves.push({ gain, without, instead });
    },
  };
  for (const team of active) {
    joins(scene, team);
    for (const other of active) if (other !== team) meetings(scene, team, other);
    if (team.members.length > 1) for (const member of team.members) leavings(scene, team, member);
  }
  if (idle.length <= MAX_DEVICES_TO_PRICE_JOINS) pairings(scene, Math.max(...state.samples));
  return moves;
}

/** An idle device helps a team. */
function joins({ costs, idle, devices, propose }: Scene, team: Team): void {
  for (const { index, device } of idle) {
    const { gain, order } = insertion(costs, team.chain, device, team.samples);
    let worth = gain;
    if (devices <= MAX_DEVICES_TO_PRICE_JOINS) {
      const members = union(team.members, [device]);
      costs.suggest(members, order);
      worth = team.chain.cost - (costs.chain(members, team.samples)?.cost ?? Infinity);
    }
    propose(worth, [team.index, index], () => [joined(team, device, order)]);
  }
}

function joined(team: Team, device: number, order: readonly number[]): NewTeam {
  return { members: union(team.members, [device]), around: team.samples, order };
}

/** Two idle devices found a team. */
function pairings({ costs, idle, marginal, propose }: Scene, most: number): void {
  const counts = new Set([1, 0.25, 0.5].map((part) => Math.max(1, Math.round(part * most))));
  idle.forEach((one, i) => {
    for (const other of idle.slice(i + 1)) {
      const members = union([one.device], [other.device]);
      for (const samples of counts) {
        const gain = marginal * samples - (costs.chain(members, samples)?.cost ?? Infinity);
        propose(gain, [one.index, other.index], () => [{ members, around: samples }]);
      }
    }
  });
}

/** Two teams become one, or a lone worker gives its samples away to help another team. */
function meetings({ costs, marginal, propose }: Scene, team: Team, other: Team): void {
  const without = [team.index, other.index];
  if (other.members.length === 1) {
    const device = other.members[0]!;
    const { gain, order } = insertion(costs, team.chain, device, team.samples);
    propose(gain + other.chain.cost - marginal * other.samples, without, () => [joined(team, device, order)]);
  }
  if (other.index > team.index) {
    const members = union(team.members, other.members);
    const samples = team.samples + other.samples;
    const order = [...team.chain.runs, ...other.chain.runs].sort((a, b) => a.to - b.to).map((run) => run.device);
    costs.suggest(members, order);
    const merged = costs.chain(members, samples)?.cost ?? Infinity;
    propose(team.chain.cost + other.chain.cost - merged, without, () => [{ members, around: samples, order }]);
  }
}

/** A member works alone, changes to another team, founds a team with an idle device, or an idle device takes its place. */
function leavings({ costs, active, idle, marginal, propose }: Scene, team: Team, member: number): void {
  const { chain, samples, index } = team;
  const order = orderOf(chain);
  const rest = team.members.filter((device) => device !== member);
  const restOrder = order.filter((device) => device !== member);
  const remaining: NewTeam = { members: rest, around: samples, order: restOrder };
  const alone: NewTeam = { members: [member], around: 0 };
  costs.suggest(rest, restOrder);
  const saved = chain.cost - (costs.chain(rest, samples)?.cost ?? Infinity);
  propose(saved + marginal, [index], () => [remaining, alone]);
  for (const other of active) {
    if (other === team) continue;
    const there = insertion(costs, other.chain, member, other.samples);
    propose(saved + there.gain, [index, other.index], () => [remaining, joined(other, member, there.order)]);
  }

  const taken = Math.max(1, samples >> 1);
  const whole = costs.chain([member], taken);
  if (whole && saved + marginal * taken > 0) {
    for (const { index: from, device } of idle) {
      const { gain, order: founders } = insertion(costs, whole, device, taken);
      propose(saved + marginal * taken - (whole.cost - gain), [index, from], () => [
        remaining,
        { members: union([member], [device]), around: taken, order: founders },
      ]);
    }
  }

  const run = chain.runs.find(({ device }) => device === member);
  if (!run) return;
  const own = costs.run(member, samples, run.from, run.to);
  for (const { index: from, device } of idle) {
    propose(own - costs.run(device, samples, run.from, run.to), [index, from], () => [
      {
        members: union(rest, [device]),
        around: samples,
        order: order.map((worker) => (worker === member ? device : worker)),
      },
      alone,
    ]);
  }
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
