import type { Policy } from '../protocol/settings.ts';
import { shareBandwidth } from './bandwidth.ts';
import { wholeBandwidthBound } from './bounds.ts';
import { crunch, whyInfeasible } from './crunch.ts';
import type { Load, Refusal, Solution } from './load.ts';
import { type BlockTable, latencyTable, loadsOf } from './table.ts';

/** The policies on the tabular form: a table of blocks and devices, no samples to split. */
export interface TabularContext {
  /** Row of the device that `offload` uses. */
  readonly host: number;
  readonly seed: number;
}

type TabularPolicy = (table: BlockTable, context: TabularContext) => Solution | Refusal;

const later: TabularPolicy = () => ({ reason: 'this policy is not available yet', solver: 'none' });

export const tabularPolicies: Record<Exclude<Policy, 'auto'>, TabularPolicy> = {
  lola: later,
  exact: later,
  teams: later,
  random: later,
  greedy: later,
  'depth-unaware': later,
  'equal-bandwidth': later,
  'data-parallel': later,
  crunch(table) {
    const hertz = table.bandwidthHz / table.ids.length;
    const found = crunch(latencyTable(table, hertz), table.depths, table.ids);
    if (!found) return refuse(table, 'crunch');
    const { allocation, latencySeconds, solver } = found;
    const lowerBoundSeconds = Math.min(wholeBandwidthBound(table), latencySeconds);
    return {
      loads: loadsOf(table, allocation),
      hertz: allocation.map(() => hertz),
      latencySeconds,
      lowerBoundSeconds,
      solver,
    };
  },

  single(table) {
    const all = table.ids.map((_, device) => alone(table, device, 'best single device'));
    const best = all.reduce((a, b) => (b.latencySeconds < a.latencySeconds ? b : a));
    return Number.isFinite(best.latencySeconds) ? best : refuse(table, best.solver);
  },

  offload(table, { host }) {
    const found = alone(table, host, 'the host alone');
    if (Number.isFinite(found.latencySeconds)) return found;
    return { reason: `the host "${table.ids[host]}" can not train depth ${table.depths} alone`, solver: found.solver };
  },
};

function refuse(table: BlockTable, solver: string): Refusal {
  return { reason: whyInfeasible(table.computeSeconds, table.coefficient, table.uploadBits), solver };
}

/** One device trains every block, with the whole bandwidth. */
function alone(table: BlockTable, device: number, solver: string): Solution {
  const { depths } = table;
  const load: Load = {
    device,
    depths: Array.from({ length: depths }, (_, b) => b + 1),
    computeSeconds: table.computeSeconds[device * depths + depths - 1]!,
    uploadBits: table.uploadBits.reduce((a, b) => a + b, 0),
    coefficient: table.coefficient[device]!,
  };
  const shares = shareBandwidth(table.law, [load], table.bandwidthHz);
  return { loads: [load], ...shares, lowerBoundSeconds: shares.latencySeconds, solver };
}
