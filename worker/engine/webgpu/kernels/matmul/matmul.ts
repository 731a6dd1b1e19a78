import { DROPOUT_WGSL } from '../dropout.ts';
import { GELU_WGSL, geluReference, geluSlopeReference } from '../gelu.ts';
import {
  type Binding,
  type Grid,
  type Kernel,
  kernel,
  MAX_TARGETS,
  read,
  targetWords,
  uniform,
  vectors,
  weightVectors,
  words,
  write,
} from '../kernel.ts';
import type { Tile } from '../tile.ts';
import { directBody } from './matmul-direct.ts';
import { stagedBody } from './matmul-staged.ts';
import { subgroupBody } from './matmul-subgroup.ts';
import type { MatmulVariant } from './matmul-variant.ts';

/**
 * Products with a frozen matrix, and all that follows them element by element:
 *
 *   v   = x W^T + bias + sum over targets of scale * z_t B_t^T    x (N,K), W (O,K), z_t (N,R), B_t (O_t,R)    weight 'rows'
 *   v   = x W                                                      W (K,O)                                      weight 'columns'
 *   v   = dropout(v);  v = v + residual, or v + out;  v = v * gelu'(preactivation)
 *   out = v, or gelu(v) with v kept as the preactivation           (N,O)
 *
 * Codes of 8 bits are multiplied by their row's scale: the products when a row of W is an output column, x when it is an element of x.
 * The LoRA product runs as further steps of the same loop. matmul-staged.ts, matmul-subgroup.ts and matmul-direct.ts hold
 * the forms of that loop.
 */
export interface MatmulSpec {
  readonly variant: MatmulVariant;
  readonly sizes: MatmulSizes;
}

export interface MatmulSizes {
  /** K and O, multiples of 4. */
  readonly inner: number;
  readonly outer: number;
  readonly lora?: MatmulLora;
  readonly dropoutSite?: number;
}

export interface MatmulLora {
  /** R. */
  readonly rank: number;
  /** alpha / R. */
  readonly scale: number;
  /** Floats in a row of z; each target's part begins at a multiple of 4 and is padded to one with zeros. */
  readonly zWidth: number;
  readonly targets: readonly {
    /** Output columns that the target adapts. */
    readonly from: number;
    readonly to: number;
    readonly zOffset: number;
    /** Where B (to - from, R) begins in the layer's parameter block, in floats. */
    readonly bOffset: number;
  }[];
}

export type MatmulBinding =
  | 'current'
  | 'layer'
  | 'sizes'
  | 'x'
  | 'weight'
  | 'bias'
  | 'z'
  | 'lora'
  | 'residual'
  | 'preactivation'
  | 'rows'
  | 'out';

export function matmulGrid(sizes: Pick<MatmulSizes, 'outer'>, tile: Tile, rows: number): Grid {
  const across = Math.ceil(sizes.outer / tile.columns);
  const down = Math.max(1, Math.ceil(rows / tile.rows));
  return tile.kind === 'staged' ? [across, down, 1] : [down, across, 1];
}

export function matmulSizes({ inner, outer, lora, dropoutSite }: MatmulSizes): Uint32Array {
  const targets = lora?.targets ?? [];
  return words(
    inner / 4,
    outer / 4,
    dropoutSite ?? 0,
    targets.length,
    lora?.rank ?? 0,
    (lora?.zWidth ?? 0) / 4,
    { f32: lora?.scale ?? 0 },
    0,
    ...targetWords(targets.map((t) => [t.from, t.to, t.zOffset / 4, t.bOffset])),
  );
}

const SIZES_STRUCT = /* wgsl */ `
struct Sizes {
  inner4: u32, outer4: u32, site: u32, count: u32, rank: u32, zWidth4: u32, scale: f32, unused: u32,
  /** First column, column after the last, first vec4 of z, first of B. */
  targets: array<vec4u, ${MAX_TARGETS}>,
}`;

const BODIES = { staged: stagedBody, subgroup: subgroupBody, direct: directBody };

