import { assign } from './min-cost-assignment.ts';
import { reinsert } from './reinsert.ts';
import { type Chain, chainInOrder, type Run, type RunCosts } from './runs.ts';

/** Up to so many devices the cheapest chain is found exactly where bound and chain do not meet. */
const MAX_DEVICES_FOR_SUBSETS = 8;
/** A chain below `enough` by this factor ends the search; nearer ones go on, as a rounding error is no gain. */
const CLEARLY = 0.999;

/** Of the paths that use a device twice, every so many-th is repaired. */
const REPAIR_EVERY = 4;

export interface ChainOptions {
  readonly maxIterations: number;
  /** (K) starting values, overwritten by the last ones: a search at a nearby limit goes on from there. */
  readonly penalties: Float64Array;
  /** A chain to start from, if one is known. */
  readonly known?: readonly Run[] | undefined;
  /** Whether the best chain is worked over by hand in the end: where rates are limited by power, penalties alone miss many. */
  readonly reinserting?: boolean;
}

/**
 * The cheapest cover of all blocks by runs of different devices. Without "different" it is a shortest path; so that is relaxed, with a
 * penalty on every device that climbs while the path uses it more than once (Polyak steps). The penalised shortest path less the
 * penalties is a lower bound; paths are repaired into chains: their runs assigned to different devices, then their borders moved.
 * Stops when bound and chain meet, and when either of them decides whether a chain below `enough` exists (NaN: never mind).
 */
export function cheapestChain(
  costs: RunCosts,
  enough: number,
  { maxIterations, penalties, known, reinserting = false }: ChainOptions = {
    maxIterations: 100,
    penalties: new Float64Array(costs.devices),
  },
): { chain: Chain | null; bound: number } {
  const uses = new Int32Array(costs.devices);
  let best: Chain | null = known ? { runs: known, cost: costOf(costs, known) } : null;
  let bound = 0;
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const path = shortestPath(costs, penalties);
    if (!path) return { chain: null, bound: Infinity };
    const dual = path.cost - penalties.reduce((a, b) => a + b, 0);
    bound = Math.max(bound, dual);
    uses.fill(0);
    for (const { device } of path.runs) uses[device]!++;
    // A path of different devices is a chain as it is; repairing others is the dearest part, and neighbouring paths are much alike.
    const chain = uses.every((times) => times <= 1)
      ? { runs: path.runs, cost: path.runs.reduce((sum, { device }) => sum - penalties[device]!, path.cost) }
      : iteration % REPAIR_EVERY === 0
        ? repair(costs, path.runs)
        : null;
    if (chain && chain.cost < (best?.cost ?? Infinity)) best = chain;
    if (bound >= enough || (best && (best.cost < enough * CLEARLY || best.cost - bound <= 1e-10 * best.cost))) {
      return { chain: best, bound };
    }
    const target = best ? best.cost : 1.5 * Math.abs(dual);
    if (!penalise(penalties, uses, (target - dual + 1e-6 * target) / Math.sqrt(1 + iteration / 20))) break;
  }
  if (costs.devices > MAX_DEVICES_FOR_SUBSETS) {
    return { chain: best && reinserting ? reinsert(costs, best) : best, bound };
  }
  const exact = chainBySubsets(costs, [...penalties.keys()]);
  return { chain: exact, bound: exact?.cost ?? Infinity };
}

const costOf = ({ blocks, of }: RunCosts, runs: readonly Run[]): number =>
  runs.reduce((sum, { device, from, to }) => sum + of(device)[from * (blocks + 1) + to]!, 0);

/** One subgradient step; false where nothing is violated. */
function penalise(penalties: Float64Array, uses: Int32Array, length: number): boolean {
  const moves = (k: number) => penalties[k]! > 0 || uses[k]! > 1;
  let square = 0;
  for (let k = 0; k < uses.length; k++) if (moves(k)) square += (uses[k]! - 1) ** 2;
  if (square === 0) return false;
  for (let k = 0; k < uses.length; k++) {
    if (moves(k)) penalties[k] = Math.max(0, penalties[k]! + (length / square) * (uses[k]! - 1));
  }
  return true;
}

