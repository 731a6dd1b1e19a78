import { DROPOUT_WGSL } from './dropout.ts';
import { GELU_WGSL, geluReference } from './gelu.ts';
import {
  type Binding,
  flatGrid,
  GROUP_INDEX,
  type Grid,
  type Kernel,
  kernel,
  MAX_TARGETS,
  type Precision,
  read,
  targetWords,
  uniform,
  unroll,
  vectors,
  words,
  write,
} from './kernel.ts';

/**
 * Gradients of the adapters, sums over all rows:
 *
 *   dA_t = dz_t^T dropout_t(x)              dz_t (N,R), x (N,M), dA_t (R,M)
 *   dB_t = scale * dy_t^T z_t               dy_t (N,M), z_t (N,R), dB_t (M,R)
 *
 * Tall and skinny again: the rows are split, each split writes its own copy of the layer's gradient block, and `gradientSumKernel` adds
 * the copies in a fixed order, so that the same input gives the same bits. x may be kept in another form and is then made again on the
 * way: a LayerNorm's output from its normalised input, GELU's output from its preactivation.
 */
export interface LoraGradientSpec {
  readonly matrix: 'A' | 'B';
  /** M. */
  readonly width: number;
  /** Elements in a row of x or dy, where the targets lie side by side. */
  readonly xWidth: number;
  readonly xPrecision: Precision;
  readonly xForm: 'plain' | 'normed' | 'gelu';
  readonly rank: number;
  readonly scale: number;
  readonly zWidth: number;
  /** Floats of the layer's gradient block. */
  readonly blockLength: number;
  readonly targets: readonly {
    readonly xOffset: number;
    readonly zOffset: number;
    /** Where the matrix begins in the block, in floats. */
    readonly matrixOffset: number;
    /** Of the target's input; 'B' does not look at it. */
    readonly dropoutSite: number;
  }[];
}

const RANKS = 4;
const THREADS = 64;
/** Copies of the block may take so much memory; more splits would also be of no use. */
const MAX_SPLIT_BYTES = 2 ** 22;
const MAX_SPLITS = 32;
const MIN_SPLIT_ROWS = 32;

/** The most parts into which sums over so many rows, or fewer, are split. */
export function mostSplits(rows: number, blockLength: number): number {
  const byMemory = Math.max(1, Math.floor(MAX_SPLIT_BYTES / (4 * Math.max(1, blockLength))));
  return Math.min(MAX_SPLITS, byMemory, Math.max(1, Math.ceil(rows / MIN_SPLIT_ROWS)));
}

/** Into how many parts the rows of a gradient sum are split, and the rows of each. */
export function gradientSplits(rows: number, blockLength: number): { splits: number; splitRows: number } {
  const splitRows = Math.max(1, Math.ceil(rows / mostSplits(rows, blockLength)));
  return { splits: Math.max(1, Math.ceil(rows / splitRows)), splitRows };
}

export function loraGradientGrid(
  spec: Pick<LoraGradientSpec, 'width' | 'rank'> & { readonly targets: readonly unknown[] },
  splits: number,
): Grid {
  return [Math.ceil(spec.width / 4 / THREADS), splits, spec.targets.length * Math.ceil(spec.rank / RANKS)];
}

export const loraGradientSizes = (spec: LoraGradientSpec): Uint32Array =>
  words(
    spec.width / 4,
    spec.xWidth / 4,
    spec.rank,
    spec.zWidth / 4,
    spec.blockLength,
    { f32: spec.scale },
    0,
    0,
    ...targetWords(spec.targets.map((t) => [t.xOffset / 4, t.zOffset / 4, t.matrixOffset, t.dropoutSite])),
  );

export function loraGradientKernel({
  matrix,
  xForm,
  xPrecision,
}: Pick<LoraGradientSpec, 'matrix' | 'xForm' | 'xPrecision'>): Kernel<
  'current' | 'layer' | 'sizes' | 'rows' | 'x' | 'norm' | 'z' | 'parts'
