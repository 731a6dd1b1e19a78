import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../worker/check/golden-check.ts';
import { randomValues } from '../../worker/check/random-model.ts';
import { DROPOUT_SITES, hiddenMask } from '../../worker/engine/dropout.ts';
import { normalCdf } from '../../worker/engine/reference/functions.ts';
import type { Gpu } from '../../worker/engine/webgpu/device/gpu.ts';
import { embedGrid, embedKernel, embedReference, embedSizes } from '../../worker/engine/webgpu/kernels/embed.ts';
import { geluReference, geluSlopeReference } from '../../worker/engine/webgpu/kernels/gelu.ts';
import {
  layerNormBackwardKernel,
  layerNormBackwardReference,
  layerNormBackwardSizes,
  layerNormGrid,
  layerNormKernel,
  layerNormReference,
  layerNormSizes,
} from '../../worker/engine/webgpu/kernels/layer-norm.ts';
import { needs } from '../needs.ts';
import { openGpu } from './dawn.ts';
import { dropoutMaskGrid, dropoutMaskKernel, dropoutMaskSizes } from './dropout-mask.ts';
import { GPU } from './gpu-need.ts';
import { layerUniform, packed, packedRows, passUniform, runKernel } from './run-kernel.ts';

const LENGTHS = [9, 1, 4];
const POSITIONS = [5, 0, 2 ** 20];
const DROPOUT = { probability: 0.4, seed: 4_000_000_000, round: 12 };
const LAYER = 11;
const place = packedRows(LENGTHS, POSITIONS);
const rows = place.count;
const mask = (layer: number, site: number, width: number) =>
  packed(hiddenMask(DROPOUT, layer, site, Int32Array.from(POSITIONS), 9, width), LENGTHS, 9, width);

describe('kernels that work row by row', needs(GPU), () => {
  let gpu: Gpu;
  const shared = {
    current: passUniform({ rows, dropout: DROPOUT }),
    layer: layerUniform(LAYER),
    rows: place.rows,
  };
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.dispose());

  it('draws dropout masks bit for bit as worker/engine/dropout.ts does', async () => {
    const site = DROPOUT_SITES.ffnOutput;
    const got = await runKernel(
      gpu,
      dropoutMaskKernel(),
      { ...shared, sizes: dropoutMaskSizes(12, site) },
      { mask: rows * 12 },
      dropoutMaskGrid(rows, 12),
    );
    expect(got.mask).toEqual(mask(LAYER, site, 12));
  });

  // 300 columns are more than one vec4 for each of 64 threads, 12 are fewer.
  it.each([12, 300])('layer norm of %i columns, forward and backward', async (width) => {
    const x = randomValues(rows * width, 1, 2, 0.5);
    const norm = randomValues(2 * width, 2, 0.5, 1);
    const got = await runKernel(
      gpu,
      layerNormKernel({ outPrecision: 'f32', keep: true }),
      { ...shared, sizes: layerNormSizes(width, 1e-5), x, norm },
      { out: rows * width, normed: rows * width, rstd: rows },
      layerNormGrid(rows),
    );
    const want = layerNormReference(width, 1e-5, rows, x, norm);
    expect(relativeError(got.out, want.out)).toBeLessThan(2e-6);
    expect(relativeError(got.normed, want.normed)).toBeLessThan(2e-6);
    expect(relativeError(got.rstd, want.rstd)).toBeLessThan(2e-6);

    const gradient = randomValues(rows * width, 3, 1);
    const dropoutSite = DROPOUT_SITES.attentionOutput;
    const inputs = { ...want, gradient, norm };
    const back = await runKernel(
      gpu,
      layerNormBackwardKernel({ normedPrecision: 'f32', dropout: true }),
      { ...shared, sizes: layerNormBackwardSizes(width, dropoutSite), ...inputs },
      { gradient, dropped: rows * width },
      layerNormGrid(rows),
    );
    const wantBack = layerNormBackwardReference(width, rows, { ...inputs, mask: mask(LAYER, dropoutSite, width) });
    expect(relativeError(back.gradient, wantBack.gradient)).toBeLessThan(3e-6);
    expect(relativeError(back.dropped, wantBack.dropped)).toBeLessThan(3e-6);
  });

  it('embeds from a word table in two parts', async () => {
    const sizes = { width: 20, eps: 1e-5, positions: 14, dropoutSite: 0 };
    const [words, tables, norm] = [randomValues(24 * 20, 1, 1), randomValues(15 * 20, 2, 1), randomValues(40, 3, 1)];
    let out = new Float32Array(rows * 20);
    for (const [first, count] of [
      [0, 10],
      [10, 14],
    ] as const) {
      const got = await runKernel(
        gpu,
        embedKernel('f32', 'f32'),
        {
          ...shared,
          sizes: embedSizes({ ...sizes, firstWord: first, wordCount: count }),
          wordTable: words.slice(first * 20, (first + count) * 20),
          tables,
          norm,
        },
        { out },
        embedGrid(rows),
      );
      out = new Float32Array(got.out);
    }
    const want = embedReference(sizes, place.rows, words, tables, norm, mask(0, 0, 20));
    expect(relativeError(out, want)).toBeLessThan(2e-6);
  });
});

describe('GELU in plain numbers', () => {
  it('agrees with the reference engine and with its own slope', () => {
    for (let u = -7; u <= 7; u += 0.37) {
      expect(geluReference(u)).toBeCloseTo(u * normalCdf(u), 12);
      expect(geluSlopeReference(u)).toBeCloseTo((geluReference(u + 1e-5) - geluReference(u - 1e-5)) / 2e-5, 8);
    }
  });
});
