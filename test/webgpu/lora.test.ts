import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../worker/check/golden-check.ts';
import { randomValues } from '../../worker/check/random-model.ts';
import { hiddenMask } from '../../worker/engine/dropout.ts';
import type { Gpu } from '../../worker/engine/webgpu/device/gpu.ts';
import {
  gradientSplits,
  gradientSumGrid,
  gradientSumKernel,
  gradientSumSizes,
  type LoraGradientSpec,
  loraGradientGrid,
  loraGradientKernel,
  loraGradientReference,
  loraGradientSizes,
} from '../../worker/engine/webgpu/kernels/lora-gradient.ts';
import {
  type LoraInputSpec,
  loraInputGrid,
  loraInputKernel,
  loraInputReference,
  loraInputSizes,
} from '../../worker/engine/webgpu/kernels/lora-input.ts';
import {
  type LoraProjectSpec,
  loraProjectGrid,
  loraProjectKernel,
  loraProjectReference,
  loraProjectSizes,
} from '../../worker/engine/webgpu/kernels/lora-project.ts';
import { needs } from '../needs.ts';
import { openGpu } from './dawn.ts';
import { GPU } from './gpu-need.ts';
import { layerUniform, packed, packedRows, passUniform, runKernel } from './run-kernel.ts';

const LENGTHS = [13, 1, 23];
const POSITIONS = [4, 0, 9];
const DROPOUT = { probability: 0.25, seed: 3, round: 8 };
const LAYER = 2;
const place = packedRows(LENGTHS, POSITIONS);
const rows = place.count;

function mask(site: number, width: number): Float32Array {
  const tokens = Math.max(...LENGTHS);
  return packed(hiddenMask(DROPOUT, LAYER, site, Int32Array.from(POSITIONS), tokens, width), LENGTHS, tokens, width);
}

describe('products with adapters', needs(GPU), () => {
  let gpu: Gpu;
  const shared = {
    current: passUniform({ rows, splitRows: 10, dropout: DROPOUT }),
    layer: layerUniform(LAYER),
    rows: place.rows,
  };
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.dispose());

  it('projects an input onto two ranks of 3, each with its own mask', async () => {
    const spec: LoraProjectSpec = {
      matrix: 'A',
      inner: 36,
      xWidth: 36,
      xPrecision: 'f32',
      rank: 3,
      scale: 1,
      zWidth: 8,
      targets: [
        { xOffset: 0, zOffset: 0, matrixOffset: 4, dropoutSite: 4 },
        { xOffset: 0, zOffset: 4, matrixOffset: 120, dropoutSite: 6 },
      ],
    };
    const [x, lora] = [randomValues(rows * 36, 1, 1), randomValues(300, 2, 1)];
    const { z } = await runKernel(
      gpu,
      loraProjectKernel(spec),
      { ...shared, sizes: loraProjectSizes(spec), x, lora },
      { z: randomValues(rows * 8, 9, 1) },
      loraProjectGrid(spec, rows),
    );
    expect(relativeError(z, loraProjectReference(spec, rows, x, lora, [mask(4, 36), mask(6, 36)]))).toBeLessThan(2e-6);
  });

  it('projects parts of a gradient back onto a rank of 10', async () => {
    const spec: LoraProjectSpec = {
      matrix: 'B',
      inner: 12,
      xWidth: 36,
      xPrecision: 'f32',
      rank: 10,
      scale: 0.8,
      zWidth: 24,
      targets: [
        { xOffset: 0, zOffset: 0, matrixOffset: 0, dropoutSite: 0 },
        { xOffset: 24, zOffset: 12, matrixOffset: 124, dropoutSite: 0 },
      ],
    };
    const [x, lora] = [randomValues(rows * 36, 1, 1), randomValues(300, 2, 1)];
    const { z } = await runKernel(
      gpu,
      loraProjectKernel(spec),
      { ...shared, sizes: loraProjectSizes(spec), x, lora },
      { z: rows * 24 },
      loraProjectGrid(spec, rows),
    );
    expect(relativeError(z, loraProjectReference(spec, rows, x, lora))).toBeLessThan(2e-6);
  });

  it.each([true, false])('sends the adapters’ gradient to their input (added: %s)', async (add) => {
    const spec: LoraInputSpec = {
      width: 20,
      rank: 3,
      zWidth: 8,
      add,
      targets: [
        { zOffset: 0, aOffset: 8, dropoutSite: 4 },
        { zOffset: 4, aOffset: 100, dropoutSite: 5 },
      ],
    };
    const [dz, lora, dx] = [randomValues(rows * 8, 1, 1), randomValues(200, 2, 1), randomValues(rows * 20, 3, 1)];
    const got = await runKernel(
      gpu,
      loraInputKernel(add),
      { ...shared, sizes: loraInputSizes(spec), dz, lora },
      { dx },
      loraInputGrid(spec, rows),
    );
    const want = loraInputReference(spec, rows, dz, lora, dx, [mask(4, 20), mask(5, 20)]);
    expect(relativeError(got.dx, want)).toBeLessThan(2e-6);
  });

  it.each([
    ['plain', 'B'],
    ['normed', 'A'],
    ['gelu', 'A'],
  ] as const)('gradient of a matrix from a %s input (%s)', async (xForm, matrix) => {
    const width = 20;
    const rank = 6;
    const spec: LoraGradientSpec = {
      matrix,
      width,
      xWidth: xForm === 'plain' ? 60 : width,
      xPrecision: 'f32',
      xForm,
      rank,
      scale: 0.5,
      zWidth: 16,
      blockLength: 2 * rank * width,
      targets: [
        { xOffset: 0, zOffset: 0, matrixOffset: 0, dropoutSite: 4 },
        {
          xOffset: xForm === 'plain' ? 40 : 0,
          zOffset: 8,
          matrixOffset: rank * width,
          dropoutSite: 6,
        },
      ],
    };
    const [x, z, norm] = [
      randomValues(rows * spec.xWidth, 1, 1),
      randomValues(rows * 16, 2, 1),
      randomValues(2 * width, 3, 1),
    ];
    const splits = Math.ceil(rows / 10);
    const { parts } = await runKernel(
      gpu,
      loraGradientKernel(spec),
      { ...shared, sizes: loraGradientSizes(spec), x, z, norm },
      { parts: splits * spec.blockLength },
      loraGradientGrid(spec, splits),
    );
    const { gradient } = await runKernel(
      gpu,
      gradientSumKernel(),
      { ...shared, sizes: gradientSumSizes(spec.blockLength), parts },
      { gradient: spec.blockLength },
      gradientSumGrid(spec.blockLength),
    );
    const masks = xForm === 'plain' ? undefined : [mask(4, width), mask(6, width)];
    expect(relativeError(gradient, loraGradientReference(spec, rows, x, z, norm, masks))).toBeLessThan(3e-6);
  });
});

it('splits a gradient sum within bounds of memory and use', () => {
  // roberta-base, r = 8 on two targets: 98,304 bytes a copy; 32 splits of 64 rows.
  expect(gradientSplits(2048, 4 * 8 * 768)).toEqual({ splits: 32, splitRows: 64 });
  // A block of 4 MiB leaves room for one copy.
  expect(gradientSplits(2048, 2 ** 20)).toEqual({ splits: 1, splitRows: 2048 });
  expect(gradientSplits(1, 100)).toEqual({ splits: 1, splitRows: 1 });
  // 33 rows make two splits of 17 and 16.
  expect(gradientSplits(33, 100)).toEqual({ splits: 2, splitRows: 17 });
});
