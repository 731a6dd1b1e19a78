import { unroll, weightAt } from '../kernel.ts';
import { eachAccumulator, type Tile, tileThreads } from '../tile.ts';
import type { MatmulVariant } from './matmul-variant.ts';

/**
 * The product without shared memory: each thread reads its rows of x and its columns of W itself. The threads of a workgroup take
 * different rows and the same columns, so that they read the same part of W at a time. For software drivers, where shared memory is
 * ordinary memory and a barrier a task switch.
 */
export function directBody({ weight, weightPrecision, lora: withAdapter }: MatmulVariant, tile: Tile): string {
  const matrix = (at: string) => weightAt(weightPrecision, 'weight', at);
  const scaled = weightPrecision === 'int8';
  const threads = tileThreads(tile);
  const vectors = tile.threadColumns / 4;
  const rowsOfWeight = unroll(
    vectors,
    (j) => `{
      let at = min(firstColumn4 + ${j}u, sizes.outer4 - 1u) * 4u * sizes.inner4 + k;
      ${unroll(4, (r) => `let w${r} = ${matrix(`at + ${r}u * sizes.inner4`)};`)}
      ${unroll(tile.threadRows, (i) => `acc${i}_${j} += vec4f(dot(a${i}, w0), dot(a${i}, w1), dot(a${i}, w2), dot(a${i}, w3));`)}
    }`,
  );
  const columnsOfWeight = unroll(
    vectors,
    (j) => `{
      let at = 4u * k * sizes.outer4 + min(firstColumn4 + ${j}u, sizes.outer4 - 1u);
      ${['x', 'y', 'z', 'w']
        .map(
          (part, p) => `let w${p} = ${matrix(`at + ${p}u * sizes.outer4`)};
      ${unroll(tile.threadRows, (i) => `acc${i}_${j} = fma(vec4f(a${i}.${part}), w${p}, acc${i}_${j});`)}`,
        )
        .join('\n')}
    }`,
  );
  const lora = `
  for (var t = 0u; t < sizes.count; t++) {
    let which = sizes.targets[t];
    if (firstColumn4 * 4u >= which.y || (firstColumn4 + ${vectors}u) * 4u <= which.x) { continue; }
    for (var r = 0u; r < sizes.rank; r++) {
      ${unroll(tile.threadRows, (i) => `let a${i} = sizes.scale * z[row${i} * sizes.zWidth4 + which.z + r / 4u][r & 3u];`)}
      ${unroll(
        vectors,
        (j) => `{
        let column = (firstColumn4 + ${j}u) * 4u;
        if (column >= which.x && column < which.y) {
          let at = which.w + (column - which.x) * sizes.rank + r;
          let b = vec4f(lora[at], lora[at + sizes.rank], lora[at + 2u * sizes.rank], lora[at + 3u * sizes.rank]);
          ${unroll(tile.threadRows, (i) => `acc${i}_${j} += a${i} * b;`)}
        }
      }`,
      )}
    }
  }`;
  return /* wgsl */ `
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let firstRow = group.x * ${tile.rows}u + thread * ${tile.threadRows}u;
  if (firstRow >= current.rows) { return; }
  let firstColumn4 = group.y * ${vectors}u;
  ${unroll(tile.threadRows, (i) => `let row${i} = min(firstRow + ${i}u, current.rows - 1u);`)}
  ${eachAccumulator(tile, (i, j) => `var acc${i}_${j} = vec4f(0);`)}
  for (var k = 0u; k < sizes.inner4; k++) {
    ${scaled && weight === 'columns' ? 'let scale = bias[sizes.inner4 + k];' : ''}
    ${unroll(tile.threadRows, (i) => `let a${i} = vec4f(x[row${i} * sizes.inner4 + k])${scaled && weight === 'columns' ? ' * scale' : ''};`)}
    ${weight === 'rows' ? rowsOfWeight : columnsOfWeight}
  }
  ${scaled && weight === 'rows' ? eachAccumulator(tile, (i, j) => `acc${i}_${j} *= bias[sizes.outer4 + min(firstColumn4 + ${j}u, sizes.outer4 - 1u)];`) : ''}
  ${withAdapter ? lora : ''}
  ${eachAccumulator(tile, (i, j) => `finish(firstRow + ${i}u, firstColumn4 + ${j}u, acc${i}_${j});`)}
}`;
}