export function matmulKernel(variant: MatmulVariant, tile: Tile): Kernel<MatmulBinding> {
  const kept = vectors(variant.activationPrecision);
  const bindings: Partial<Record<MatmulBinding, Binding>> = {
    current: uniform('Pass'),
    sizes: uniform('Sizes'),
    ...(variant.dropout ? { layer: uniform('Layer'), rows: read('array<vec4u>') } : {}),
    x: read(vectors(variant.xPrecision)),
    weight: read(weightVectors(variant.weightPrecision)),
    ...(variant.bias || variant.weightPrecision === 'int8' ? { bias: read('array<vec4f>') } : {}),
    ...(variant.lora ? { z: read('array<vec4f>'), lora: read('array<f32>') } : {}),
    ...(variant.add === 'residual' ? { residual: read(kept) } : {}),
    ...(variant.gelu === 'keep' ? { preactivation: write(kept) } : {}),
    ...(variant.gelu === 'slope' ? { preactivation: read(kept) } : {}),
    out: write(vectors(variant.outPrecision)),
  };
  return kernel({
    label: `product ${variant.weight}`,
    // A record over the names that this variant uses; `launch` checks that each gets a buffer.
    bindings: bindings as Record<MatmulBinding, Binding>,
    source: [
      SIZES_STRUCT,
      variant.dropout ? DROPOUT_WGSL : '',
      variant.gelu ? GELU_WGSL : '',
      finishFunction(variant),
      BODIES[tile.kind](variant, tile),
    ].join('\n'),
  });
}

/** `finish(row, column, v)`: everything that follows the product, for the four columns at 4 * column. */
function finishFunction({ bias, dropout, add, gelu, outPrecision, activationPrecision }: MatmulVariant): string {
  return /* wgsl */ `
fn finish(row: u32, column: u32, product: vec4f) {
  if (row >= current.rows || column >= sizes.outer4) { return; }
  let at = row * sizes.outer4 + column;
  var v = product${bias ? ' + bias[column]' : ''};
  ${
    dropout
      ? `if (current.threshold != 0u) {
    let place = rows[row];
    v *= keep4(dropKey(layer.index, sizes.site, place.z), place.y * sizes.outer4 + column);
  }`
      : ''
  }
  ${add === 'residual' ? 'v += vec4f(residual[at]);' : ''}
  ${add === 'out' ? 'v += vec4f(out[at]);' : ''}
  ${gelu === 'slope' ? 'v *= geluSlope(vec4f(preactivation[at]));' : ''}
  ${gelu === 'keep' ? `preactivation[at] = vec4<${activationPrecision}>(v);` : ''}
  ${gelu === 'apply' || gelu === 'keep' ? 'v = gelu(v);' : ''}
  out[at] = vec4<${outPrecision}>(v);
}`;
}

/** The same in plain loops, in double precision. Masks (N,O) are given, 0 or the scale. Returns also what `keep` writes. */
export function matmulReference(
  { variant, sizes }: MatmulSpec,
  rows: number,
  inputs: {
    readonly x: Float32Array;
    readonly weight: Float32Array;
    readonly bias?: Float32Array;
    readonly z?: Float32Array;
    readonly lora?: Float32Array;
    readonly residual?: Float32Array;
    readonly preactivation?: Float32Array;
    readonly mask?: Float32Array;
    readonly out?: Float32Array;
  },
): { out: Float32Array; preactivation: Float32Array } {
  const { inner, outer, lora } = sizes;
  const out = new Float32Array(rows * outer);
  const preactivation = new Float32Array(rows * outer);
  for (let n = 0; n < rows; n++)
    for (let o = 0; o < outer; o++) {
      let v = variant.bias ? inputs.bias![o]! : 0;
      for (let k = 0; k < inner; k++)
        v += inputs.x[n * inner + k]! * inputs.weight[variant.weight === 'rows' ? o * inner + k : k * outer + o]!;
      for (const target of lora?.targets ?? []) {
        if (o < target.from || o >= target.to) continue;
        const { rank, scale, zWidth } = lora!;
        for (let r = 0; r < rank; r++)
          v +=
            scale *
            inputs.z![n * zWidth + target.zOffset + r]! *
            inputs.lora![target.bOffset + (o - target.from) * rank + r]!;
      }
      const at = n * outer + o;
      v *= inputs.mask?.[at] ?? 1;
      if (variant.add === 'residual') v += inputs.residual![at]!;
      if (variant.add === 'out') v += inputs.out![at]!;
      if (variant.gelu === 'slope') v *= geluSlopeReference(inputs.preactivation![at]!);
      preactivation[at] = v;
      out[at] = variant.gelu === 'apply' || variant.gelu === 'keep' ? geluReference(v) : v;
    }
  return { out, preactivation };
}
