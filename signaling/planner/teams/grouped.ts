import { type ChainProblem, fastestChain, provenBound } from '../algorithms/chain-search.ts';
import { chainInOrder } from '../algorithms/runs.ts';
import { groupedBound } from '../blocks/bounds.ts';
import { crunchAt } from '../blocks/crunch.ts';
import type { JointAnswer } from '../blocks/exact.ts';
import { lola } from '../blocks/lola.ts';
import { latencyAt, shareBandwidth } from '../problem/bandwidth.ts';
import { type BlockRun, chainLoads, type Fleet, passSeconds, runBits } from '../problem/fleet.ts';
import type { Load } from '../problem/load.ts';
import { blockRunOf, fleetRunTable } from '../problem/run-costs.ts';
import type { BlockTable } from '../problem/table.ts';
import { type Grouping, groupAtFixedRate, quickGrouping } from './grouping.ts';

/** One-block policies on the detailed form: neighbouring layers are grouped into blocks, each device trains at most one for all samples. */
export interface GroupedPlan {
  readonly chain: readonly BlockRun[];
  readonly loads: readonly Load[];
  readonly hertz: readonly number[];
  readonly latencySeconds: number;
}

/** A chain with its bandwidth shared in the best way. */
export function shareChain(fleet: Fleet, chain: readonly BlockRun[]): GroupedPlan {
  const loads = chainLoads(fleet, chain, { start: 0, count: fleet.samples });
  return { chain, loads, ...shareBandwidth(fleet.law, loads, fleet.bandwidthHz) };
}

/** A chain in which everybody sends over `hertz`. */
export function chainAt(fleet: Fleet, chain: readonly BlockRun[], hertz: number): GroupedPlan {
  const loads = chainLoads(fleet, chain, { start: 0, count: fleet.samples });
  const shares = loads.map(() => hertz);
  return { chain, loads, hertz: shares, latencySeconds: latencyAt(fleet.law, loads, shares) };
}

/** One layer per device at fixed bandwidth, by crunch itself; null where there are too few devices for that. */
export function singleLayers(fleet: Fleet, hertz: number): { plan: GroupedPlan; solver: string } | null {
  if (fleet.devices.length < fleet.blocks) return null;
  const chain = Array.from({ length: fleet.blocks }, (_, b) => ({ device: 0, from: b === 0 ? -1 : b, to: b + 1 }));
  const table = groupedTable(fleet, chain);
  const found = crunchAt(table, hertz);
  if (!found) return null;
  const allocated = chain.map((run, b) => ({ ...run, device: found.allocation[b]! }));
  return { plan: chainAt(fleet, allocated, hertz), solver: found.solver };
}

/** Crunch's grouping when as many devices as can take part share the bandwidth equally: where the joint searches start. */
export function startingGroups(fleet: Fleet): Grouping | null {
  const most = Math.min(fleet.blocks, fleet.devices.length);
  return groupAtFixedRate(fleet, fleet.bandwidthHz / most, most);
}

/** The best grouping and blocks when each of the G devices that take part sends over W / G, for every G. */
export function equalParts(fleet: Fleet): GroupedPlan | null {
  let best: GroupedPlan | null = null;
  for (let parts = 1; parts <= Math.min(fleet.blocks, fleet.devices.length); parts++) {
    const grouping = groupAtFixedRate(fleet, fleet.bandwidthHz / parts, parts);
    if (!grouping) return null;
    const plan = chainAt(fleet, grouping.chain, fleet.bandwidthHz / grouping.chain.length);
    if (plan.latencySeconds < (best?.latencySeconds ?? Infinity)) best = plan;
  }
  return best;
}

/** Chains for all samples over some of the devices. */
function chainsOver(fleet: Fleet, rows: readonly number[]): ChainProblem<GroupedPlan> {
  return {
    bandwidthHz: fleet.bandwidthHz,
    costsBefore(limitSeconds) {
      const tables = rows.map((row) => fleetRunTable(fleet, row, fleet.samples, limitSeconds, false));
      return { devices: rows.length, blocks: fleet.blocks + 1, of: (device) => tables[device]! };
    },
    measure: (runs) =>
      shareChain(
        fleet,
        runs.map((run) => blockRunOf({ ...run, device: rows[run.device]! })),
      ),
  };
}

