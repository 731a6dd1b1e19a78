/**
 * The counter-based masks of worker/engine/dropout.ts in WGSL, bit for bit: pcg4d of Jarzynski and Olano, "Hash Functions for GPU Rendering",
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
