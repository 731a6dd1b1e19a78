import { hiddenMask } from '../../dropout.ts';
import { flatGrid, GROUP_INDEX, type Grid, type Kernel, kernel, read, uniform, words, write } from './kernel.ts';

/**
 * The counter-based masks of worker/dropout.ts in WGSL, bit for bit: pcg4d of Jarzynski and Olano, "Hash Functions for GPU Rendering",
 * JCGT 9(3), 2020. Needs `current: Pass` among the bindings.
 *
 *   dropKey(layer, site, position)  key of one sample's site
 *   keep4(key, n)                   0 or the scale for elements 4n to 4n+3
 */
export const DROPOUT_WGSL = /* wgsl */ `
fn pcg4d(seed: vec4u) -> vec4u {
  var v = seed * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}
fn dropKey(layer: u32, site: u32, position: u32) -> vec4u {
  return pcg4d(vec4u(current.seed, current.round, 16u * layer + site, position));
}
fn keep4(key: vec4u, group: u32) -> vec4f {
  let words = pcg4d(vec4u(key.x + group, key.yzw));
  return select(vec4f(current.scale), vec4f(0), words < vec4u(current.threshold));
}
`;

/** (B,T,width) mask of a hidden-state site. */
export const dropoutReference = hiddenMask;

const THREADS = 64;

export const dropoutMaskSizes = (width: number, site: number): Uint32Array => words(width / 4, site);

/** Writes the mask of a hidden-state site for every packed row, (rows, width): what the other kernels fuse, alone, for tests. */
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
