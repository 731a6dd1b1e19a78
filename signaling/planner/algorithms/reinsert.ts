import { type Chain, chainInOrder, type RunCosts } from './runs.ts';

/** Every device in turn is tried at every place of the chain's order, for as long as that makes it cheaper: O(devices P^3) a sweep. */
export function reinsert(costs: RunCosts, chain: Chain): Chain {
  let best = chain;
  let ends = endsOf(costs, orderOf(best));
  for (let device = 0, untried = costs.devices; untried > 0; device = (device + 1) % costs.devices, untried--) {
    const own = orderOf(best);
    const others = own.filter((other) => other !== device);
    const place = cheapestPlace(costs, device, others.length === own.length ? ends : endsOf(costs, others), best.cost);
    const found = place === null ? null : chainInOrder(costs, others.toSpliced(place, 0, device));
    if (!found || !(found.cost < best.cost * (1 - 1e-12))) continue;
    best = found;
    ends = endsOf(costs, orderOf(best));
    untried = costs.devices;
  }
  return best;
}

const orderOf = ({ runs }: Chain): number[] => runs.map((run) => run.device);

/** Cheapest covers by the first i devices of an order up to each position, and by those from i on from each position to the end. */
interface Ends {
  readonly before: readonly Float64Array[];
  readonly after: readonly Float64Array[];
}

function endsOf({ blocks, of }: RunCosts, order: readonly number[]): Ends {
  const side = blocks + 1;
  const before: Float64Array[] = [new Float64Array(side).fill(Infinity)];
  const after: Float64Array[] = [new Float64Array(side).fill(Infinity)];
  before[0]![0] = 0;
  after[0]![blocks] = 0;
  for (const device of order) before.push(extended(before.at(-1)!, of(device), side, false));
  for (const device of order.toReversed()) after.push(extended(after.at(-1)!, of(device), side, true));
  return { before, after: after.reverse() };
}

/** The covers with one more device, which may be left out: at their end, or at their start. */
function extended(least: Float64Array, cost: Float64Array, side: number, atStart: boolean): Float64Array<ArrayBuffer> {
  const next = Float64Array.from(least);
  for (let from = 0; from < side - 1; from++) {
    for (let to = from + 1, entry = from * side + to; to < side; to++, entry++) {
      if (atStart) next[from] = Math.min(next[from]!, cost[entry]! + least[to]!);
      else next[to] = Math.min(next[to]!, least[from]! + cost[entry]!);
    }
  }
  return next;
}

/** Where a device would make a chain cheaper than `enough` by most; null where nowhere. */
function cheapestPlace({ blocks, of }: RunCosts, device: number, ends: Ends, enough: number): number | null {
  const side = blocks + 1;
  const cost = of(device);
  let best = enough;
  let at: number | null = null;
  ends.before.forEach((before, place) => {
    const after = ends.after[place]!;
    for (let from = 0; from < blocks; from++) {
      for (let to = from + 1, entry = from * side + to; to < side; to++, entry++) {
        const whole = before[from]! + cost[entry]! + after[to]!;
        if (whole < best) {
          best = whole;
          at = place;
        }
      }
    }
  });
  return at;
}
