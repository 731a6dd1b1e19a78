import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../worker/check/golden-check.ts';
import { randomValues } from '../../worker/check/random-model.ts';
import { headMasks } from '../../worker/engine/dropout.ts';
import { type Loss, lossTargets } from '../../worker/engine/loss.ts';
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

  const plain: Loss = { kind: 'cross-entropy', classWeights: null, labelSmoothing: 0 };
  const weighted: Loss = { kind: 'cross-entropy', classWeights: [0.5, 2, 7], labelSmoothing: 0.2 };
  it.each<[string, Loss, number, number]>([
    ['regression', { kind: 'squared-error' }, 1, 0],
    ['classification', plain, 3, 0],
    ['more classes than threads', plain, 70, 0],
    ['class weights and smoothing', weighted, 3, 0],
    ['several labels', { kind: 'binary-cross-entropy' }, 3, 0],
    ['one label of several', { kind: 'binary-cross-entropy' }, 1, 0],
    ['more labels than threads', { kind: 'binary-cross-entropy' }, 70, 0],
    ['classification with dropout', plain, 3, 0.4],
    ['regression with dropout', { kind: 'squared-error' }, 1, 0.4],
  ])('%s', async (_, loss, labelCount, probability) => {
    const width = 20;
    const lengths = [4, 1, 6];
    const positions = [3, 11, 5];
    const { samples, count: rows } = packedRows(lengths, positions);
    const dropout = { probability, seed: 21, round: 9 };
    const masks = headMasks(dropout, Int32Array.from(positions), width) ?? undefined;
    const labels = {
      'squared-error': Float32Array.of(0.3, -2, 5),
      'cross-entropy': Float32Array.of(0, labelCount - 1, 1),
      'binary-cross-entropy': Float32Array.from({ length: 3 * labelCount }, (_, i) => Number(i % 3 === 0)),
    }[loss.kind];
    const targets = lossTargets(loss, labels, labelCount);
    const shape = { width, labelCount };
    const sizes = headSizes(shape);
    const hidden = randomValues(rows * width, 1, 1);
    const length = width * width + width + labelCount * width + labelCount;
    const head = randomValues(length, 2, 0.5);
    const firstRows = [0, 4, 5];
    const x = Float32Array.from(firstRows.flatMap((row) => [...hidden.subarray(row * width, (row + 1) * width)]));
    const want = headReference(shape, x, loss, targets, head, masks);
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
      headLossKernel(loss.kind),
      { sizes, targets, activated, head },
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
