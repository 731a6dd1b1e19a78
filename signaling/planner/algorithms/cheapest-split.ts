/** How samples are dealt out over teams whose cost is known for every count. */
export interface Split {
  /** Units for each team. */
  readonly units: readonly number[];
  readonly cost: number;
  /** What the last unit costs. */
  readonly marginal: number;
}

/**
 * The cheapest way to deal out `units`: a knapsack by dynamic programming, O(teams * units^2). `curves[t][u]` is team t's cost for u
 * units, 0 for none, Infinity where impossible. Null when they can not all be dealt out.
 */
export function cheapestSplit(curves: readonly Float64Array[], units: number): Split | null {
  let cost = new Float64Array(units + 1).fill(Infinity);
  cost[0] = 0;
  const taken: Int16Array[] = [];
  for (const curve of curves) {
    const next = Float64Array.from(cost);
    const choice = new Int16Array(units + 1);
    for (let take = 1; take <= units; take++) {
      const price = curve[take]!;
      if (price === Infinity) continue;
      for (let dealt = take; dealt <= units; dealt++) {
        const total = cost[dealt - take]! + price;
        if (total < next[dealt]!) {
          next[dealt] = total;
          choice[dealt] = take;
        }
      }
    }
    cost = next;
    taken.push(choice);
  }
  if (cost[units] === Infinity) return null;
  const dealt = new Array<number>(curves.length).fill(0);
  for (let t = curves.length - 1, left = units; t >= 0; t--) {
    dealt[t] = taken[t]![left]!;
    left -= dealt[t]!;
  }
  return { units: dealt, cost: cost[units]!, marginal: cost[units]! - cost[units - 1]! };
}