> {
  const dropout = matrix === 'A';
  const bindings: Record<string, Binding> = {
    current: uniform('Pass'),
    sizes: uniform('Sizes'),
    ...(dropout ? { layer: uniform('Layer'), rows: read('array<vec4u>') } : {}),
    x: read(vectors(xPrecision)),
    ...(xForm === 'normed' ? { norm: read('array<vec4f>') } : {}),
    z: read('array<vec4f>'),
    parts: write('array<f32>'),
  };
  const at = (r: number, i: number) =>
    matrix === 'A'
      ? `(firstRank + ${r}u) * 4u * sizes.width4 + column * 4u + ${i}u`
      : `(column * 4u + ${i}u) * sizes.rank + firstRank + ${r}u`;
  return kernel({
    label: `adapter gradient ${matrix}`,
    bindings,
    source: /* wgsl */ `
struct Sizes {
  width4: u32, xWidth4: u32, rank: u32, zWidth4: u32, blockLength: u32, scale: f32, unused0: u32, unused1: u32,
  /** First vec4 of x, first vec4 of z, first of the matrix, dropout site. */
  targets: array<vec4u, ${MAX_TARGETS}>,
}
${dropout ? DROPOUT_WGSL : ''}
${xForm === 'gelu' ? GELU_WGSL : ''}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let column = group.x * ${THREADS}u + thread;
  if (column >= sizes.width4) { return; }
  let chunks = (sizes.rank + ${RANKS - 1}u) / ${RANKS}u;
  let which = sizes.targets[group.z / chunks];
  let firstRank = (group.z % chunks) * ${RANKS}u;
  let xAt = which.x + column;
  let zAt = which.y + firstRank / 4u;
  ${xForm === 'normed' ? 'let gain = norm[column]; let shift = norm[sizes.width4 + column];' : ''}
  ${unroll(RANKS, (r) => `var sum${r} = vec4f(0);`)}
  let end = min(current.rows, (group.y + 1u) * current.splitRows);
  for (var n = group.y * current.splitRows; n < end; n++) {
    var value = vec4f(x[n * sizes.xWidth4 + xAt]);
    ${xForm === 'normed' ? 'value = value * gain + shift;' : ''}
    ${xForm === 'gelu' ? 'value = gelu(value);' : ''}
    ${
      dropout
        ? `if (current.threshold != 0u) {
      let place = rows[n];
      value *= keep4(dropKey(layer.index, which.w, place.z), place.y * sizes.width4 + column);
    }`
        : ''
    }
    let zs = z[n * sizes.zWidth4 + zAt];
    ${unroll(RANKS, (r) => `sum${r} += zs[${r}] * value;`)}
  }
  let base = group.y * sizes.blockLength + which.z;
  ${unroll(
    RANKS,
    (r) => `if (firstRank + ${r}u < sizes.rank) {
    ${unroll(4, (i) => `parts[base + ${at(r, i)}] = sizes.scale * sum${r}[${i}];`)}
  }`,
  )}
}`,
  });
}

export const gradientSumSizes = (length: number): Uint32Array => words(length);

/** `gradient` (length) is the sum of `parts` (splits, length), added in order. */
export function gradientSumKernel(): Kernel<'current' | 'sizes' | 'parts' | 'gradient'> {
  return kernel({
    label: 'gradient sum',
    bindings: {
      current: uniform('Pass'),
      sizes: uniform('vec4u'),
      parts: read('array<f32>'),
      gradient: write('array<f32>'),
    },
    source: /* wgsl */ `
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = (${GROUP_INDEX}) * ${THREADS}u + thread;
  if (index >= sizes.x) { return; }
  var sum = 0f;
  for (var at = 0u; at * current.splitRows < current.rows; at++) { sum += parts[at * sizes.x + index]; }
  gradient[index] = sum;
}`,
  });
}

export function gradientSumGrid(length: number): Grid {
  return flatGrid(Math.ceil(length / THREADS));
}

/** The gradient block (blockLength) in plain loops; only the spec's matrices are filled. `masks` (N,M), one for each target or none. */
export function loraGradientReference(
  spec: LoraGradientSpec,
  rows: number,
  x: Float32Array,
  z: Float32Array,
  norm?: Float32Array,
  masks?: readonly Float32Array[],
): Float32Array {
  const gradient = new Float64Array(spec.blockLength);
  const form = (value: number, m: number): number => {
    if (spec.xForm === 'normed') return value * norm![m]! + norm![spec.width + m]!;
    return spec.xForm === 'gelu' ? geluReference(value) : value;
  };
  spec.targets.forEach((target, t) => {
    for (let n = 0; n < rows; n++)
      for (let m = 0; m < spec.width; m++) {
        const keep = masks?.[t]?.[n * spec.width + m] ?? 1;
        const value = spec.scale * keep * form(x[n * spec.xWidth + target.xOffset + m]!, m);
        for (let r = 0; r < spec.rank; r++) {
          const at = spec.matrix === 'A' ? r * spec.width + m : m * spec.rank + r;
          gradient[target.matrixOffset + at]! += value * z[n * spec.zWidth + target.zOffset + r]!;
        }
      }
  });
  return Float32Array.from(gradient);
}
