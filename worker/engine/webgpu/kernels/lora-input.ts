import { DROPOUT_WGSL } from './dropout.ts';
import {
  flatGrid,
  GROUP_INDEX,
  type Grid,
  type Kernel,
  kernel,
  MAX_TARGETS,
  read,
  targetWords,
  uniform,
  unroll,
  words,
  write,
} from './kernel.ts';

/**
 * What the adapters of one input send back to it, the targets' masks drawn again:
 *
 *   dx = [dx +] sum over targets of dropout_t(dz_t A_t)       dz_t (N,R), A_t (R,C), dx (N,C)
 *
 * The product with the frozen matrix then adds to dx. Each thread takes four columns of four rows.
 */
export interface LoraInputSpec {
  /** C. */
  readonly width: number;
  readonly rank: number;
  readonly zWidth: number;
  /** Whether dx already holds a gradient. */
  readonly add: boolean;
  readonly targets: readonly {
    readonly zOffset: number;
    /** Where A (R,C) begins in the layer's parameter block, in floats. */
    readonly aOffset: number;
    readonly dropoutSite: number;
  }[];
}

const ROWS = 4;
const THREADS = 64;

export function loraInputGrid(spec: Pick<LoraInputSpec, 'width'>, rows: number): Grid {
  return flatGrid(Math.ceil((Math.ceil(rows / ROWS) * spec.width) / 4 / THREADS));
}

export const loraInputSizes = (spec: LoraInputSpec): Uint32Array =>
  words(
    spec.width / 4,
    spec.rank,
    spec.zWidth,
    spec.targets.length,
    ...targetWords(spec.targets.map((t) => [t.zOffset, t.aOffset / 4, t.dropoutSite, 0])),
  );

export function loraInputKernel(add: boolean): Kernel<'current' | 'layer' | 'sizes' | 'rows' | 'dz' | 'lora' | 'dx'> {
  return kernel({
    label: 'adapter input gradient',
    bindings: {
      current: uniform('Pass'),
      layer: uniform('Layer'),
      sizes: uniform('Sizes'),
      rows: read('array<vec4u>'),
      dz: read('array<f32>'),
      lora: read('array<vec4f>'),
      dx: write('array<vec4f>'),
    },
    source: /* wgsl */ `
struct Sizes {
  width4: u32, rank: u32, zWidth: u32, count: u32,
  /** First of z, first vec4 of A, dropout site. */
  targets: array<vec4u, ${MAX_TARGETS}>,
}
${DROPOUT_WGSL}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = (${GROUP_INDEX}) * ${THREADS}u + thread;
  let column = index % sizes.width4;
  let first = (index / sizes.width4) * ${ROWS}u;
  if (first >= current.rows) { return; }
  ${unroll(ROWS, (i) => `let row${i} = min(first + ${i}u, current.rows - 1u); let place${i} = rows[row${i}]; var sum${i} = vec4f(0);`)}
  for (var t = 0u; t < sizes.count; t++) {
    let which = sizes.targets[t];
    ${unroll(ROWS, (i) => `var v${i} = vec4f(0);`)}
    for (var r = 0u; r < sizes.rank; r++) {
      let a = lora[which.y + r * sizes.width4 + column];
      ${unroll(ROWS, (i) => `v${i} += dz[row${i} * sizes.zWidth + which.x + r] * a;`)}
    }
    if (current.threshold != 0u) {
      ${unroll(
        ROWS,
        (i) => `v${i} *= keep4(dropKey(layer.index, which.z, place${i}.z), place${i}.y * sizes.width4 + column);`,
      )}
    }
    ${unroll(ROWS, (i) => `sum${i} += v${i};`)}
  }
  ${unroll(
    ROWS,
    (i) => `if (first + ${i}u < current.rows) {
    let at = row${i} * sizes.width4 + column;
    dx[at] = sum${i}${add ? ' + dx[at]' : ''};
  }`,
  )}
}`,
  });
}

/** The same in plain loops. `masks` (N,C), one for each target or none. */
export function loraInputReference(
  spec: LoraInputSpec,
  rows: number,
  dz: Float32Array,
  lora: Float32Array,
  dx: Float32Array,
  masks?: readonly Float32Array[],
): Float32Array {
  const out = new Float32Array(rows * spec.width);
  for (let n = 0; n < rows; n++)
    for (let c = 0; c < spec.width; c++) {
      let sum = spec.add ? dx[n * spec.width + c]! : 0;
      spec.targets.forEach((target, t) => {
        let part = 0;
        for (let r = 0; r < spec.rank; r++)
          part += dz[n * spec.zWidth + target.zOffset + r]! * lora[target.aOffset + r * spec.width + c]!;
        sum += part * (masks?.[t]?.[n * spec.width + c] ?? 1);
      });
      out[n * spec.width + c] = sum;
    }
  return out;
}
