import * as v from 'valibot';
import { recallFact, rememberFact } from '../../machine-facts.ts';
import { PASS_BYTES, type Precision, WEIGHT_BYTES, type WeightPrecision, words } from '../kernels/kernel.ts';
import { matmulGrid, matmulKernel, matmulSizes } from '../kernels/matmul/matmul.ts';
import type { MatmulVariant } from '../kernels/matmul/matmul-variant.ts';
import { SHARING, type Tile, tileSharedBytes, tileThreads } from '../kernels/tile.ts';
import { type Gpu, type Slice, whole } from './gpu.ts';
import type { OpenedDevice } from './open-device.ts';

const staged = (rows: number, columns: number, inner: number, threadRows: number, threadColumns: number): Tile => ({
  kind: 'staged',
  rows,
  columns,
  inner,
  threadRows,
  threadColumns,
});
const ofThreads = (kind: 'subgroup' | 'direct', threadRows: number, threadColumns: number): Tile => ({
  kind,
  rows: 64 * threadRows,
  columns: threadColumns,
  inner: 4,
  threadRows,
  threadColumns,
});

/** Shapes that win on one kind of GPU or another: small ones where registers are few or batches small, large ones elsewhere. */
const STAGED_TILES: readonly Tile[] = [
  staged(32, 32, 16, 4, 4),
  staged(64, 64, 16, 4, 4),
  staged(64, 64, 16, 8, 4),
  staged(64, 64, 8, 8, 8),
  staged(128, 64, 8, 8, 8),
];

/** For software drivers. */
const SUBGROUP_TILES: readonly Tile[] = [ofThreads('subgroup', 2, 8), ofThreads('subgroup', 4, 16)];
const DIRECT_TILES: readonly Tile[] = [ofThreads('direct', 4, 8), ofThreads('direct', 2, 8)];

export interface TrialSizes {
  readonly hiddenSize: number;
  readonly ffnSize: number;
  readonly precision: Precision;
  readonly weights: WeightPrecision;
}

/** Rows of the products that are timed: a micro-batch of common size. */
const TRIAL_ROWS = 512;
/** A trial must take so many times as long as a wait for nothing, or the wait is all that is measured. */
const TIMES_LATENCY = 4;
const MAX_REPEATS = 256;

const TileSchema = v.strictObject({
  kind: v.picklist(['staged', 'subgroup', 'direct']),
  rows: v.number(),
  columns: v.number(),
  inner: v.number(),
  threadRows: v.number(),
  threadColumns: v.number(),
});

/** Tiles that a device can run at all. */
export function possibleTiles(
  limits: GPUSupportedLimits,
  { isSoftware, smallestSubgroup }: Pick<OpenedDevice, 'isSoftware' | 'smallestSubgroup'>,
): readonly Tile[] {
  const sharing = smallestSubgroup >= SHARING;
  const tiles = isSoftware ? (sharing ? SUBGROUP_TILES : DIRECT_TILES) : STAGED_TILES;
  return tiles.filter(
    (tile) =>
      tileThreads(tile) <= limits.maxComputeInvocationsPerWorkgroup &&
      tileThreads(tile) <= limits.maxComputeWorkgroupSizeX &&
      tileSharedBytes(tile) <= limits.maxComputeWorkgroupStorageSize,
  );
}

/**
 * The tile with which this device multiplies fastest at the model's widths, by trial; the winner is remembered for the device's
 * description. What a tile is changes no result but by the order in which numbers are added.
 */
