import { unroll } from './kernel.ts';

/**
 * How the work is cut: what a workgroup and a thread in it compute, in multiples of 4.
 *
 *   staged    both operands pass through shared memory, `inner` deep at a time
 *   subgroup  neighbouring threads load different parts of W and tell each other what they hold
 *   direct    every thread reads what it needs
 *
 * The last two suit drivers in software, where shared memory is ordinary memory and a barrier a task switch.
 */
export interface Tile {
  readonly kind: 'staged' | 'subgroup' | 'direct';
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly threadRows: number;
  readonly threadColumns: number;
}

/** Threads that tell each other what they hold; a device's subgroups must be no smaller. */
export const SHARING = 8;

export const tileThreads = (tile: Tile): number => (tile.rows / tile.threadRows) * (tile.columns / tile.threadColumns);
export const tileSharedBytes = (tile: Tile): number =>
  tile.kind === 'staged' ? 4 * tile.inner * (tile.rows + tile.columns) : 0;

/** Declares, or uses, the accumulators of a thread's tile: acc<row>_<vector of four columns>. */
export const eachAccumulator = (tile: Tile, body: (i: number, j: number) => string): string =>
  unroll(tile.threadRows, (i) => unroll(tile.threadColumns / 4, (j) => body(i, j)));