/** The cheapest cover when a device may come again, at its cost plus its penalty each time. */
function shortestPath({ devices, blocks, of }: RunCosts, penalties: Float64Array): Chain | null {
  const side = blocks + 1;
  const least = new Float64Array(side).fill(Infinity);
  const cameFrom = new Int32Array(side);
  const by = new Int32Array(side);
  const tables = Array.from({ length: devices }, (_, k) => of(k));
  least[0] = 0;
  for (let to = 1; to < side; to++) {
    for (let k = 0; k < devices; k++) {
      const penalty = penalties[k]!;
      const cost = tables[k]!;
      for (let from = 0, entry = to; from < to; from++, entry += side) {
        const through = least[from]! + cost[entry]! + penalty;
        if (through < least[to]!) {
          least[to] = through;
          cameFrom[to] = from;
          by[to] = k;
        }
      }
    }
  }
  if (least[blocks] === Infinity) return null;
  const runs: Run[] = [];
  for (let to = blocks; to > 0; to = cameFrom[to]!) runs.push({ device: by[to]!, from: cameFrom[to]!, to });
  return { runs: runs.reverse(), cost: least[blocks]! };
}

/** Assigns the runs to different devices at the least cost, moves the borders, and again while that helps. */
function repair(costs: RunCosts, runs: readonly Run[]): Chain | null {
  let best: Chain | null = null;
  let shape = runs;
  for (;;) {
    const assigned = assignRuns(costs, shape);
    // With too few devices for so many runs, neighbours merge: the devices that the path has, each once, in its order.
    const order = (assigned?.runs ?? shape).map((run) => run.device);
    const moved = chainInOrder(
      costs,
      order.filter((device, i) => order.lastIndexOf(device) === i),
    );
    const found: Chain | null = assigned && (!moved || assigned.cost < moved.cost) ? assigned : moved;
    if (!found || !(found.cost < (best?.cost ?? Infinity))) return best;
    best = found;
    shape = found.runs;
  }
}

function assignRuns({ devices, blocks, of }: RunCosts, runs: readonly Run[]): Chain | null {
  if (runs.length > devices) return null;
  const table = new Float64Array(runs.length * devices);
  for (let device = 0; device < devices; device++) {
    const cost = of(device);
    runs.forEach(({ from, to }, r) => {
      table[r * devices + device] = cost[from * (blocks + 1) + to]!;
    });
  }
  const found = assign(table, runs.length, devices);
  if (!found) return null;
  return { runs: runs.map((run, r) => ({ ...run, device: found.columnOf[r]! })), cost: found.cost };
}

/** The cheapest cover by any of a few devices, each at most once, exactly: O(2^m m P^2). */
export function chainBySubsets({ blocks, of }: RunCosts, members: readonly number[]): Chain | null {
  const side = blocks + 1;
  const subsets = 1 << members.length;
  const least = new Float64Array(subsets * side).fill(Infinity);
  least[0] = 0;
  const by = new Int8Array(subsets * side).fill(-1);
  const cameFrom = new Int16Array(subsets * side).fill(-1);
  const tables = members.map(of);
  for (let set = 1; set < subsets; set++) {
    for (let i = 0; i < members.length; i++) {
      if (!(set & (1 << i))) continue;
      const before = (set ^ (1 << i)) * side;
      const cost = tables[i]!;
      for (let from = 0; from < side; from++) {
        const sofar = least[before + from]!;
        if (sofar === Infinity) continue;
        if (sofar < least[set * side + from]!) {
          least[set * side + from] = sofar;
          by[set * side + from] = i;
          cameFrom[set * side + from] = -1;
        }
        for (let to = from + 1, entry = from * side + to; to < side; to++, entry++) {
          const through = sofar + cost[entry]!;
          if (through < least[set * side + to]!) {
            least[set * side + to] = through;
            by[set * side + to] = i;
            cameFrom[set * side + to] = from;
          }
        }
      }
    }
  }
  if (least[subsets * side - 1] === Infinity) return null;
  const runs: Run[] = [];
  for (let set = subsets - 1, to = blocks; to > 0; ) {
    const i = by[set * side + to]!;
    const from = cameFrom[set * side + to]!;
    if (from >= 0) {
      runs.push({ device: members[i]!, from, to });
      to = from;
    }
    set ^= 1 << i;
  }
  return { runs: runs.reverse(), cost: least[subsets * side - 1]! };
}
