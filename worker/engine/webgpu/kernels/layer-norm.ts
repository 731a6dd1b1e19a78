import { DROPOUT_WGSL } from './dropout.ts';
import {
  type Binding,
  flatGrid,
  type Grid,
  type Kernel,
  kernel,
  type Precision,
  read,
  uniform,
  vectors,
  words,
  write,
} from './kernel.ts';
import { ROW_START_WGSL, ROW_SUM_WGSL, ROW_THREADS, rowMomentsWgsl } from './row-sum.ts';

/**
 * `torch.nn.functional.layer_norm` over the last dimension, the residual sum having been made by the product before it:
 *
 *   normed = (x - mean(x)) * rstd,  rstd = 1 / sqrt(var(x) + eps),  out = normed * gain + shift      x, out (N,C), rstd (N)
 *
 * With `keep`, normed and rstd are stored: all that the backward pass needs, and the next layer's input can be made from normed again.
 * `norm` holds gain, then shift (2C).
 */
export interface LayerNormSpec {
  readonly outPrecision: Precision;
  readonly keep: boolean;
}

export const layerNormGrid = (rows: number): Grid => flatGrid(rows);
export const layerNormSizes = (width: number, eps: number): Uint32Array => words(width / 4, { f32: eps });

export function layerNormKernel({
  outPrecision,
  keep,
}: LayerNormSpec): Kernel<'current' | 'sizes' | 'x' | 'norm' | 'out' | 'normed' | 'rstd'> {
  const bindings: Record<string, Binding> = {
    current: uniform('Pass'),
    sizes: uniform('Sizes'),
    x: read('array<vec4f>'),
    norm: read('array<vec4f>'),
    out: write(vectors(outPrecision)),
    ...(keep ? { normed: write(vectors(outPrecision)), rstd: write('array<f32>') } : {}),
  };
  return kernel({
    label: 'layer norm',
    bindings,
    source: /* wgsl */ `
struct Sizes { width4: u32, eps: f32, unused0: u32, unused1: u32 }
${ROW_SUM_WGSL}
${ROW_START_WGSL}
  ${rowMomentsWgsl('x[row * sizes.width4 + c]')}
  for (var c = thread; c < sizes.width4; c += ${ROW_THREADS}u) {
    let at = row * sizes.width4 + c;
    let value = (x[at] - mean) * scale;
    ${keep ? `normed[at] = vec4<${outPrecision}>(value);` : ''}
    out[at] = vec4<${outPrecision}>(value * norm[c] + norm[sizes.width4 + c]);
  }
  ${keep ? 'if (thread == 0u) { rstd[row] = scale; }' : ''}
}`,
  });
}

export function layerNormReference(
  width: number,
  eps: number,
  rows: number,
  x: Float32Array,
  norm: Float32Array,
): { out: Float32Array; normed: Float32Array; rstd: Float32Array } {
  const out = new Float32Array(rows * width);
  const normed = new Float32Array(rows * width);
  const rstd = new Float32Array(rows);
  for (let n = 0; n < rows; n++) {
    let mean = 0;
    for (let c = 0; c < width; c++) mean += x[n * width + c]! / width;
    let variance = 0;
    for (let c = 0; c < width; c++) variance += (x[n * width + c]! - mean) ** 2 / width;
    rstd[n] = 1 / Math.sqrt(variance + eps);
    for (let c = 0; c < width; c++) {
      const value = (x[n * width + c]! - mean) / Math.sqrt(variance + eps);
      normed[n * width + c] = value;
      out[n * width + c] = value * norm[c]! + norm[width + c]!;
    }
  }
  return { out, normed, rstd };
}

/**
 * Backward of `normed * gain + shift`, in place:
 *
 *   g = gradient * gain,  gradient = rstd * (g - mean(g) - normed * mean(g * normed))                gradient (N,C)
 *
 * With `dropout`, the gradient of what was dropped before the residual sum is written, too: dropped = gradient * mask.
 */
export interface LayerNormBackwardSpec {
  readonly normedPrecision: Precision;
  readonly dropout: boolean;
}

export const layerNormBackwardSizes = (width: number, dropoutSite: number): Uint32Array =>
  words(width / 4, dropoutSite);

export function layerNormBackwardKernel({
  normedPrecision,
  dropout,
}: LayerNormBackwardSpec): Kernel<
  'current' | 'layer' | 'sizes' | 'rows' | 'normed' | 'rstd' | 'norm' | 'gradient' | 'dropped'
> {
  const bindings: Record<string, Binding> = {
    current: uniform('Pass'),
    sizes: uniform('Sizes'),
    ...(dropout ? { layer: uniform('Layer'), rows: read('array<vec4u>') } : {}),
    normed: read(vectors(normedPrecision)),
    rstd: read('array<f32>'),
    norm: read('array<vec4f>'),
    gradient: write('array<vec4f>'),
    ...(dropout ? { dropped: write('array<vec4f>') } : {}),
  };
  return kernel({
    label: 'layer norm backward',
    bindings,
    source: /* wgsl */ `
struct Sizes { width4: u32, site: u32, unused0: u32, unused1: u32 }
${dropout ? DROPOUT_WGSL : ''}
${ROW_SUM_WGSL}
${ROW_START_WGSL}
  let width = f32(sizes.width4 * 4u);
  var sum = 0f;
  var sumAlong = 0f;
  for (var c = thread; c < sizes.width4; c += ${ROW_THREADS}u) {
    let at = row * sizes.width4 + c;
    let g = gradient[at] * norm[c];
    sum += dot(g, vec4f(1));
    sumAlong += dot(g, vec4f(normed[at]));
  }
  let mean = sumOverRow(thread, sum) / width;
  let along = sumOverRow(thread, sumAlong) / width;
  ${dropout ? 'let place = rows[row]; let key = dropKey(layer.index, sizes.site, place.z);' : ''}
  for (var c = thread; c < sizes.width4; c += ${ROW_THREADS}u) {
    let at = row * sizes.width4 + c;
    let value = rstd[row] * (gradient[at] * norm[c] - mean - vec4f(normed[at]) * along);
    gradient[at] = value;
    ${dropout ? 'dropped[at] = value * keep4(key, place.y * sizes.width4 + c);' : ''}
  }
}`,
  });
}

export function layerNormBackwardReference(
  width: number,
  rows: number,
  inputs: {
    readonly gradient: Float32Array;
    readonly normed: Float32Array;
    readonly rstd: Float32Array;
    readonly norm: Float32Array;
    readonly mask?: Float32Array;
  },
): { gradient: Float32Array; dropped: Float32Array } {
  const gradient = new Float32Array(rows * width);
  const dropped = new Float32Array(rows * width);
  for (let n = 0; n < rows; n++) {
    let mean = 0;
    let along = 0;
    for (let c = 0; c < width; c++) {
      const g = inputs.gradient[n * width + c]! * inputs.norm[c]!;
      mean += g / width;
      along += (g * inputs.normed[n * width + c]!) / width;
    }
    for (let c = 0; c < width; c++) {
      const at = n * width + c;
      const value = inputs.rstd[n]! * (inputs.gradient[at]! * inputs.norm[c]! - mean - inputs.normed[at]! * along);
      gradient[at] = value;
      dropped[at] = value * (inputs.mask?.[at] ?? 1);
    }
  }
  return { gradient, dropped };
}
