import type { SplitDevice, SplitProblem } from '../../protocol/pipeline/split-problem.ts';
import { lowestUnit, windowCap } from '../../protocol/pipeline/stages.ts';
import { type UnitRun, unitCount } from '../../protocol/split.ts';

/**
 * Whether the devices' memory is enough, exactly. Layers are alike but for two kinds, those below the lowest trained unit and those from it
 * up, so that how many of either kind a device takes is all that matters, and whether it has the embeddings, the head, or the border
 * between the kinds. A table over (which of the three are placed, upper layers covered) holds the most lower layers that can be covered;
 * devices come to it one after the other. O(K L²), all with micro-batches of one sample and windows of one.
 */

/** Who holds which run, from the embeddings up. */
export type Placement = readonly { readonly row: number; readonly run: UnitRun }[];

const EMBEDDINGS = 1;
const BORDER = 2;
const HEAD = 4;

/** One way to use a device: what it places, and how many layers of either kind it can take at most. */
interface Use {
  readonly flags: number;
  readonly lower: number;
  readonly upper: number;
}

interface Cell {
  readonly lower: number;
  /** The last device that was used, and the cell before; null at the start. */
  readonly last: { readonly row: number; readonly use: Use; readonly before: Cell } | null;
}

/** A placement of all units, or of the first `units` of them; null where memory does not allow one. */
export function placement(problem: SplitProblem, units = unitCount(problem.split.layers)): Placement | null {
  const { split, devices } = problem;
  const layers = Math.min(units - 1, split.layers);
  const lower = Math.min(layers, lowestUnit(split) - 1);
  const upper = layers - lower;
  const wanted = EMBEDDINGS | (units > split.layers + 1 ? HEAD : 0);
  let table = new Map<number, Cell>([[0, { lower: 0, last: null }]]);
  const key = (flags: number, covered: number) => flags * (upper + 1) + covered;
  for (const [row, device] of devices.entries()) {
    const uses = usesOf(problem, device, lower, upper);
    const next = new Map(table);
    for (const [at, cell] of table) {
      const flags = Math.floor(at / (upper + 1));
      const covered = at % (upper + 1);
      for (const use of uses) {
        if ((flags & use.flags) !== 0 || (use.flags & HEAD & ~wanted) !== 0) continue;
        const to = key(flags | use.flags, Math.min(upper, covered + use.upper));
        const reached = Math.min(lower, cell.lower + use.lower);
        const known = next.get(to);
        if (known === undefined || known.lower < reached)
          next.set(to, { lower: reached, last: { row, use, before: cell } });
      }
    }
    table = next;
  }
  for (const flags of [wanted, wanted | BORDER]) {
    const cell = table.get(key(flags, upper));
    if (cell?.lower === lower) return placed(cell, lower, upper, units);
  }
  return null;
}

/** All the ways in which a device may be used; of those that place the same the largest. */
function usesOf({ split }: SplitProblem, device: SplitDevice, lower: number, upper: number): Use[] {
  const low = lowestUnit(split);
  const top = unitCount(split.layers);
  const fits = (from: number, to: number) => windowCap(split, { device, run: { from, to } }, 1) >= 1;
  /** The most of 0 to `most` for which it holds; -1 for none. */
  const largest = (most: number, holds: (count: number) => boolean): number => {
    let count = -1;
    while (count < most && holds(count + 1)) count++;
    return count;
  };
  const uses: Use[] = [];
  const add = (flags: number, ownLower: number, ownUpper: number) => {
    if (ownLower >= 0 && ownUpper >= 0 && (flags & ~BORDER) + ownLower + ownUpper > 0)
      uses.push({ flags, lower: ownLower, upper: ownUpper });
  };
  // Runs of one kind may lie anywhere: they cost the same, and a device that holds neither end keeps its inputs.
  add(
    0,
    largest(lower, (n) => n === 0 || fits(1, 1 + n)),
    0,
  );
  add(
    0,
    0,
    largest(upper, (n) => n === 0 || fits(top - 1 - n, top - 1)),
  );
  add(
    EMBEDDINGS,
    largest(lower, (n) => fits(0, 1 + n)),
    0,
  );
  add(
    HEAD,
    0,
    largest(upper, (n) => fits(top - 1 - n, top)),
  );
  add(
    EMBEDDINGS | BORDER,
    lower,
    largest(upper, (n) => fits(0, low + n)),
  );
  add(
    HEAD | BORDER,
    largest(lower, (n) => fits(low - n, top)),
    upper,
  );
  if (upper > 0 && lower > 0)
    for (let n = 1; n <= upper; n++)
      add(
        BORDER,
        largest(lower, (count) => fits(low - count, low + n)),
        n,
      );
  if (fits(0, top)) add(EMBEDDINGS | BORDER | HEAD, lower, upper);
  return uses;
}

/** The devices of a full cell in the order of their runs, cut to what is still needed. */
function placed(full: Cell, lower: number, upper: number, units: number): Placement {
  const used: { row: number; use: Use }[] = [];
  for (let cell = full; cell.last !== null; cell = cell.last.before) used.push(cell.last);
  // Embeddings, lower layers, the border, upper layers, the head.
  const placeOf = ({ flags, upper: own }: Use) =>
    flags & EMBEDDINGS ? 0 : flags & HEAD ? 4 : flags & BORDER ? 2 : own > 0 ? 3 : 1;
  used.sort((a, b) => placeOf(a.use) - placeOf(b.use));
  const sum = (read: (use: Use) => number) => used.reduce((total, { use }) => total + read(use), 0);
  let spareLower = sum((use) => use.lower) - lower;
  let spareUpper = sum((use) => use.upper) - upper;
  const layersOf = new Map<number, number>();
  // Those that place the border hold layers of both kinds next to it: they are cut last.
  for (const { row, use } of used.toSorted((a, b) => (a.use.flags & BORDER) - (b.use.flags & BORDER))) {
    const lessLower = Math.min(use.lower, spareLower);
    const lessUpper = Math.min(use.upper, spareUpper);
    spareLower -= lessLower;
    spareUpper -= lessUpper;
    layersOf.set(row, use.lower - lessLower + use.upper - lessUpper);
  }
  let from = 0;
  const found: { row: number; run: UnitRun }[] = [];
  for (const { row, use } of used) {
    const layers = layersOf.get(row) ?? 0;
    const to = Math.min(units, from + layers + (use.flags & EMBEDDINGS ? 1 : 0) + (use.flags & HEAD ? 1 : 0));
    if (to > from) found.push({ row, run: { from, to } });
    from = to;
  }
  return found;
}

/** The lowest unit that nobody has room for once all below it are held; the number of units where all can be. */
export function firstUnplaced(problem: SplitProblem): number {
  const units = unitCount(problem.split.layers);
  let fits = 0;
  let fails = units + 1;
  while (fails - fits > 1) {
    const middle = (fits + fails) >> 1;
    if (placement(problem, middle) === null) fails = middle;
    else fits = middle;
  }
  return fits;
}
