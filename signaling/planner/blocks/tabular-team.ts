import { type ChainProblem, fastestChain, provenBound } from '../algorithms/chain-search.ts';
import type { Run } from '../algorithms/runs.ts';
import { shareBandwidth } from '../problem/bandwidth.ts';
import type { Load, Solution } from '../problem/load.ts';
import { tableRunCosts } from '../problem/run-costs.ts';
import { type BlockTable, rowsRise } from '../problem/table.ts';
import { smallestPerDepth } from './bottleneck.ts';
import { blockSetBound } from './bounds.ts';
import { exact, hertzTable } from './exact.ts';

/** Beyond so many devices only those cheapest for some depth are offered to the search. */
const MAX_DEVICES_OFFERED = 256;

export interface SharedLoads {
  readonly loads: readonly Load[];
  readonly hertz: readonly number[];
  readonly latencySeconds: number;
}

/**
 * `teams` on the tabular form: one team, a device may train any set of blocks and pays compute for its deepest. Where rows rise with
 * depth and the channel is linear or all blocks have one size, runs of neighbouring blocks are as good as any sets (docs/planner.md), and
 * the fastest chain of runs is searched with its bound; elsewhere that is a heuristic. Never worse than `exact` or one device alone: it starts from them.
 * Null when nothing works.
 */
export function tabularTeam(table: BlockTable): Solution | null {
  const start = best([exactStart(table), bestAlone(table)]);
  if (!start) return null;
  const rows = offered(table, start.latencySeconds);
  const measure = (runs: readonly Run[]): SharedLoads => {
    const loads = runs.map(({ device, from, to }) => loadOf(table, rows[device]!, from, to));
    return { loads, ...shareBandwidth(table.law, loads, table.bandwidthHz) };
  };
  const chains: ChainProblem<SharedLoads> = {
    bandwidthHz: table.bandwidthHz,
    costsBefore: (limitSeconds) => tableRunCosts(table, rows, limitSeconds),
    measure,
  };
  const fastest = fastestChain(chains, start);
  const contiguous = table.law === 'linear' || table.uploadBits.every((bits) => bits === table.uploadBits[0]);
  const proven = contiguous && rowsRise(table) && rows.length === table.ids.length;
  const { loads, hertz, latencySeconds } = fastest;
  const lowerBoundSeconds = proven ? provenBound(chains, fastest) : blockSetBound(table, latencySeconds);
  return { loads, hertz, latencySeconds, lowerBoundSeconds, solver: 'block runs by penalised shortest path' };
}

function best(candidates: readonly (SharedLoads | null)[]): SharedLoads | null {
  return candidates.reduce((a, b) => ((b?.latencySeconds ?? Infinity) < (a?.latencySeconds ?? Infinity) ? b : a), null);
}

function exactStart(table: BlockTable): SharedLoads | null {
  const found = exact(table);
  return found && { ...found, loads: found.allocation.map((device, b) => loadOf(table, device, b, b + 1)) };
}

/** The best device for everything. */
export function bestAlone(table: BlockTable): SharedLoads | null {
  let fastest: SharedLoads | null = null;
  for (let device = 0; device < table.ids.length; device++) fastest = best([fastest, shareAlone(table, device)]);
  return fastest;
}

/** One device for everything, with the whole bandwidth. */
export function shareAlone(table: BlockTable, device: number): SharedLoads {
  const loads = [loadOf(table, device, 0, table.depths)];
  return { loads, ...shareBandwidth(table.law, loads, table.bandwidthHz) };
}

/** Depths `from` + 1 to `to`: compute down to the deepest, all their bits. */
function loadOf(table: BlockTable, device: number, from: number, to: number): Load {
  const row = table.computeSeconds.subarray(device * table.depths + from, device * table.depths + to);
  return {
    device,
    depths: Array.from({ length: to - from }, (_, i) => from + 1 + i),
    computeSeconds: row.reduce((a, b) => Math.max(a, b), 0),
    uploadBits: table.uploadBits.subarray(from, to).reduce((a, b) => a + b, 0),
    coefficient: table.coefficient[device]!,
  };
}

function offered(table: BlockTable, limitSeconds: number): readonly number[] {
  if (table.ids.length <= MAX_DEVICES_OFFERED) return table.ids.map((_, k) => k);
  const perDepth = Math.max(2, Math.floor(MAX_DEVICES_OFFERED / table.depths));
  const { candidates } = smallestPerDepth(hertzTable(table, limitSeconds), table.depths, table.ids, () => perDepth);
  return [...new Set(candidates.flatMap(({ devices }) => devices))].sort((a, b) => a - b);
}