/** The fastest chain with shared bandwidth. Null when nobody can close a chain. */
export function fastestGroups(fleet: Fleet): GroupedPlan | null {
  const most = Math.min(fleet.blocks, fleet.devices.length);
  const grouping = quickGrouping(fleet, fleet.bandwidthHz / most, most);
  if (!grouping) return null;
  const starts = [shareChain(fleet, grouping.chain)];
  for (let device = 0; device < fleet.devices.length; device++) {
    if (fleet.deepestHeld[device] === fleet.blocks)
      starts.push(shareChain(fleet, [{ device, from: -1, to: fleet.blocks }]));
  }
  const start = starts.reduce((a, b) => (b.latencySeconds < a.latencySeconds ? b : a));
  const runs = start.chain.map(({ device, from, to }) => ({ device, from: from + 1, to: to + 1 }));
  return fastestChain(chainsOver(fleet, [...fleet.devices.keys()]), start, runs);
}

/** No chain is faster, given the fastest one that was found. */
export function groupsBound(fleet: Fleet, fastest: GroupedPlan): number {
  if (fleet.devices.length > MAX_DEVICES_TO_PROVE) return groupedBound(fleet, fastest.latencySeconds);
  return provenBound(chainsOver(fleet, [...fleet.devices.keys()]), fastest);
}

/** Beyond so many devices a cheaper bound is stated. */
const MAX_DEVICES_TO_PROVE = 128;

/** The table of blocks that a grouping makes. */
export function groupedTable(fleet: Fleet, chain: readonly BlockRun[]): BlockTable {
  const seconds = new Float64Array(fleet.devices.length * chain.length).fill(Infinity);
  for (let k = 0; k < fleet.devices.length; k++) {
    chain.forEach(({ to }, b) => {
      if (to <= fleet.deepestHeld[k]!) seconds[k * chain.length + b] = passSeconds(fleet, k, fleet.samples, to);
    });
  }
  return {
    ids: fleet.devices.map((device) => device.id),
    depths: chain.length,
    computeSeconds: seconds,
    uploadBits: Float64Array.from(chain, ({ from, to }) => runBits(fleet, from, to)),
    law: fleet.law,
    coefficient: fleet.coefficient,
    bandwidthHz: fleet.bandwidthHz,
  };
}

/** A table policy on the groups of a chain. */
export function onGroups(
  fleet: Fleet,
  chain: readonly BlockRun[],
  policy: (table: BlockTable) => JointAnswer | null,
): GroupedPlan | null {
  const found = policy(groupedTable(fleet, chain));
  if (!found) return null;
  return shareChain(
    fleet,
    chain.map((run, b) => ({ ...run, device: found.allocation[b]! })),
  );
}

/** Dual ascent on crunch's groups; then the borders between the devices that it chose move, and again while that helps. */
export function lolaOnGroups(fleet: Fleet): { plan: GroupedPlan; iterations: number } | null {
  const grouping = startingGroups(fleet);
  if (!grouping) return null;
  let chain = grouping.chain;
  let best: GroupedPlan | null = null;
  let iterations = 0;
  for (;;) {
    const plan = onGroups(fleet, chain, (table) => {
      const found = lola(table);
      iterations += found?.iterations ?? 0;
      return found;
    });
    if (!plan || !(plan.latencySeconds < (best?.latencySeconds ?? Infinity))) return best && { plan: best, iterations };
    best = moveBorders(fleet, plan);
    chain = best.chain;
  }
}

/** The best borders for the devices of a chain in its order. */
function moveBorders(fleet: Fleet, plan: GroupedPlan): GroupedPlan {
  const rows = plan.chain.map(({ device }) => device);
  const order = [...rows.keys()];
  const { costsBefore, measure, bandwidthHz } = chainsOver(fleet, rows);
  let best = plan;
  for (;;) {
    const moved = chainInOrder(costsBefore(best.latencySeconds), order);
    if (!moved || !(moved.cost < bandwidthHz)) return best;
    const found = measure(moved.runs);
    if (!(found.latencySeconds < best.latencySeconds * (1 - 1e-13))) return best;
    best = found;
  }
}
