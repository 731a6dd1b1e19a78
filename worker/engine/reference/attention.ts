import { softmax, softmaxBackward } from './functions.ts';
import { type Matrix, masked, multiply, multiplyTransposed, scaled, transposedMultiply, zeros } from './matrix.ts';

export interface AttentionDims {
  readonly samples: number;
  readonly tokens: number;
  readonly heads: number;
  /** (B) real tokens of each sample, at least one; later keys are masked. */
  readonly lengths: Int32Array;
}

export interface AttentionSaved {
  readonly q: Matrix;
  readonly k: Matrix;
  readonly v: Matrix;
  /** softmax(Q Kᵀ / sqrt(D) + padding) per (sample, head), before dropout. */
  readonly probabilities: readonly Matrix[];
  /** (B,H,T,T) */
  readonly mask: Float32Array | null;
}

/** The (T,D) part of a (B*T, H*D) matrix that belongs to one sample's head. */
function headOf(x: Matrix, dims: AttentionDims, sample: number, head: number): Matrix {
  const width = x.cols / dims.heads;
  const part = zeros(dims.tokens, width);
  for (let token = 0; token < dims.tokens; token++) {
    const from = (sample * dims.tokens + token) * x.cols + head * width;
    part.data.set(x.data.subarray(from, from + width), token * width);
  }
  return part;
}

function setHead(x: Matrix, dims: AttentionDims, sample: number, head: number, part: Matrix): void {
  for (let token = 0; token < dims.tokens; token++)
    x.data.set(
      part.data.subarray(token * part.cols, (token + 1) * part.cols),
      (sample * dims.tokens + token) * x.cols + head * part.cols,
    );
}

function headMask(mask: Float32Array | null, dims: AttentionDims, index: number): Float32Array | null {
  const size = dims.tokens * dims.tokens;
  return mask === null ? null : mask.subarray(index * size, (index + 1) * size);
}

/** Scaled dot-product attention with masked padding: q, k, v (B*T,C) to context (B*T,C). */
export function attention(
  q: Matrix,
  k: Matrix,
  v: Matrix,
  dims: AttentionDims,
  mask: Float32Array | null,
): { readonly context: Matrix; readonly saved: AttentionSaved } {
  const context = zeros(q.rows, q.cols);
  const scale = 1 / Math.sqrt(q.cols / dims.heads);
  const probabilities: Matrix[] = [];
  for (let sample = 0; sample < dims.samples; sample++)
    for (let head = 0; head < dims.heads; head++) {
      const [qh, kh, vh] = [q, k, v].map((x) => headOf(x, dims, sample, head)) as [Matrix, Matrix, Matrix];
      const scores = scaled(multiplyTransposed(qh, kh), scale);
      scores.data.forEach((_, i) => {
        if (i % dims.tokens >= dims.lengths[sample]!) scores.data[i] = -Infinity;
      });
      const p = softmax(scores);
      const dropped = masked(p, headMask(mask, dims, probabilities.length));
      probabilities.push(p);
      setHead(context, dims, sample, head, multiply(dropped, vh));
    }
  return { context, saved: { q, k, v, probabilities, mask } };
}

export function attentionBackward(
  dContext: Matrix,
  saved: AttentionSaved,
  dims: AttentionDims,
): { readonly dq: Matrix; readonly dk: Matrix; readonly dv: Matrix } {
  const { q, k, v, probabilities } = saved;
  const [dq, dk, dv] = [zeros(q.rows, q.cols), zeros(q.rows, q.cols), zeros(q.rows, q.cols)];
  const scale = 1 / Math.sqrt(q.cols / dims.heads);
  probabilities.forEach((p, index) => {
    const [sample, head] = [Math.floor(index / dims.heads), index % dims.heads];
    const part = (x: Matrix) => headOf(x, dims, sample, head);
    const mask = headMask(saved.mask, dims, index);
    const dOut = part(dContext);
    // context = dropped v
    const dProbabilities = masked(multiplyTransposed(dOut, part(v)), mask);
    setHead(dv, dims, sample, head, transposedMultiply(masked(p, mask), dOut));
    // p = softmax(scale * q kᵀ + padding)
    const dScores = scaled(softmaxBackward(dProbabilities, p), scale);
    setHead(dq, dims, sample, head, multiply(dScores, part(k)));
    setHead(dk, dims, sample, head, transposedMultiply(dScores, part(q)));
  });
  return { dq, dk, dv };
}
