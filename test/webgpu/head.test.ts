import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../worker/check/golden-check.ts';
import { randomValues } from '../../worker/check/random-model.ts';
import { headMasks } from '../../worker/engine/dropout.ts';
import type { Gpu } from '../../worker/engine/webgpu/device/gpu.ts';
import {
  headBackwardKernel,
  headDenseGrid,
  headDenseKernel,
  headGradientGrid,
  headGradientKernel,
  headLossKernel,
  headReference,
  headSampleGrid,
  headSizes,
} from '../../worker/engine/webgpu/kernels/head.ts';
import { needs } from '../needs.ts';
import { openGpu } from './dawn.ts';
import { GPU } from './gpu-need.ts';
import { packedRows, passUniform, runKernel } from './run-kernel.ts';

describe('head and loss', needs(GPU), () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu();
  });
  afterAll(() => gpu.dispose());

  it.each([
    ['regression', 1, 0],
    ['classification', 3, 0],
    ['more classes than threads', 70, 0],
    ['classification with dropout', 3, 0.4],
    ['regression with dropout', 1, 0.4],
  ])('%s', async (_, labelCount, probability) => {
    const width = 20;
    const lengths = [4, 1, 6];
    const positions = [3, 11, 5];
    const { samples, count: rows } = packedRows(lengths, positions);
    const dropout = { probability, seed: 21, round: 9 };
    const masks = headMasks(dropout, Int32Array.from(positions), width) ?? undefined;
    const labels = labelCount === 1 ? Float32Array.of(0.3, -2, 5) : Float32Array.of(0, labelCount - 1, 1);
    const words = new Float32Array(samples.buffer);
    labels.forEach((label, b) => {
      words[4 * b + 3] = label;
    });
    const shape = { width, labelCount };
    const sizes = headSizes(shape);
    const hidden = randomValues(rows * width, 1, 1);
    const length = width * width + width + labelCount * width + labelCount;
    const head = randomValues(length, 2, 0.5);
    const firstRows = [0, 4, 5];
    const x = Float32Array.from(firstRows.flatMap((row) => [...hidden.subarray(row * width, (row + 1) * width)]));
    const want = headReference(shape, x, labels, head, masks);
    const current = passUniform({ rows, samples: 3, dropout });

    const { activated } = await runKernel(
      gpu,
      headDenseKernel('f32'),
      { current, sizes, samples, hidden, head },
      { activated: 3 * width },
      headDenseGrid(shape, 3),
    );
    const { logits, dLogits } = await runKernel(
      gpu,
      headLossKernel(labelCount === 1),
      { sizes, samples, activated, head },
      { logits: 3 * labelCount, dLogits: 3 * labelCount },
      headSampleGrid(3),
    );
    expect(relativeError(logits, want.logits)).toBeLessThan(2e-6);
    const { dDense, dHidden } = await runKernel(
      gpu,
      headBackwardKernel(),
      { current, sizes, samples, activated, head, dLogits },
      { dDense: 3 * width, dHidden: randomValues(rows * width, 3, 1) },
      headSampleGrid(3),
    );
    const wantHidden = new Float32Array(rows * width);
    firstRows.forEach((row, b) => {
      wantHidden.set(want.dx.subarray(b * width, (b + 1) * width), row * width);
    });
    expect(relativeError(dHidden, wantHidden)).toBeLessThan(3e-6);
    const { gradient } = await runKernel(
      gpu,
      headGradientKernel('f32'),
      { current, sizes, samples, hidden, activated, dLogits, dDense },
      { gradient: length },
      headGradientGrid(shape),
    );
    expect(relativeError(gradient, want.gradient)).toBeLessThan(3e-6);
  });
});
