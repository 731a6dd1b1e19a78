/** Threads that share a row. */
export const ROW_THREADS = 64;

/**
 * Sums over a row that one workgroup holds. `sumOverRow(thread, value)` adds the value of every thread; all get the same result, in the
 * same order of additions each time.
 */
export const ROW_SUM_WGSL = /* wgsl */ `
var<workgroup> lanes: array<f32, ${ROW_THREADS}>;
fn sumOverRow(thread: u32, value: f32) -> f32 {
  lanes[thread] = value;
  for (var half = ${ROW_THREADS / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { lanes[thread] += lanes[thread + half]; }
  }
  workgroupBarrier();
  let sum = lanes[0];
  workgroupBarrier();
  return sum;
}`;

/** One workgroup for each row: defines `row` and leaves when there is none. */
export const ROW_START_WGSL = /* wgsl */ `
@compute @workgroup_size(${ROW_THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = group.x + group.y * groups.x;
  if (row >= current.rows) { return; }`;

/**
 * Mean and 1/deviation of a row, `mean` and `scale`, in two passes, as exact as f32 allows. `value` is the WGSL of the row's c-th vec4.
 * The uniform `sizes` holds width / 4 and eps.
 */
export function rowMomentsWgsl(value: string): string {
  return /* wgsl */ `
  let width = f32(sizes.width4 * 4u);
  var part = 0f;
  for (var c = thread; c < sizes.width4; c += ${ROW_THREADS}u) { part += dot(${value}, vec4f(1)); }
  let mean = sumOverRow(thread, part) / width;
  part = 0f;
  for (var c = thread; c < sizes.width4; c += ${ROW_THREADS}u) {
    let v = ${value} - mean;
    part += dot(v, v);
  }
  let scale = inverseSqrt(sumOverRow(thread, part) / width + sizes.eps);`;
}
