import { DROPOUT_SITES, type HeadMasks } from '../../dropout.ts';
import { type Loss, lossAndGradientOf } from '../../loss.ts';
import { DROPOUT_WGSL } from './dropout.ts';
import {
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

/**
 * RobertaClassificationHead on each sample's first token, its two dropouts included, and the gradient of the loss (`lossTargets` and
 * `lossAndGradientOf` say which), summed over the samples.
 *
 *   activated = mask2 * tanh((mask1 * x) W1^T + b1),  logits = activated W2^T + b2        x (B,C), W1 (C,C), W2 (labels,C)
 *
 * The head's parameters lie in its block of ParameterLayout: W1, b1, W2, b2. Two launches for the forward pass and two for the
 * backward one; there are few rows, so plain loops are fast enough.
 */
export interface HeadSizes {
  /** C. */
  readonly width: number;
  readonly labelCount: number;
}

const THREADS = 64;
/** Outputs of the dense layer in a workgroup, each summed by THREADS / DENSE threads. */
const DENSE = 8;

const offsets = ({ width, labelCount }: HeadSizes) => ({
  bias1: width * width,
  weight2: width * width + width,
  bias2: width * width + width + labelCount * width,
  length: width * width + width + labelCount * width + labelCount,
});

export function headSizes(sizes: HeadSizes): Uint32Array {
  const { bias1, weight2, bias2, length } = offsets(sizes);
  return words(sizes.width, sizes.labelCount, bias1, weight2, bias2, length);
}

const SIZES_STRUCT =
  'struct Sizes { width: u32, labels: u32, bias1: u32, weight2: u32, bias2: u32, length: u32, unused0: u32, unused1: u32 }';

/** Masks of columns 4n to 4n+3 of a sample: of the dense layer's input, and of what is activated. */
const MASKS_WGSL = /* wgsl */ `
${DROPOUT_WGSL}
fn inputMask(position: u32, n: u32) -> vec4f { return keep4(dropKey(0u, ${DROPOUT_SITES.headInput}u, position), n); }
fn activatedMask(position: u32, n: u32) -> vec4f { return keep4(dropKey(0u, ${DROPOUT_SITES.headActivated}u, position), n); }
`;

const PER_SAMPLE = /* wgsl */ `
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let sample = group.x;`;

export const headDenseGrid = (sizes: HeadSizes, samples: number): Grid => [samples, Math.ceil(sizes.width / DENSE), 1];
export const headSampleGrid = (samples: number): Grid => [samples, 1, 1];
export const headGradientGrid = (sizes: HeadSizes): Grid => flatGrid(Math.ceil(offsets(sizes).length / THREADS));

/** activated (B,C). `samples.x` is each sample's first row in hidden (N,C), `samples.z` its position in the round. */
export function headDenseKernel(
  precision: Precision,
): Kernel<'current' | 'sizes' | 'samples' | 'hidden' | 'head' | 'activated'> {
  const slices = THREADS / DENSE;
  return kernel({
    label: 'head dense',
    bindings: {
      current: uniform('Pass'),
      sizes: uniform('Sizes'),
      samples: read('array<vec4u>'),
      hidden: read(vectors(precision)),
      head: read('array<vec4f>'),
      activated: write('array<f32>'),
    },
    source: /* wgsl */ `
${SIZES_STRUCT}
${MASKS_WGSL}
var<workgroup> parts: array<f32, ${THREADS}>;
${PER_SAMPLE}
  let output = group.y * ${DENSE}u + thread / ${slices}u;
  let width4 = sizes.width / 4u;
  let row = samples[sample].x;
  let position = samples[sample].z;
  var sum = 0f;
  if (output < sizes.width) {
    for (var k = thread % ${slices}u; k < width4; k += ${slices}u) {
      var input = vec4f(hidden[row * width4 + k]);
      if (current.threshold != 0u) { input *= inputMask(position, k); }
      sum += dot(input, head[output * width4 + k]);
    }
  }
  parts[thread] = sum;
  workgroupBarrier();
  if (output < sizes.width && thread % ${slices}u == 0u) {
    for (var i = 1u; i < ${slices}u; i++) { sum += parts[thread + i]; }
    sum += head[(sizes.bias1 + output) / 4u][output & 3u];
    // Some drivers' tanh overflows; beyond 15 it is 1 in f32.
    var value = tanh(clamp(sum, -15f, 15f));
    if (current.threshold != 0u) { value *= activatedMask(position, output / 4u)[output & 3u]; }
    activated[sample * sizes.width + output] = value;
  }
}`,
  });
}

/** dLogits (B,labels) from logits and targets, both (B,labels), of one sample; `first` is where its labels begin. */
const LOSS_WGSL: Readonly<Record<Loss['kind'], string>> = {
  'squared-error': /* wgsl */ `
  if (thread == 0u) { dLogits[first] = 2f * (logits[first] - targets[first]); }`,
  'cross-entropy': /* wgsl */ `
  var most = logits[first];
  var whole = targets[first];
  for (var label = 1u; label < sizes.labels; label++) {
    most = max(most, logits[first + label]);
    whole += targets[first + label];
  }
  var total = 0f;
  for (var label = 0u; label < sizes.labels; label++) { total += exp(logits[first + label] - most); }
  for (var label = thread; label < sizes.labels; label += ${THREADS}u) {
    dLogits[first + label] = whole * (exp(logits[first + label] - most) / total) - targets[first + label];
  }`,
  // Beyond 80 the sigmoid is 0 or 1 in f32, and exp does not overflow before.
  'binary-cross-entropy': /* wgsl */ `
  for (var label = thread; label < sizes.labels; label += ${THREADS}u) {
    let sigmoid = 1f / (1f + exp(-clamp(logits[first + label], -80f, 80f)));
    dLogits[first + label] = (sigmoid - targets[first + label]) / f32(sizes.labels);
  }`,
};

/** logits and dLogits (B,labels), the latter of the sum of the sample losses. */
export function headLossKernel(
  loss: Loss['kind'],
): Kernel<'sizes' | 'targets' | 'activated' | 'head' | 'logits' | 'dLogits'> {
  return kernel({
    label: 'head loss',
    bindings: {
      sizes: uniform('Sizes'),
      targets: read('array<f32>'),
      activated: read('array<f32>'),
      head: read('array<f32>'),
      logits: write('array<f32>'),
      dLogits: write('array<f32>'),
    },
    source: /* wgsl */ `
${SIZES_STRUCT}
${PER_SAMPLE}
  let first = sample * sizes.labels;
  for (var label = thread; label < sizes.labels; label += ${THREADS}u) {
    var sum = head[sizes.bias2 + label];
    for (var i = 0u; i < sizes.width; i++) {
      sum += activated[sample * sizes.width + i] * head[sizes.weight2 + label * sizes.width + i];
    }
    logits[first + label] = sum;
  }
  storageBarrier();${LOSS_WGSL[loss]}
}`,
  });
}

/** dDense (B,C), the gradient before the tanh, and dHidden (N,C): zero but for each sample's first row. */
export function headBackwardKernel(): Kernel<
  'current' | 'sizes' | 'samples' | 'activated' | 'head' | 'dLogits' | 'dDense' | 'dHidden'
> {
  return kernel({
    label: 'head backward',
    bindings: {
      current: uniform('Pass'),
      sizes: uniform('Sizes'),
      samples: read('array<vec4u>'),
      activated: read('array<f32>'),
      head: read('array<f32>'),
      dLogits: read('array<f32>'),
      dDense: write('array<f32>'),
      dHidden: write('array<f32>'),
    },
    source: /* wgsl */ `
${SIZES_STRUCT}
${MASKS_WGSL}
${PER_SAMPLE}
  let position = samples[sample].z;
  for (var i = thread; i < sizes.width; i += ${THREADS}u) {
    var sum = 0f;
    for (var label = 0u; label < sizes.labels; label++) {
      sum += dLogits[sample * sizes.labels + label] * head[sizes.weight2 + label * sizes.width + i];
    }
    var value = activated[sample * sizes.width + i];
    if (current.threshold != 0u) {
      // What was kept is the tanh times the scale; what was dropped gets no gradient.
      value /= current.scale;
      sum *= activatedMask(position, i / 4u)[i & 3u];
    }
    dDense[sample * sizes.width + i] = sum * (1f - value * value);
  }
  storageBarrier();
  let first = samples[sample].x * sizes.width;
  for (var k = thread; k < sizes.width; k += ${THREADS}u) {
    var sum = 0f;
    for (var i = 0u; i < sizes.width; i++) { sum += dDense[sample * sizes.width + i] * head[i * sizes.width + k]; }
    if (current.threshold != 0u) { sum *= inputMask(position, k / 4u)[k & 3u]; }
    dHidden[first + k] = sum;
  }
  let end = first + samples[sample].y * sizes.width;
  for (var at = first + sizes.width + thread; at < end; at += ${THREADS}u) { dHidden[at] = 0f; }
}`,
  });
}

/** The gradient of the head's block, one thread for each value. */
export function headGradientKernel(
  precision: Precision,
): Kernel<'current' | 'sizes' | 'samples' | 'hidden' | 'activated' | 'dLogits' | 'dDense' | 'gradient'> {
  return kernel({
    label: 'head gradient',
    bindings: {
      current: uniform('Pass'),
      sizes: uniform('Sizes'),
      samples: read('array<vec4u>'),
      hidden: read(`array<${precision}>`),
      activated: read('array<f32>'),
      dLogits: read('array<f32>'),
      dDense: read('array<f32>'),
      gradient: write('array<f32>'),
    },
    source: /* wgsl */ `
${SIZES_STRUCT}
${MASKS_WGSL}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = (group.x + group.y * groups.x) * ${THREADS}u + thread;
  if (index >= sizes.length) { return; }
  var sum = 0f;
  for (var b = 0u; b < current.samples; b++) {
    if (index < sizes.bias1) {
      let column = index % sizes.width;
      var input = f32(hidden[samples[b].x * sizes.width + column]);
      if (current.threshold != 0u) { input *= inputMask(samples[b].z, column / 4u)[column & 3u]; }
      sum += dDense[b * sizes.width + index / sizes.width] * input;
    } else if (index < sizes.weight2) {
      sum += dDense[b * sizes.width + index - sizes.bias1];
    } else if (index < sizes.bias2) {
      let place = index - sizes.weight2;
      sum += dLogits[b * sizes.labels + place / sizes.width] * activated[b * sizes.width + place % sizes.width];
    } else {
      sum += dLogits[b * sizes.labels + index - sizes.bias2];
    }
  }
  gradient[index] = sum;
}`,
  });
}

/** Forward and backward in plain loops; x (B,C) are the samples' first rows, `head` the parameter block, `masks` (B,C) each. */
export function headReference(
  sizes: HeadSizes,
  x: Float32Array,
  loss: Loss,
  targets: Float32Array,
  head: Float32Array,
  masks?: HeadMasks,
): { logits: Float32Array; dx: Float32Array; gradient: Float32Array } {
  const { width, labelCount } = sizes;
  const at = offsets(sizes);
  const logits = new Float32Array(targets.length);
  const dx = new Float32Array(x.length);
  const gradient = new Float64Array(at.length);
  for (let b = 0; b < targets.length / labelCount; b++) {
    const input = x.subarray(b * width, (b + 1) * width).map((value, i) => value * (masks?.input[b * width + i] ?? 1));
    const keep = Array.from({ length: width }, (_, i) => masks?.activated[b * width + i] ?? 1);
    const plain = keep.map((_, i) =>
      Math.tanh(input.reduce((sum, value, k) => sum + value * head[i * width + k]!, head[at.bias1 + i]!)),
    );
    const activated = plain.map((value, i) => value * keep[i]!);
    const row = Array.from({ length: labelCount }, (_, l) =>
      activated.reduce((sum, value, i) => sum + value * head[at.weight2 + l * width + i]!, head[at.bias2 + l]!),
    );
    logits.set(row, b * labelCount);
    const { dLogits } = lossAndGradientOf(
      loss,
      row,
      targets.subarray(b * labelCount, (b + 1) * labelCount),
      labelCount,
    );
    dLogits.forEach((g, l) => {
      activated.forEach((value, i) => {
        gradient[at.weight2 + l * width + i]! += g * value;
      });
      gradient[at.bias2 + l]! += g;
    });
    plain.forEach((value, i) => {
      const back = dLogits.reduce((sum, g, l) => sum + g * head[at.weight2 + l * width + i]!, 0);
      const dDense = back * keep[i]! * (1 - value * value);
      gradient[at.bias1 + i]! += dDense;
      for (let k = 0; k < width; k++) {
        gradient[i * width + k]! += dDense * input[k]!;
        dx[b * width + k]! += dDense * head[i * width + k]! * (masks?.input[b * width + k] ?? 1);
      }
    });
  }
  return { logits, dx, gradient: Float32Array.from(gradient) };
}
