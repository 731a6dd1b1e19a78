/** A run of neighbouring blocks for one device: positions `from` to `to`, where position p lies before block p, counted from the loss. */
export interface Run {
  readonly device: number;
  readonly from: number;
  readonly to: number;
}

/** What each run costs each device. */
export interface RunCosts {
  readonly devices: number;
  /** P, the number of blocks. */
  readonly blocks: number;
  /** (P + 1, P + 1) of a device, indexed by from, to; Infinity where the run is impossible or from >= to. */
  readonly of: (device: number) => Float64Array;
}

export interface Chain {
  /** In order from the loss, each device at most once; covers every block. */
  readonly runs: readonly Run[];
  readonly cost: number;
}

/** Fills a device's table of run costs. */
export function runTable(blocks: number, cost: (from: number, to: number) => number): Float64Array {
  const side = blocks + 1;
  const table = new Float64Array(side * side).fill(Infinity);
  for (let from = 0; from < blocks; from++) {
    for (let to = from + 1; to <= blocks; to++) table[from * side + to] = cost(from, to);
  }
  return table;
}

/** The cheapest cover by devices in a given order; any of them may be left out. */
export function chainInOrder({ blocks, of }: RunCosts, order: readonly number[]): Chain | null {
  const side = blocks + 1;
  let least = new Float64Array(side).fill(Infinity);
  least[0] = 0;
  // Per device in order: where its run to each position starts; -1 where the device is left out.
  const starts: Int32Array[] = [];
  for (const device of order) {
    const cost = of(device);
    const next = Float64Array.from(least);
    const start = new Int32Array(side).fill(-1);
    for (let from = 0; from < blocks; from++) {
      const sofar = least[from]!;
      if (sofar === Infinity) continue;
      for (let to = from + 1, entry = from * side + to; to < side; to++, entry++) {
        const through = sofar + cost[entry]!;
        if (through < next[to]!) {
          next[to] = through;
          start[to] = from;
        }
      }
    }
    least = next;
    starts.push(start);
  }
  if (least[blocks] === Infinity) return null;
  const runs: Run[] = [];
  for (let i = order.length - 1, to = blocks; i >= 0; i--) {
    const from = starts[i]![to]!;
    if (from < 0) continue;
    runs.push({ device: order[i]!, from, to });
    to = from;
  }
  return { runs: runs.reverse(), cost: least[blocks]! };
}