export async function chooseTile(
  gpu: Gpu,
  opened: Pick<OpenedDevice, 'description' | 'isSoftware' | 'smallestSubgroup'>,
  sizes: TrialSizes,
): Promise<{ readonly tile: Tile; readonly seconds: ReadonlyMap<Tile, number> }> {
  const candidates = possibleTiles(gpu.device.limits, opened);
  const key = ['tile', 1, opened.description, sizes.hiddenSize, sizes.ffnSize, sizes.precision, sizes.weights].join(
    '/',
  );
  const found = v.safeParse(TileSchema, await recallFact(key));
  const same = found.success
    ? candidates.find((tile) => JSON.stringify(tile) === JSON.stringify(found.output))
    : undefined;
  if (same !== undefined) return { tile: same, seconds: new Map() };
  const seconds = await timeTiles(gpu, candidates, sizes);
  const tile = candidates.reduce((best, next) => (seconds.get(next)! < seconds.get(best)! ? next : best));
  await rememberFact(key, tile);
  return { tile, seconds };
}

/** Seconds of one product forward and one backward through the widest matrix, for each tile. */
export async function timeTiles(
  gpu: Gpu,
  tiles: readonly Tile[],
  { hiddenSize, ffnSize, precision, weights }: TrialSizes,
): Promise<ReadonlyMap<Tile, number>> {
  const plain: Omit<MatmulVariant, 'weight' | 'xPrecision' | 'outPrecision'> = {
    weightPrecision: weights,
    activationPrecision: precision,
    bias: false,
    lora: false,
    dropout: false,
  };
  const forward: MatmulVariant = { ...plain, weight: 'rows', xPrecision: precision, outPrecision: precision };
  const backward: MatmulVariant = { ...plain, weight: 'columns', xPrecision: 'f32', outPrecision: 'f32' };
  const products = [
    { variant: forward, sizes: { inner: hiddenSize, outer: ffnSize } },
    { variant: backward, sizes: { inner: ffnSize, outer: hiddenSize } },
  ];
  const kernels = tiles.map((tile) => products.map(({ variant }) => matmulKernel(variant, tile)));
  await gpu.prepare(kernels.flat());
  const made: Slice[] = [];
  const make = (label: string, bytes: number, kind?: 'uniform'): Slice => {
    made.push(whole(gpu.allocate(label, bytes, kind)));
    return made.at(-1)!;
  };
  try {
    const memory = await gpu.allocated(() => ({
      current: make('trial pass', PASS_BYTES, 'uniform'),
      weight: make('trial weight', hiddenSize * ffnSize * WEIGHT_BYTES[weights]),
      x: make('trial x', TRIAL_ROWS * Math.max(hiddenSize, ffnSize) * 4),
      bias: make('trial bias', 2 * Math.max(hiddenSize, ffnSize) * 4),
      out: make('trial out', TRIAL_ROWS * Math.max(hiddenSize, ffnSize) * 4),
      sizes: products.map(({ sizes }) => {
        const data = matmulSizes(sizes);
        return { slice: make('trial sizes', data.byteLength, 'uniform'), data };
      }),
    }));
    gpu.write(memory.current, words(TRIAL_ROWS, 1, TRIAL_ROWS));
    for (const { slice, data } of memory.sizes) gpu.write(slice, data);
    const run = async (tile: number, repeats: number): Promise<number> => {
      const start = performance.now();
      for (let i = 0; i < repeats; i++)
        products.forEach(({ sizes }, index) => {
          const { current, x, weight, bias, out } = memory;
          const slices = { current, x, weight, bias, out, sizes: memory.sizes[index]!.slice };
          gpu.launch(kernels[tile]![index]!, slices, matmulGrid(sizes, tiles[tile]!, TRIAL_ROWS));
        });
      await gpu.idle();
      return (performance.now() - start) / 1000;
    };
    await gpu.idle();
    const latency = await run(0, 0);
    const seconds = new Map<Tile, number>();
    for (const [index, tile] of tiles.entries()) {
      // The first launch may still compile.
      await run(index, 1);
      let repeats = 1;
      let elapsed = await run(index, repeats);
      while (elapsed < TIMES_LATENCY * latency && repeats < MAX_REPEATS) {
        repeats *= 2;
        elapsed = await run(index, repeats);
      }
      seconds.set(tile, elapsed / repeats);
    }
    return seconds;
  } finally {
    for (const { buffer } of made) gpu.release(buffer);
  }
}
