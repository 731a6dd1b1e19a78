import { unroll, weightAt } from '../kernel.ts';
import { eachAccumulator, SHARING, type Tile, tileThreads } from '../tile.ts';
import type { MatmulVariant } from './matmul-variant.ts';

/**
 * The product with neighbouring threads sharing what they load of W: each has rows of its own, all have the same columns, each loads
 * another part of W and the others get it by `subgroupBroadcast`. On a software driver, where a load costs some thirty times a
 * multiplication, this is three times as fast as every thread loading for itself.
 */
export function subgroupBody({ weight, weightPrecision, lora: withAdapter }: MatmulVariant, tile: Tile): string {
  const matrix = (at: string) => weightAt(weightPrecision, 'weight', at);
  const scaled = weightPrecision === 'int8';
  const blocks = tile.threadColumns / SHARING;
  const rows = (body: (i: number) => string) => unroll(tile.threadRows, body);
  const parts = ['x', 'y', 'z', 'w'] as const;

  /** Adds products with four values along K of each of `SHARING` columns, one column in each thread's `held`. */
  const byColumn = (block: number) =>
    unroll(
      SHARING,
      (j) => `{
      let b = subgroupBroadcast(held, ${j}u);
      ${rows((i) => `acc${i}_${(block * SHARING + j) >> 2}.${parts[j & 3]} += dot(a${i}, b);`)}
    }`,
    );
  const rowsOfWeight = unroll(
    blocks,
    (block) => `{
    let column = min(firstColumn + ${block * SHARING}u + lane, sizes.outer4 * 4u - 1u);
    let held = ${matrix('column * sizes.inner4 + k')};
    ${byColumn(block)}
  }`,
  );
  // Four rows of W times SHARING columns are as many vectors as there are threads to hold them twice: two of a row in each pair.
  const columnsOfWeight = unroll(
    blocks,
    (block) => `{
    let column = min(firstColumn / 4u + ${(block * SHARING) / 4}u + lane % 2u, sizes.outer4 - 1u);
    let held = ${matrix('(4u * k + lane / 2u) * sizes.outer4 + column')};
    ${unroll(
      SHARING,
      (j) => `{
      let b = subgroupBroadcast(held, ${j}u);
      ${rows((i) => `acc${i}_${block * 2 + (j & 1)} += a${i}.${parts[j >> 1]} * b;`)}
    }`,
    )}
  }`,
  );
  const lora = `
  let rank4 = (sizes.rank + 3u) / 4u;
  for (var t = 0u; t < sizes.count; t++) {
    let which = sizes.targets[t];
    if (firstColumn >= which.y || firstColumn + ${tile.threadColumns}u <= which.x) { continue; }
    for (var r = 0u; r < rank4; r++) {
      ${rows((i) => `let a${i} = sizes.scale * z[row${i} * sizes.zWidth4 + which.z + r];`)}
      ${unroll(
        blocks,
        (block) => `{
        let column = firstColumn + ${block * SHARING}u + lane;
        var held = vec4f(0);
        if (column >= which.x && column < which.y) {
          let at = which.w + (column - which.x) * sizes.rank;
          ${parts.map((part, p) => `if (4u * r + ${p}u < sizes.rank) { held.${part} = lora[at + 4u * r + ${p}u]; }`).join('\n')}
        }
        ${byColumn(block)}
      }`,
      )}
    }
  }`;
  return /* wgsl */ `
@compute @workgroup_size(${tileThreads(tile)})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) place: u32,
) {
  let lane = place % ${SHARING}u;
  let firstRow = group.x * ${tile.rows}u + thread * ${tile.threadRows}u;
  let firstColumn = group.y * ${tile.threadColumns}u;
  ${rows((i) => `let row${i} = min(firstRow + ${i}u, current.rows - 1u);`)}
  ${eachAccumulator(tile, (i, j) => `var acc${i}_${j} = vec4f(0);`)}
  for (var k = 0u; k < sizes.inner4; k++) {
    ${scaled && weight === 'columns' ? 'let scale = bias[sizes.inner4 + k];' : ''}
    ${rows((i) => `let a${i} = vec4f(x[row${i} * sizes.inner4 + k])${scaled && weight === 'columns' ? ' * scale' : ''};`)}
    ${weight === 'rows' ? rowsOfWeight : columnsOfWeight}
  }
  ${scaled && weight === 'rows' ? eachAccumulator(tile, (i, j) => `acc${i}_${j} *= bias[sizes.outer4 + min(firstColumn / 4u + ${j}u, sizes.outer4 - 1u)];`) : ''}
  ${withAdapter ? lora : ''}
  ${eachAccumulator(tile, (i, j) => `finish(firstRow + ${i}u, firstColumn / 4u + ${j}u, acc${i}_${j});`)}
}`;
}
