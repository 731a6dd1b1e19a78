import type { WholePolicy } from '../../protocol/settings.ts';
import { drawsFrom } from '../algorithms/random.ts';
import type { Refusal, Solution } from '../problem/load.ts';
import { type BlockTable, loadsOf } from '../problem/table.ts';
import { depthUnaware, equalBandwidth, greedy, random } from './baselines.ts';
import { blockSetBound, wholeBandwidthBound } from './bounds.ts';
import { crunchAt, whyInfeasible } from './crunch.ts';
import { exact, type JointAnswer } from './exact.ts';
import { lola } from './lola.ts';
import { bestAlone, type SharedLoads, shareAlone, tabularTeam } from './tabular-team.ts';

export interface TabularContext {
  /** Row of the device that `offload` uses. */
  readonly host: number;
  readonly seed: number;
}

/** Up to so many devices every plan states the joint optimum as its lower bound; beyond, a cheaper bound. */
const MAX_DEVICES_TO_CERTIFY = 256;

type TabularPolicy = (table: BlockTable, context: TabularContext) => Solution | Refusal;

/** The policies on the tabular form: a table of blocks and devices, no samples to split. */
export const tabularPolicies: Record<WholePolicy, TabularPolicy> = {
  crunch(table) {
    const hertz = table.bandwidthHz / table.ids.length;
    const found = crunchAt(table, hertz);
    if (!found) return refuse(table, 'crunch');
    const { allocation, latencySeconds, solver } = found;
    return oneBlockEach(table, { allocation, latencySeconds, hertz: allocation.map(() => hertz) }, solver);
  },

  lola(table) {
    const found = lola(table);
    if (!found) return refuse(table, 'dual ascent');
    const gap = found.latencySeconds > 0 ? 1 - found.lowerBoundSeconds / found.latencySeconds : 0;
    const solver = `dual ascent, ${found.iterations} iterations, gap ${(100 * gap).toFixed(2)} %`;
    return { ...oneBlockEach(table, found, solver), lowerBoundSeconds: found.lowerBoundSeconds };
  },

  exact(table) {
    const found = exact(table);
    if (!found) return refuse(table, 'bisection + assignment');
    return { ...oneBlockEach(table, found, 'bisection + assignment'), lowerBoundSeconds: found.latencySeconds };
  },

  teams: (table) => tabularTeam(table) ?? refuse(table, 'block sets by local search'),

  random: (table, { seed }) => baseline(table, random(table, drawsFrom(seed)), 'drawn blocks, best bandwidth'),
  greedy: (table) => baseline(table, greedy(table), 'fastest takes deepest, best bandwidth'),
  'depth-unaware': (table) => baseline(table, depthUnaware(table), 'crunch on averaged costs, best bandwidth'),
  'equal-bandwidth': (table) => baseline(table, equalBandwidth(table), 'crunch at bandwidth / blocks'),

  single: (table) => single(table, 'best single device'),
  'data-parallel': (table) => single(table, 'best single device: a table has no samples to split'),

  offload(table, { host }) {
    const found = shareAlone(table, host);
    const solver = 'the host alone';
    if (Number.isFinite(found.latencySeconds)) return bounded(table, found, solver);
    return { reason: `the host "${table.ids[host]}" can not train depth ${table.depths} alone`, solver };
  },
};

function baseline(table: BlockTable, found: JointAnswer | null, solver: string): Solution | Refusal {
  return found ? oneBlockEach(table, found, solver) : refuse(table, solver);
}

function oneBlockEach(table: BlockTable, found: JointAnswer, solver: string): Solution {
  const { allocation, hertz, latencySeconds } = found;
  const bound = table.ids.length <= MAX_DEVICES_TO_CERTIFY ? exact(table)!.latencySeconds : wholeBandwidthBound(table);
  const lowerBoundSeconds = Math.min(bound, latencySeconds);
  return { loads: loadsOf(table, allocation), hertz, latencySeconds, lowerBoundSeconds, solver };
}

function refuse(table: BlockTable, solver: string): Refusal {
  return { reason: whyInfeasible(table.computeSeconds, table.coefficient, table.uploadBits), solver };
}

function single(table: BlockTable, solver: string): Solution | Refusal {
  const found = bestAlone(table);
  if (found) return bounded(table, found, solver);
  return { reason: `no single device can hold and send everything down to depth ${table.depths}`, solver };
}

function bounded(table: BlockTable, found: SharedLoads, solver: string): Solution {
  const lowerBoundSeconds = Math.min(blockSetBound(table, found.latencySeconds), found.latencySeconds);
  return { ...found, lowerBoundSeconds, solver };
}
