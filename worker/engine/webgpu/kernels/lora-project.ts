import { DROPOUT_WGSL } from './dropout.ts';
import {
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
 * The tall, skinny products onto the adapters' rank, several targets of one input at once:
 *
 *   'A' forward:   z_t  = dropout_t(x) A_t^T            x (N,K), A_t (R,K), z_t (N,R)
 *   'B' backward:  dz_t = scale * dy_t B_t              dy_t (N,K), B_t (K,R), dz_t (N,R)
 *
 * Each workgroup takes 16 rows and up to 8 ranks; the sum over K is split over 8 threads and added up in shared memory.
 */
export interface LoraProjectSpec {
  readonly matrix: 'A' | 'B';
  /** K, of every target. */
  readonly inner: number;
  /** Elements in a row of x, where the targets' inputs lie side by side. */
  readonly xWidth: number;
  readonly xPrecision: Precision;
  readonly rank: number;
  readonly scale: number;
  readonly zWidth: number;
  readonly targets: readonly {
    /** First element of the target's input in a row of x. */
    readonly xOffset: number;
    readonly zOffset: number;
    /** Where the matrix begins in the layer's parameter block, in floats. */
    readonly matrixOffset: number;
    /** Of the target's input; 'B' does not look at it. */
    readonly dropoutSite: number;
  }[];
}

const RANKS = 8;
const ROWS = 16;
const SLICES = 8;
const THREADS = 64;

/** Ranks are kept in z padded to a multiple of four, the padding zero. */
export const paddedRank = (rank: number): number => Math.ceil(rank / 4) * 4;

export function loraProjectGrid(spec: LoraProjectSpec, rows: number): Grid {
  return [Math.max(1, Math.ceil(rows / ROWS)), Math.ceil(paddedRank(spec.rank) / RANKS), spec.targets.length];
}

export const loraProjectSizes = (spec: LoraProjectSpec): Uint32Array =>
  words(
    spec.inner / 4,
    spec.xWidth / 4,
    spec.rank,
    spec.zWidth,
    { f32: spec.scale },
    0,
    0,
    0,
    ...targetWords(spec.targets.map((t) => [t.xOffset / 4, t.zOffset, t.matrixOffset, t.dropoutSite])),
  );

export function loraProjectKernel({
  matrix,
  xPrecision,
}: Pick<LoraProjectSpec, 'matrix' | 'xPrecision'>): Kernel<
  'current' | 'layer' | 'sizes' | 'rows' | 'x' | 'lora' | 'z'
> {
  const dropout = matrix === 'A';
  // A is contiguous along K, B along R.
  const element = (k: string) => (matrix === 'A' ? `r * 4u * sizes.inner4 + ${k}` : `(${k}) * sizes.rank + r`);
  return kernel({
    label: `adapter projection ${matrix}`,
    bindings: {
      current: uniform('Pass'),
      sizes: uniform('Sizes'),
      ...(dropout ? { layer: uniform('Layer'), rows: read('array<vec4u>') } : {}),
      x: read(vectors(xPrecision)),
      lora: read('array<f32>'),
      z: write('array<f32>'),
    } as Kernel<'current' | 'layer' | 'sizes' | 'rows' | 'x' | 'lora' | 'z'>['bindings'],
    source: /* wgsl */ `
struct Sizes {
  inner4: u32, xWidth4: u32, rank: u32, zWidth: u32, scale: f32, unused0: u32, unused1: u32, unused2: u32,
  /** First vec4 of x, first of z, first of the matrix, dropout site. */
  targets: array<vec4u, ${MAX_TARGETS}>,
}
${dropout ? DROPOUT_WGSL : ''}
var<workgroup> parts: array<f32, ${THREADS * 2 * RANKS}>;

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let which = sizes.targets[group.z];
  let firstRank = group.y * ${RANKS}u;
  let slice = thread % ${SLICES}u;
  let row0 = group.x * ${ROWS}u + thread / ${SLICES}u;
  let row1 = row0 + ${ROWS / 2}u;
  let last = current.rows - 1u;
  ${unroll(RANKS, (r) => `var p${r} = 0f; var q${r} = 0f;`)}
  ${
    dropout
      ? `let place0 = rows[min(row0, last)];
  let place1 = rows[min(row1, last)];
  let key0 = dropKey(layer.index, which.w, place0.z);
  let key1 = dropKey(layer.index, which.w, place1.z);`
      : ''
  }
  for (var k = slice; k < sizes.inner4; k += ${SLICES}u) {
    var x0 = vec4f(x[min(row0, last) * sizes.xWidth4 + which.x + k]);
    var x1 = vec4f(x[min(row1, last) * sizes.xWidth4 + which.x + k]);
    ${
      dropout
        ? `if (current.threshold != 0u) {
      x0 *= keep4(key0, place0.y * sizes.inner4 + k);
      x1 *= keep4(key1, place1.y * sizes.inner4 + k);
    }`
        : ''
    }
    ${unroll(
      RANKS,
      (i) => `{
      // Ranks beyond the last repeat it, and are not written.
      let r = min(firstRank + ${i}u, sizes.rank - 1u);
      let m = vec4f(${[0, 1, 2, 3].map((j) => `lora[which.z + ${element(`4u * k + ${j}u`)}]`).join(', ')});
      p${i} += dot(x0, m);
      q${i} += dot(x1, m);
    }`,
    )}
  }
  ${unroll(RANKS, (r) => `parts[thread * ${2 * RANKS}u + ${r}u] = p${r}; parts[thread * ${2 * RANKS}u + ${RANKS + r}u] = q${r};`)}
  workgroupBarrier();
  // (row, half, rank) of the 128 results, two for each thread.
  for (var i = thread; i < ${ROWS * RANKS}u; i += ${THREADS}u) {
    let row = i / ${2 * RANKS}u;
    let part = i % ${2 * RANKS}u;
    var sum = 0f;
    for (var s = 0u; s < ${SLICES}u; s++) { sum += parts[(row * ${SLICES}u + s) * ${2 * RANKS}u + part]; }
    let n = group.x * ${ROWS}u + row + (part / ${RANKS}u) * ${ROWS / 2}u;
    let r = firstRank + part % ${RANKS}u;
    if (n < current.rows && r < (sizes.rank + 3u) / 4u * 4u) {
      z[n * sizes.zWidth + which.y + r] = select(0f, sizes.scale * sum, r < sizes.rank);
    }
  }
}`,
  });
}

/** The same in plain loops. `masks` (N, inner), one for each target or none. */
export function loraProjectReference(
  spec: LoraProjectSpec,
  rows: number,
  x: Float32Array,
  lora: Float32Array,
  masks?: readonly Float32Array[],
): Float32Array {
  const z = new Float32Array(rows * spec.zWidth);
  spec.targets.forEach((target, t) => {
    for (let n = 0; n < rows; n++)
      for (let r = 0; r < spec.rank; r++) {
        let sum = 0;
        for (let k = 0; k < spec.inner; k++) {
          const m = spec.matrix === 'A' ? r * spec.inner + k : k * spec.rank + r;
          const keep = masks?.[t]?.[n * spec.inner + k] ?? 1;
          sum += x[n * spec.xWidth + target.xOffset + k]! * keep * lora[target.matrixOffset + m]!;
        }
        z[n * spec.zWidth + target.zOffset + r] = spec.scale * sum;
      }
  });
  return z;
}
