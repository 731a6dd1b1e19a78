import { DROPOUT_WGSL } from '../../worker/engine/webgpu/kernels/dropout.ts';
import {
  flatGrid,
  GROUP_INDEX,
  type Grid,
  type Kernel,
  kernel,
  read,
  uniform,
  words,
  write,
} from '../../worker/engine/webgpu/kernels/kernel.ts';

const THREADS = 64;

export const dropoutMaskSizes = (width: number, site: number): Uint32Array => words(width / 4, site);

/** Writes the mask of a hidden-state site for every packed row, (rows, width): what the other kernels fuse, alone. */
export function dropoutMaskKernel(): Kernel<'current' | 'layer' | 'sizes' | 'rows' | 'mask'> {
  return kernel({
    label: 'dropout mask',
    bindings: {
      current: uniform('Pass'),
      layer: uniform('Layer'),
      sizes: uniform('vec4u'),
      rows: read('array<vec4u>'),
      mask: write('array<vec4f>'),
    },
    source: /* wgsl */ `
${DROPOUT_WGSL}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let index = (${GROUP_INDEX}) * ${THREADS}u + thread;
  let row = index / sizes.x;
  if (row >= current.rows) { return; }
  let place = rows[row];
  mask[index] = keep4(dropKey(layer.index, sizes.y, place.z), place.y * sizes.x + index % sizes.x);
}`,
  });
}

export function dropoutMaskGrid(rows: number, width: number): Grid {
  return flatGrid(Math.ceil((rows * width) / 4 / THREADS));
}
