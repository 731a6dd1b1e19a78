import { unroll, weightAt } from '../kernel.ts';
import { eachAccumulator, type Tile, tileThreads } from '../tile.ts';
import type { MatmulVariant } from './matmul-variant.ts';

/**
 * The product by tiles through shared memory: a workgroup loads `inner` columns of its rows of x and of its columns of W, each thread
 * multiplies threadRows by threadColumns of them in registers with literal indices, and so on along K. A matrix kept by rows is turned
 * on the way, four by four.
 */
export function stagedBody({ weight, weightPrecision, lora: withAdapter }: MatmulVariant, tile: Tile): string {
  const matrix = (at: string) => weightAt(weightPrecision, 'weight', at);
  const scaled = weightPrecision === 'int8';
  const threads = tileThreads(tile);
  const threadsX = tile.columns / tile.threadColumns;
  const depth4 = tile.inner / 4;
  const columns4 = tile.columns / 4;

  /** Multiplies the two shared tiles over `q` in [0, count). */
  const multiply = (count: string) => `
    for (var q = 0u; q < ${count}; q++) {
      ${unroll(tile.threadRows, (i) => `let a${i} = xs[(threadRow + ${i}u) * ${depth4}u + q];`)}
      ${['x', 'y', 'z', 'w']
        .map((part, p) =>
          unroll(
            tile.threadColumns / 4,
            (j) => `{
        let b = ws[(q * 4u + ${p}u) * ${columns4}u + threadColumn + ${j * threadsX}u];
        ${unroll(tile.threadRows, (i) => `acc${i}_${j} = fma(vec4f(a${i}.${part}), b, acc${i}_${j});`)}
      }`,
          ),
        )
        .join('\n')}
    }`;

  const loadRows = `
    for (var i = thread; i < ${columns4 * depth4}u; i += ${threads}u) {
      let q = i % ${depth4}u;
      let c = i / ${depth4}u;
      let column = firstColumn4 + c;
      var m = mat4x4f();
      if (column < sizes.outer4 && step + q < sizes.inner4) {
        let at = column * 4u * sizes.inner4 + step + q;
        m = transpose(mat4x4f(${[0, 1, 2, 3].map((r) => matrix(`at + ${r}u * sizes.inner4`)).join(', ')}));
      }
      ${unroll(4, (r) => `ws[(q * 4u + ${r}u) * ${columns4}u + c] = m[${r}];`)}
    }`;

  const loadColumns = `
    for (var i = thread; i < ${columns4 * tile.inner}u; i += ${threads}u) {
      let k = step * 4u + i / ${columns4}u;
      let column = firstColumn4 + i % ${columns4}u;
      var value = vec4f(0);
      if (column < sizes.outer4 && k < sizes.inner4 * 4u) { value = ${matrix('k * sizes.outer4 + column')}; }
      ws[i] = value;
    }`;

  return /* wgsl */ `
var<workgroup> xs: array<vec4f, ${tile.rows * depth4}>;
var<workgroup> ws: array<vec4f, ${tile.columns * depth4}>;

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let firstRow = group.y * ${tile.rows}u;
  let firstColumn4 = group.x * ${columns4}u;
  let threadRow = (thread / ${threadsX}u) * ${tile.threadRows}u;
  let threadColumn = thread % ${threadsX}u;
  ${eachAccumulator(tile, (i, j) => `var acc${i}_${j} = vec4f(0);`)}
  for (var step = 0u; step < sizes.inner4; step += ${depth4}u) {
    for (var i = thread; i < ${tile.rows * depth4}u; i += ${threads}u) {
      let row = firstRow + i / ${depth4}u;
      let q = step + i % ${depth4}u;
      var value = vec4f(0);
      if (row < current.rows && q < sizes.inner4) { value = vec4f(x[row * sizes.inner4 + q])${scaled && weight === 'columns' ? ' * bias[sizes.inner4 + q]' : ''}; }
      xs[i] = value;
    }
    ${weight === 'rows' ? loadRows : loadColumns}
    workgroupBarrier();
    ${multiply(`${depth4}u`)}
    workgroupBarrier();
  }
  ${scaled && weight === 'rows' ? eachAccumulator(tile, (i, j) => `acc${i}_${j} *= bias[sizes.outer4 + min(firstColumn4 + threadColumn + ${j * threadsX}u, sizes.outer4 - 1u)];`) : ''}
  ${withAdapter ? adapterSteps(tile, threads, multiply) : ''}
  ${eachAccumulator(tile, (i, j) => `finish(firstRow + threadRow + ${i}u, firstColumn4 + threadColumn + ${j * threadsX}u, acc${i}_${j});`)}
}`;
}

/** Further steps of the loop, over the rank, for every target that this workgroup's columns touch. */
function adapterSteps(tile: Tile, threads: number, multiply: (count: string) => string): string {
  const depth4 = tile.inner / 4;
  const columns4 = tile.columns / 4;
  return `
  let rank4 = (sizes.rank + 3u) / 4u;
  for (var t = 0u; t < sizes.count; t++) {
    let which = sizes.targets[t];
    if (firstColumn4 * 4u >= which.y || (firstColumn4 + ${columns4}u) * 4u <= which.x) { continue; }
    for (var step = 0u; step < rank4; step += ${depth4}u) {
      for (var i = thread; i < ${tile.rows * depth4}u; i += ${threads}u) {
        let row = firstRow + i / ${depth4}u;
        let q = step + i % ${depth4}u;
        var value = vec4f(0);
        if (row < current.rows && q < rank4) { value = z[row * sizes.zWidth4 + which.z + q]; }
        xs[i] = value;
      }
      for (var i = thread; i < ${columns4 * tile.inner}u; i += ${threads}u) {
        let k = step * 4u + i / ${columns4}u;
        let column = (firstColumn4 + i % ${columns4}u) * 4u;
        var value = vec4f(0);
        if (k < sizes.rank && column >= which.x && column < which.y) {
          let at = which.w + (column - which.x) * sizes.rank + k;
          value = sizes.scale * vec4f(lora[at], lora[at + sizes.rank], lora[at + 2u * sizes.rank], lora[at + 3u * sizes.rank]);
        }
        ws[i] = value;
      }
      workgroupBarrier();
      ${multiply(`min(${depth4}u, rank4 - step)`)}
      workgroupBarrier();
    }
  }`;
}
