import {
  add,
  columnSums,
  type Matrix,
  masked,
  multiply,
  multiplyTransposed,
  scaled,
  transposedMultiply,
} from './matrix.ts';

/** A frozen linear layer, adapted or not: y = W x + b + scale * B A dropout(x). */
export interface Projection {
  /** (out,in) */
  readonly weight: Matrix;
  /** (out) */
  readonly bias: Matrix;
  readonly lora: { readonly a: Matrix; readonly b: Matrix; readonly scale: number } | null;
}

export interface ProjectionSaved {
  /** (M,in) dropout(x), the input of A; null without an adapter. */
  readonly dropped: Matrix | null;
  /** (M,R) A dropout(x). */
  readonly narrow: Matrix | null;
  readonly mask: Float32Array | null;
}

/** x (M,in) to y (M,out); `mask` (M,in) is the adapter's own dropout. */
export function project(
  x: Matrix,
  projection: Projection,
  mask: Float32Array | null,
): { readonly y: Matrix; readonly saved: ProjectionSaved } {
  const { weight, bias, lora } = projection;
  const base = multiplyTransposed(x, weight);
  const y = { ...base, data: base.data.map((value, i) => value + bias.data[i % bias.cols]!) };
  if (lora === null) return { y, saved: { dropped: null, narrow: null, mask: null } };
  const dropped = masked(x, mask);
  const narrow = multiplyTransposed(dropped, lora.a);
  return { y: add(y, scaled(multiplyTransposed(narrow, lora.b), lora.scale)), saved: { dropped, narrow, mask } };
}

/** The frozen matrix gets no gradient; `dA` (R,in) and `dB` (out,R) are null without an adapter. */
export function projectBackward(
  dy: Matrix,
  projection: Projection,
  saved: ProjectionSaved,
): { readonly dx: Matrix; readonly dA: Matrix | null; readonly dB: Matrix | null } {
  const dx = multiply(dy, projection.weight);
  const { lora } = projection;
  if (lora === null || saved.dropped === null || saved.narrow === null) return { dx, dA: null, dB: null };
  const dScaled = scaled(dy, lora.scale);
  const dNarrow = multiply(dScaled, lora.b);
  return {
    dx: add(dx, masked(multiply(dNarrow, lora.a), saved.mask)),
    dA: transposedMultiply(dNarrow, saved.dropped),
    dB: transposedMultiply(dScaled, saved.narrow),
  };
}

/** A trained linear layer of the head: gradients of everything. */
export function linearBackward(
  dy: Matrix,
  x: Matrix,
  weight: Matrix,
): { readonly dx: Matrix; readonly dWeight: Matrix; readonly dBias: Float64Array } {
  return { dx: multiply(dy, weight), dWeight: transposedMultiply(dy, x), dBias: columnSums(dy) };
}
