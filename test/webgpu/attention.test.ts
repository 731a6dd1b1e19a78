import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../worker/check/golden-check.ts';
import { randomValues } from '../../worker/check/random-model.ts';
import { attentionMask } from '../../worker/engine/dropout.ts';
import type { Gpu } from '../../worker/engine/webgpu/device/gpu.ts';
import { attentionForwardKernel, attentionGrid } from '../../worker/engine/webgpu/kernels/attention.ts';
import {
  attentionKeyGradientKernel,
  attentionQueryGradientKernel,
  attentionReference,
} from '../../worker/engine/webgpu/kernels/attention-backward.ts';
import { needs } from '../needs.ts';
import { openGpu } from './dawn.ts';
import { GPU } from './gpu-need.ts';
import { layerUniform, packedRows, passUniform, runKernel } from './run-kernel.ts';

describe('attention', needs(GPU), () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.dispose());

  it.each([
    ['a head of one vec4', 3, 4, 'alone', [7, 2], 0],
    ['more rows than a workgroup has', 2, 16, 'sharing', [70, 1, 33], 0],
    ['two threads to a row, of unequal parts', 2, 12, 'pairs', [40, 9], 0],
    ['four threads to a row', 1, 32, 'quads', [11], 0],
    ['more than registers hold', 1, 72, 'alone', [9], 0],
    ['heads of 64, four threads to a row', 1, 64, 'quads', [13], 0],
    ['heads of 128', 1, 128, 'alone', [9, 3], 0],
    ['dropout', 3, 8, 'alone', [19, 1, 6], 0.3],
    ['more than registers hold, loads shared', 1, 72, 'sharing', [9], 0],
    ['dropout, loads shared', 3, 8, 'sharing', [19, 1, 6], 0.3],
    ['dropout, two threads to a row', 1, 8, 'pairs', [19, 3], 0.3],
  ] as const)('%s', async (_, heads, headSize, threads, lengths, probability) => {
    const width = heads * headSize;
    const positions = lengths.map((_, b) => 3 * b + 2);
    const { rows: table, samples, count: rows } = packedRows(lengths, positions);
    const tokens = Math.max(...lengths);
    const dropout = { probability, seed: 17, round: 3 };
    const spec = { headSize, threads, precision: 'f32' } as const;
    const qkv = randomValues(rows * 3 * width, 1, 2);
    const dContext = randomValues(rows * width, 2, 1);
    const masks = lengths.map((length, b) =>
      attentionMask(dropout, 5, Int32Array.of(positions[b]!), heads, tokens).filter(
        (_, i) => Math.floor(i / tokens) % tokens < length && i % tokens < length,
      ),
    );
    let first = 0;
    const places = lengths.map((length) => {
      first += length;
      return { first: first - length, length };
    });
    const want = attentionReference(heads, headSize, places, qkv, dContext, masks);
    const shared = {
      current: passUniform({ rows, samples: lengths.length, dropout }),
      layer: layerUniform(5),
      rows: table,
      samples,
      qkv,
    };
    const forward = await runKernel(
      gpu,
      attentionForwardKernel(spec),
      shared,
      { context: rows * width, logSum: rows * heads },
      attentionGrid(spec, heads, lengths.length, tokens),
    );
    expect(relativeError(forward.context, want.context)).toBeLessThan(3e-6);

    const grid = attentionGrid(spec, heads, lengths.length, tokens);
    const query = await runKernel(
      gpu,
      attentionQueryGradientKernel(spec),
      { ...shared, logSum: forward.logSum, dContext },
      { delta: rows * heads, dqkv: rows * 3 * width },
      grid,
    );
    const { dqkv } = await runKernel(
      gpu,
      attentionKeyGradientKernel(spec),
      { ...shared, logSum: forward.logSum, delta: query.delta, dContext },
      { dqkv: query.dqkv },
      grid,
    );
    expect(relativeError(dqkv, want.dqkv)).toBeLessThan(1e-5);
  });
});
