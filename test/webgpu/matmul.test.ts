import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHalf, toHalf } from '../../signaling/protocol/exchange/half.ts';
import { relativeError } from '../../worker/check/golden-check.ts';
import { randomValues } from '../../worker/check/random-model.ts';
import { hiddenMask } from '../../worker/engine/dropout.ts';
import type { Gpu } from '../../worker/engine/webgpu/device/gpu.ts';
import type { WeightPrecision } from '../../worker/engine/webgpu/kernels/kernel.ts';
import {
  type MatmulSizes,
  matmulGrid,
  matmulKernel,
  matmulReference,
  matmulSizes,
} from '../../worker/engine/webgpu/kernels/matmul/matmul.ts';
import type { MatmulVariant } from '../../worker/engine/webgpu/kernels/matmul/matmul-variant.ts';
import type { Tile } from '../../worker/engine/webgpu/kernels/tile.ts';
import { needs } from '../needs.ts';
import { openGpu } from './dawn.ts';
import { GPU } from './gpu-need.ts';
import { layerUniform, packed, packedRows, passUniform, runKernel } from './run-kernel.ts';

const STAGED: Tile = { kind: 'staged', rows: 16, columns: 32, inner: 8, threadRows: 4, threadColumns: 8 };
const SUBGROUP: Tile = { kind: 'subgroup', rows: 128, columns: 16, inner: 4, threadRows: 2, threadColumns: 16 };
const DIRECT: Tile = { kind: 'direct', rows: 16, columns: 8, inner: 4, threadRows: 2, threadColumns: 8 };

const PLAIN: MatmulVariant = {
  weight: 'rows',
  xPrecision: 'f32',
  weightPrecision: 'f32',
  outPrecision: 'f32',
  activationPrecision: 'f32',
  bias: false,
  lora: false,
  dropout: false,
};

/** Variants in few pipelines, and sizes that nothing divides. */
const CASES: Record<string, { rows: number; variant: MatmulVariant; sizes: MatmulSizes; probability?: number }> = {
  'even sizes': { rows: 32, variant: PLAIN, sizes: { inner: 32, outer: 32 } },
  'nothing divides': { rows: 37, variant: PLAIN, sizes: { inner: 44, outer: 20 } },
  'one row': { rows: 1, variant: PLAIN, sizes: { inner: 12, outer: 8 } },
  'a matrix by columns, added to the output': {
    rows: 21,
    variant: { ...PLAIN, weight: 'columns', add: 'out' },
    sizes: { inner: 36, outer: 52 },
  },
  'adapters on two of three parts, rank 3': {
    rows: 19,
    variant: { ...PLAIN, bias: true, lora: true },
    sizes: {
      inner: 24,
      outer: 72,
      lora: {
        rank: 3,
        scale: 2 / 3,
        zWidth: 8,
        targets: [
          { from: 0, to: 24, zOffset: 0, bOffset: 5 },
          { from: 48, to: 72, zOffset: 4, bOffset: 101 },
        ],
      },
    },
  },
  'an adapter of a rank above the tile': {
    rows: 9,
    variant: { ...PLAIN, bias: true, lora: true },
    sizes: {
      inner: 12,
      outer: 24,
      lora: { rank: 20, scale: 0.5, zWidth: 20, targets: [{ from: 0, to: 24, zOffset: 0, bOffset: 0 }] },
    },
  },
  'dropout and residual': {
    rows: 14,
    probability: 0.3,
    variant: { ...PLAIN, bias: true, dropout: true, add: 'residual' },
    sizes: { inner: 16, outer: 20, dropoutSite: 3 },
  },
  'gelu, preactivation kept': {
    rows: 11,
    variant: { ...PLAIN, bias: true, gelu: 'keep' },
    sizes: { inner: 16, outer: 24 },
  },
  'gelu backward, added to the output first': {
    rows: 11,
    variant: { ...PLAIN, weight: 'columns', gelu: 'slope', add: 'out' },
    sizes: { inner: 16, outer: 24 },
  },
};

/** Storages of the matrix, by rows with adapters and by columns, at sizes that nothing divides. */
const STORAGES = (['packed', 'f16', 'int8'] as const).flatMap((weightPrecision) => [
  {
    title: `${weightPrecision}, by rows, with bias and an adapter`,
    rows: 19,
    variant: { ...PLAIN, weightPrecision, bias: true, lora: true },
    sizes: {
      inner: 44,
      outer: 24,
      lora: { rank: 3, scale: 2 / 3, zWidth: 4, targets: [{ from: 0, to: 24, zOffset: 0, bOffset: 5 }] },
    },
  },
  {
    title: `${weightPrecision}, by columns, added to the output`,
    rows: 19,
    variant: { ...PLAIN, weight: 'columns' as const, weightPrecision, add: 'out' as const },
    sizes: { inner: 44, outer: 24 },
  },
]);

