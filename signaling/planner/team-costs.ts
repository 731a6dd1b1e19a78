import { type Chain, chainBySubsets, cheapestChain, type RunCosts } from './chain.ts';
import type { Fleet } from './fleet.ts';
import { fleetRunTable } from './run-costs.ts';

/** Up to so many members a team's best chain is found exactly. */
const MAX_MEMBERS_FOR_SUBSETS = 4;
const ITERATIONS_FOR_LARGE_TEAMS = 25;

/** What teams need, in hertz, to finish before a limit. */
export interface TeamCosts {
  readonly limitSeconds: number;
  /** Hertz of a device's runs when it carries so many samples. */
  runs(device: number, samples: number): Float64Array;
  /** The cheapest chain of a team for so many samples; members may be left out of it. Null when there is none. */
  chain(members: readonly number[], samples: number): Chain | null;
}

/** Everything is worked out when first asked for and kept: a search comes back to the same teams many times. */
export function teamCosts(fleet: Fleet, limitSeconds: number): TeamCosts {
  const blocks = fleet.layers + 1;
  const tables = new Map<number, Float64Array>();
  const chains = new Map<string, Chain | null>();

  const runs = (device: number, samples: number): Float64Array => {
    const key = samples * fleet.devices.length + device;
    let table = tables.get(key);
    if (!table) {
      table = fleetRunTable(fleet, device, samples, limitSeconds, true);
      tables.set(key, table);
    }
    return table;
  };

  const find = (members: readonly number[], samples: number): Chain | null => {
    const [only] = members;
    if (members.length === 1) {
      const cost = runs(only!, samples)[blocks]!;
      return cost < Infinity ? { runs: [{ device: only!, from: 0, to: blocks }], cost } : null;
    }
    const costs: RunCosts = { devices: members.length, blocks, of: (i) => runs(members[i]!, samples) };
    const all = members.map((_, i) => i);
    const found =
      members.length <= MAX_MEMBERS_FOR_SUBSETS
        ? chainBySubsets(costs, all)
        : cheapestChain(costs, NaN, {
            maxIterations: ITERATIONS_FOR_LARGE_TEAMS,
            penalties: new Float64Array(members.length),
          }).chain;
    return found && { ...found, runs: found.runs.map((run) => ({ ...run, device: members[run.device]! })) };
  };

  return {
    limitSeconds,
    runs,
    chain(members, samples) {
      const key = `${samples}:${members.join()}`;
      let chain = chains.get(key);
      if (chain === undefined) {
        chain = find(members, samples);
        chains.set(key, chain);
      }
      return chain;
    },
  };
}
