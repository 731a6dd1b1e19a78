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

  // Running maxima start below every score: a constant added to all of a row's scores changes no probability.
  it.each([
    ['far below 0, where exp alone gives 0', -200, 'alone'],
    ['far above 0, where exp alone overflows', 200, 'alone'],
    ['far below 0, loads shared', -200, 'sharing'],
    ['far below 0, two threads to a row', -200, 'pairs'],
  ] as const)('scores %s', async (_, shift, threads) => {
    const [heads, headSize, lengths] = [2, 8, [19, 3]];
    const width = heads * headSize;
    const { rows: table, samples, count: rows } = packedRows(lengths);
    const qkv = randomValues(rows * 3 * width, 1, 1);
    const dContext = randomValues(rows * width, 2, 1);
    const places = [
      { first: 0, length: 19 },
      { first: 19, length: 3 },
    ];
    // A channel of each query and key holds the constant; in the plain computation it is left at 0.
    const channel = (row: number, part: number, head: number) => row * 3 * width + part * width + head * headSize;
    const each = (set: (query: number, key: number) => void) => {
      for (let row = 0; row < rows; row++)
        for (let head = 0; head < heads; head++) set(channel(row, 0, head), channel(row, 1, head));
    };
    each((query, key) => qkv.fill(0, query, query + 1).fill(0, key, key + 1));
    const masks = lengths.map((length) => new Float32Array(heads * length * length).fill(1));
    const want = attentionReference(heads, headSize, places, qkv, dContext, masks);
    each((query, key) => {
      qkv[query] = Math.sqrt(headSize);
      qkv[key] = shift;
    });
    const spec = { headSize, threads, precision: 'f32' } as const;
    const grid = attentionGrid(spec, heads, lengths.length, 19);
    const inputs = { current: passUniform({ rows, samples: 2 }), layer: layerUniform(0), rows: table, samples, qkv };
    const sizes = { context: rows * width, logSum: rows * heads };
    const forward = await runKernel(gpu, attentionForwardKernel(spec), inputs, sizes, grid);
    // At 200 the numbers of f32 lie 1.5e-5 apart.
    expect(relativeError(forward.context, want.context)).toBeLessThan(1e-4);

    const query = await runKernel(
      gpu,
      attentionQueryGradientKernel(spec),
      { ...inputs, logSum: forward.logSum, dContext },
      { delta: rows * heads, dqkv: rows * 3 * width },
      grid,
    );
    // All channels of the queries' gradient but the one that was set: there the key is not 0 any more.
    const queries = (dqkv: Float32Array) =>
      dqkv.filter((_, i) => i % (3 * width) < width && (i % (3 * width)) % headSize !== 0);
    expect(relativeError(queries(query.dqkv), queries(want.dqkv))).toBeLessThan(1e-4);
  });
});