/** A matrix as it is stored, and what it stands for. */
function stored(precision: WeightPrecision, rows: number, columns: number) {
  const values = randomValues(rows * columns, 2, 1);
  if (precision === 'f32') return { data: values, scales: new Float32Array(rows), values };
  if (precision !== 'int8')
    return { data: toHalf(values), scales: new Float32Array(rows), values: fromHalf(toHalf(values)) };
  const data = Int8Array.from(values, (value) => Math.round(127 * value));
  const scales = randomValues(rows, 9, 0.01, 0.02);
  return { data, scales, values: Float32Array.from(data, (code, i) => code * scales[Math.floor(i / columns)]!) };
}

describe('products with frozen matrices', needs(GPU), () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.dispose());

  it.each(
    Object.entries(CASES).flatMap(([title, test]) => [
      [title, STAGED, test] as const,
      [`${title}, loads shared`, SUBGROUP, test] as const,
      [`${title}, every thread for itself`, DIRECT, test] as const,
    ]),
  )('%s', async (_, tile, { rows, variant, sizes, probability = 0 }) => {
    const { inner, outer } = sizes;
    const lengths = rows > 5 ? [5, rows - 5] : [rows];
    const positions = [7, 2].slice(0, lengths.length);
    const dropout = { probability, seed: 11, round: 4 };
    const tokens = Math.max(...lengths);
    const mask = packed(
      hiddenMask(dropout, 6, sizes.dropoutSite ?? 0, Int32Array.from(positions), tokens, outer),
      lengths,
      tokens,
      outer,
    );
    const data = {
      x: randomValues(rows * inner, 1, 1),
      weight: randomValues(inner * outer, 2, 1),
      bias: randomValues(outer, 3, 1),
      z: randomValues(rows * (sizes.lora?.zWidth ?? 4), 4, 1),
      lora: randomValues(1000, 5, 1),
      residual: randomValues(rows * outer, 6, 1),
      preactivation: randomValues(rows * outer, 7, 2),
      out: randomValues(rows * outer, 8, 1),
    };
    const got = await runKernel(
      gpu,
      matmulKernel(variant, tile),
      {
        ...data,
        current: passUniform({ rows, dropout }),
        layer: layerUniform(6),
        sizes: matmulSizes(sizes),
        rows: packedRows(lengths, positions).rows,
      },
      { out: data.out, preactivation: variant.gelu === 'keep' ? rows * outer : data.preactivation },
      matmulGrid(sizes, tile, rows),
    );
    const want = matmulReference({ variant, sizes }, rows, { ...data, ...(variant.dropout ? { mask } : {}) });
    expect(relativeError(got.out, want.out)).toBeLessThan(2e-6);
    if (variant.gelu === 'keep') expect(relativeError(got.preactivation, want.preactivation)).toBeLessThan(2e-6);
  });

  it.each(
    STORAGES.flatMap((test) => [STAGED, SUBGROUP, DIRECT].map((tile) => [tile.kind, test.title, tile, test] as const)),
  )('%s, the matrix stored as %s', async (_, __, tile, { rows, variant, sizes }) => {
    const { inner, outer } = sizes;
    const byRows = variant.weight === 'rows';
    const matrix = stored(variant.weightPrecision, byRows ? outer : inner, byRows ? inner : outer);
    const bias = randomValues(byRows ? outer : inner, 3, 1);
    const data = {
      x: randomValues(rows * inner, 1, 1),
      z: randomValues(rows * 4, 4, 1),
      lora: randomValues(200, 5, 1),
      out: randomValues(rows * outer, 8, 1),
    };
    const got = await runKernel(
      gpu,
      matmulKernel(variant, tile),
      {
        ...data,
        weight: matrix.data,
        bias: Float32Array.of(...bias, ...matrix.scales),
        current: passUniform({ rows }),
        sizes: matmulSizes(sizes),
      },
      { out: data.out },
      matmulGrid(sizes, tile, rows),
    );
    const want = matmulReference({ variant, sizes }, rows, { ...data, bias, weight: matrix.values });
    expect(relativeError(got.out, want.out)).toBeLessThan(2e-6);
  });
});
