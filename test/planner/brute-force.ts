import { shareBandwidth } from '../../signaling/planner/problem/bandwidth.ts';
import { type Fleet, passSeconds, runBits } from '../../signaling/planner/problem/fleet.ts';
import { type BlockTable, loadsOf } from '../../signaling/planner/problem/table.ts';

/** Oracles that try everything. Only for small problems. */

/** Every way to give `depths` blocks to different devices. */
export function* allocations(devices: number, depths: number, chosen: number[] = []): Generator<readonly number[]> {
  if (chosen.length === depths) {
    yield chosen;
    return;
  }
  for (let k = 0; k < devices; k++) {
    if (!chosen.includes(k)) yield* allocations(devices, depths, [...chosen, k]);
  }
}

/** Block allocation at fixed bandwidth: the least largest entry of the (K,N) table; Infinity where nothing works. */
export function bruteBottleneck(latency: Float64Array, depths: number): number {
  let best = Infinity;
  for (const allocation of allocations(latency.length / depths, depths)) {
    best = Math.min(best, Math.max(...allocation.map((k, b) => latency[k * depths + b]!)));
  }
  return best;
}

/** Joint allocation: every assignment with its best bandwidth. */
export function bruteJoint(table: BlockTable): number {
  let best = Infinity;
  for (const allocation of allocations(table.ids.length, table.depths)) {
    best = Math.min(best, shareBandwidth(table.law, loadsOf(table, allocation), table.bandwidthHz).latencySeconds);
  }
  return best;
}

/** One team on a table: every map from blocks to devices. */
export function bruteBlockSets(table: BlockTable): number {
  const { depths, law, bandwidthHz } = table;
  const devices = table.ids.length;
  let best = Infinity;
  for (const owners of maps(depths, devices)) {
    const loads = [...new Set(owners)].map((device) => {
      let seconds = 0;
      let uploadBits = 0;
      owners.forEach((owner, b) => {
        if (owner !== device) return;
        seconds = Math.max(seconds, table.computeSeconds[device * depths + b]!);
        uploadBits += table.uploadBits[b]!;
      });
      return { computeSeconds: seconds, uploadBits, coefficient: table.coefficient[device]! };
    });
    best = Math.min(best, shareBandwidth(law, loads, bandwidthHz).latencySeconds);
  }
  return best;
}

function* maps(length: number, values: number): Generator<readonly number[]> {
  for (let code = 0; code < values ** length; code++) {
    yield Array.from({ length }, (_, i) => Math.floor(code / values ** i) % values);
  }
}

/** Chains of different devices over neighbouring layers, with a cost: the least of `latency` over all of them. */
export function bruteChains(
  fleet: Fleet,
  latency: (chain: readonly { device: number; from: number; to: number }[]) => number,
): number {
  let best = Infinity;
  const extend = (chain: { device: number; from: number; to: number }[], covered: number): void => {
    if (covered === fleet.blocks) {
      best = Math.min(best, latency(chain));
      return;
    }
    for (let device = 0; device < fleet.devices.length; device++) {
      if (chain.some((link) => link.device === device)) continue;
      for (let to = covered + 1; to <= fleet.deepestHeld[device]!; to++) {
        extend([...chain, { device, from: chain.length === 0 ? -1 : covered, to }], to);
      }
    }
  };
  extend([], 0);
  return best;
}

/** Every split of devices into teams, of samples over teams, and of blocks (head included, any sets) over members. */
export function bruteTeams(fleet: Fleet): number {
  const devices = fleet.devices.length;
  const blocks = fleet.blocks + 1;
  const ontoMaps = Array.from({ length: devices + 1 }, (_, members) =>
    members === 0 ? [] : [...maps(blocks, members)].filter((owners) => new Set(owners).size === members),
  );
  let best = Infinity;

  const tryBlocks = (
    teams: readonly number[][],
    counts: readonly number[],
    t: number,
    loads: readonly Demand[],
  ): void => {
    if (t === teams.length) {
      best = Math.min(best, shareBandwidth(fleet.law, loads, fleet.bandwidthHz).latencySeconds);
      return;
    }
    for (const owners of ontoMaps[teams[t]!.length]!) {
      const own = teams[t]!.map((device, member) => demand(fleet, device, counts[t]!, owners, member));
      if (own.every((load) => load.computeSeconds < best)) tryBlocks(teams, counts, t + 1, [...loads, ...own]);
    }
  };
  const trySamples = (teams: readonly number[][], counts: readonly number[], left: number): void => {
    if (counts.length === teams.length - 1) {
      if (left > 0) tryBlocks(teams, [...counts, left], 0, []);
      return;
    }
    for (let count = 1; count < left; count++) trySamples(teams, [...counts, count], left - count);
  };
  const tryTeams = (device: number, teams: readonly number[][]): void => {
    if (device === devices) {
      if (teams.length > 0 && teams.length <= fleet.samples) trySamples(teams, [], fleet.samples);
      return;
    }
    tryTeams(device + 1, teams);
    teams.forEach((_, t) => {
      tryTeams(
        device + 1,
        teams.map((members, i) => (i === t ? [...members, device] : members)),
      );
    });
    tryTeams(device + 1, [...teams, [device]]);
  };
  tryTeams(0, []);
  return best;
}

interface Demand {
  readonly computeSeconds: number;
  readonly uploadBits: number;
  readonly coefficient: number;
}

function demand(fleet: Fleet, device: number, samples: number, owners: readonly number[], member: number): Demand {
  let deepest = 0;
  let uploadBits = 0;
  owners.forEach((owner, depth) => {
    if (owner !== member) return;
    deepest = depth;
    uploadBits += depth === 0 ? runBits(fleet, -1, 0) : runBits(fleet, depth - 1, depth);
  });
  return {
    computeSeconds: deepest > fleet.deepestHeld[device]! ? Infinity : passSeconds(fleet, device, samples, deepest),
    uploadBits,
    coefficient: fleet.coefficient[device]!,
  };
}
