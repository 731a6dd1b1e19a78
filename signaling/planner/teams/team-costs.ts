import { chainBySubsets, cheapestChain } from '../algorithms/chain.ts';
import { type Chain, chainInOrder, type RunCosts } from '../algorithms/runs.ts';
import { hertzNeeded } from '../problem/channel.ts';
import { type Fleet, passSeconds, runBits } from '../problem/fleet.ts';
import { fleetRunTable } from '../problem/run-costs.ts';

/** Up to so many members a team's best chain is found exactly. */
const MAX_MEMBERS_FOR_SUBSETS = 3;
const ITERATIONS_FOR_LARGE_TEAMS = 15;

/** Devices of a team, ascending. */
export type Members = readonly number[];

/** Orders in which large teams work best, from the loss down, as far as they are known. Kept over a whole search. */
export type KnownOrders = Map<string, readonly number[]>;

/** What a chain gains if one more device takes part, and in which order. */
export interface Insertion {
  readonly gain: number;
  readonly order: readonly number[];
}

/** What teams need, in hertz, to finish before a limit. */
export interface TeamCosts {
  /** Hertz of one device for blocks `from` to `to` (positions of a chain) when it carries so many samples. */
  run(device: number, samples: number, from: number, to: number): number;
  /** The cheapest chain of a team for so many samples; members may be left out of it. Null when there is none. */
  chain(members: Members, samples: number): Chain | null;
  /** Looks for a better order of a large team than the known one. */
  reconsider(members: Members, samples: number): void;
  /** By chain and device, as far as they were asked for. */
  readonly insertions: Map<Chain, Map<number, Insertion>>;
  /** Says in which order a large team may work, unless one is known. */
  suggest(members: Members, order: readonly number[]): void;
}

/** Everything is worked out when first asked for and kept: a search comes back to the same teams many times. */
export function teamCosts(fleet: Fleet, limitSeconds: number, orders: KnownOrders): TeamCosts {
  const blocks = fleet.blocks + 1;
  const tables = new Map<number, Float64Array>();
  const chains = new Map<string, Chain | null>();

  const run = (device: number, samples: number, from: number, to: number): number => {
    const depth = to - 1;
    if (depth > fleet.deepestHeld[device]!) return Infinity;
    const seconds = limitSeconds - passSeconds(fleet, device, samples, depth);
    if (!(seconds > 0)) return Infinity;
    return hertzNeeded(fleet.law, fleet.coefficient[device]!, runBits(fleet, from - 1, depth), seconds);
  };

  const costsOf = (members: Members, samples: number): RunCosts => {
    const own = members.map((device) => {
      const key = samples * fleet.devices.length + device;
      let table = tables.get(key);
      if (!table) {
        table = fleetRunTable(fleet, device, samples, limitSeconds, true);
        tables.set(key, table);
      }
      return table;
    });
    return { devices: members.length, blocks, of: (i) => own[i]! };
  };

  const find = (members: Members, samples: number): Chain | null => {
    if (members.length === 1) {
      const cost = run(members[0]!, samples, 0, blocks);
      return cost < Infinity ? { runs: [{ device: members[0]!, from: 0, to: blocks }], cost } : null;
    }
    const costs = costsOf(members, samples);
    if (members.length <= MAX_MEMBERS_FOR_SUBSETS) return named(members, chainBySubsets(costs, [...members.keys()]));
    const order = orders.get(members.join());
    if (order) {
      const known = chainInOrder(
        costs,
        order.map((device) => members.indexOf(device)),
      );
      if (known) return named(members, known);
    }
    const found = named(members, bestOrder(costs));
    if (found) orders.set(members.join(), orderOf(found));
    return found;
  };

  return {
    run,
    insertions: new Map(),
    chain(members, samples) {
      const key = `${samples}:${members.join()}`;
      let chain = chains.get(key);
      if (chain === undefined) {
        chain = find(members, samples);
        chains.set(key, chain);
      }
      return chain;
    },
    reconsider(members, samples) {
      if (members.length <= MAX_MEMBERS_FOR_SUBSETS) return;
      const known = this.chain(members, samples);
      const found = named(members, bestOrder(costsOf(members, samples)));
      if (!found || (known && known.cost <= found.cost)) return;
      orders.set(members.join(), orderOf(found));
      chains.set(`${samples}:${members.join()}`, found);
    },
    suggest(members, order) {
      const key = members.join();
      if (members.length > MAX_MEMBERS_FOR_SUBSETS && !orders.has(key)) orders.set(key, order);
    },
  };
}

/** From positions among the members to devices. */
function named(members: Members, chain: Chain | null): Chain | null {
  return chain && { ...chain, runs: chain.runs.map((run) => ({ ...run, device: members[run.device]! })) };
}

function bestOrder(costs: RunCosts): Chain | null {
  const penalties = new Float64Array(costs.devices);
  return cheapestChain(costs, NaN, { maxIterations: ITERATIONS_FOR_LARGE_TEAMS, penalties }).chain;
}

export function orderOf(chain: Chain): number[] {
  return chain.runs.map((run) => run.device);
}

/** Who works together and on how many samples. The teams are disjoint. */
export interface TeamState {
  readonly teams: readonly Members[];
  /** Samples of each team; teams without are idle. */
  readonly samples: readonly number[];
  /** Hertz needed to finish before the limit. */
  readonly hertz: number;
  /** Hertz that a sample costs at the margin. */
  readonly marginal: number;
}
