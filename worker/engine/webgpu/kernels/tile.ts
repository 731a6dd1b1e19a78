import { unroll } from '../kernel.ts';

/**
 * How the work is cut: what a workgroup and a thread in it compute, in multiples of 4. `staged` passes both operands through shared
 * memory, `inner` deep at a time; `direct` reads them from where they are, which suits drivers that have no shared memory to speak of.
 */
export interface Tile {
  readonly kind: 'staged' | 'direct';
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly threadRows: number;
  readonly threadColumns: number;
}

export const tileThreads = (tile: Tile): number => (tile.rows / tile.threadRows) * (tile.columns / tile.threadColumns);
export const tileSharedBytes = (tile: Tile): number =>
  tile.kind === 'direct' ? 0 : 4 * tile.inner * (tile.rows + tile.columns);

/** Declares, or uses, the accumulators of a thread's tile: acc<row>_<vector of four columns>. */
export const eachAccumulator = (tile: Tile, body: (i: number, j: number) => string): string =>
  unroll(tile.threadRows, (i) => unroll(tile.threadColumns / 4, (j) => body(i, j)));
