import type { GraphBuilder, Value } from './graph-builder.ts';
import type { Tape } from './tape.ts';

/** Differentiable operations of a RoBERTa layer and its head; `d` before a name means the loss's gradient with respect to it. */

export function add(t: Tape, a: Value, b: Value): Value {
  return t.record(t.forward.add(a, b), [a, b], (dy) => {
    for (const input of [a, b]) t.accumulate(input, (soFar) => (soFar === undefined ? dy : t.back.add(soFar, dy)));
  });
}

/** Times a constant mask; null drops nothing and costs nothing. */
export function dropout(t: Tape, x: Value, mask: Value | null): Value {
  if (mask === null) return x;
  return t.record(t.forward.mul(x, mask), [x], (dy) => {
    t.accumulate(x, (soFar) => sum(t, soFar, t.back.mul(dy, t.use(mask))));
  });
}

function sum(t: Tape, soFar: Value | undefined, more: Value): Value {
  return soFar === undefined ? more : t.back.add(soFar, more);
}

export interface LinearScales {
  /** Factor on the input, and on the output; both ride on the products for nothing. */
  readonly input: number;
  readonly output: number;
}

export interface AdapterValues {
  /** (R,in) */
  readonly a: Value;
  /** (out,R) */
  readonly b: Value;
  /** alpha / rank */
  readonly scale: number;
  /** (M,in) dropout of the adapter's own input. */
  readonly mask: Value | null;
}

/**
 * y = so * (W (si x) + bias + scale * B A dropout(si x)): (M,in) to (M,out). The frozen W (out,in) serves both directions as it lies,
 * transposed forward and plain backward, and gets no gradient. `weight` makes it in whichever graph uses it: what is stored in fewer bits is
 * made f32 in both, rather than kept as f32 between them.
 */
export function frozenLinear(
  t: Tape,
  x: Value,
  weight: (graph: GraphBuilder) => Value,
  bias: Value,
  adapter: AdapterValues | null,
  { input: si, output: so }: LinearScales = { input: 1, output: 1 },
): Value {
  const base = t.forward.gemm(x, weight(t.forward), { transB: true, alpha: si * so, c: bias, beta: so });
  const dBase = (dy: Value) =>
    t.accumulate(x, (soFar) =>
      t.back.gemm(dy, weight(t.back), { alpha: si * so, ...(soFar === undefined ? {} : { c: soFar }) }),
    );
  if (adapter === null) return t.record(base, [x], dBase);

  const { a, b, mask } = adapter;
  const scale = so * adapter.scale;
  const dropped = mask === null ? x : t.forward.mul(x, mask);
  const narrow = t.forward.gemm(dropped, a, { transB: true, alpha: si });
  const y = t.forward.gemm(narrow, b, { transB: true, alpha: scale, c: base });
  return t.record(y, [x, a, b], (dy) => {
    // y += scale * narrow Bᵀ. As (R,out) the product has few rows, which is the faster way round.
    t.accumulate(b, () => t.back.transpose(t.back.gemm(t.use(narrow), dy, { transA: true, alpha: scale }), [1, 0]));
    const dNarrow = t.back.gemm(dy, t.use(b), { alpha: scale });
    // narrow = si * dropped Aᵀ
    t.accumulate(a, () => t.back.gemm(dNarrow, t.use(dropped), { transA: true, alpha: si }));
    dBase(dy);
    t.accumulate(x, (soFar) => {
      if (mask !== null) return sum(t, soFar, t.back.mul(t.back.gemm(dNarrow, t.use(a), { alpha: si }), t.use(mask)));
      return t.back.gemm(dNarrow, t.use(a), { alpha: si, ...(soFar === undefined ? {} : { c: soFar }) });
    });
  });
}

/** y = W x + bias with everything trained, as in the head: (M,in) to (M,out). */
export function trainedLinear(t: Tape, x: Value, weight: Value, bias: Value): Value {
  return t.record(t.forward.gemm(x, weight, { transB: true, c: bias }), [x, weight, bias], (dy) => {
    t.accumulate(weight, () => t.back.gemm(dy, t.use(x), { transA: true }));
    t.accumulate(bias, () => t.back.node('ReduceSum', [dy, t.back.constant('int64', [0])], { keepdims: 0 }));
    t.accumulate(x, (soFar) => t.back.gemm(dy, t.use(weight), soFar === undefined ? {} : { c: soFar }));
  });
}

/** LayerNorm over the last dimension: (M,C) to (M,C); weight and bias are frozen. */
export function layerNorm(t: Tape, x: Value, weight: Value, bias: Value, epsilon: number): Value {
  const [y, mean, inverse] = t.forward.nodes('LayerNormalization', [x, weight, bias], 3, {
    axis: -1,
    epsilon: { float: epsilon },
  }) as [Value, Value, Value];
  return t.record(y, [x], (dy) => {
    // hat = (x - mean) / std; dx = (g - mean(g) - hat * mean(g * hat)) / std, with g = dy * weight.
    const { back } = t;
    const g = back.mul(dy, t.use(weight));
    const inverseUsed = t.use(inverse);
    const hat = back.mul(back.sub(t.use(x), t.use(mean)), inverseUsed);
    const centred = back.sub(back.sub(g, back.meanLast(g)), back.mul(hat, back.meanLast(back.mul(g, hat))));
    t.accumulate(x, (soFar) => sum(t, soFar, back.mul(centred, inverseUsed)));
  });
}

/**
 * The exact GELU of z, given x = z / sqrt(2) and giving sqrt(2) * gelu(z) = x * (1 + erf(x)), so that the two factors can ride on the
 * products before and after. The slope, 1 + erf(x) + 2/sqrt(pi) * x * exp(-x^2), is computed forward, where erf(x) is at hand.
 */
export function scaledGelu(t: Tape, x: Value): Value {
  const { forward } = t;
  const onePlusErf = forward.add(forward.node('Erf', [x]), forward.scalar(1));
  return t.record(forward.mul(x, onePlusErf), [x], (dy) => {
    const bell = forward.node('Exp', [forward.node('Neg', [forward.mul(x, x)])]);
    const slope = forward.add(onePlusErf, forward.mul(forward.mul(x, bell), forward.scalar(2 / Math.sqrt(Math.PI))));
    t.accumulate(x, (soFar) => sum(t, soFar, t.back.mul(dy, t.use(slope))));
  });
}

export function tanh(t: Tape, x: Value): Value {
  const y = t.forward.node('Tanh', [x]);
  return t.record(y, [x], (dy) => {
    const used = t.use(y);
    const slope = t.back.sub(t.back.scalar(1), t.back.mul(used, used));
    t.accumulate(x, (soFar) => sum(t, soFar, t.back.mul(dy, slope)));
  });
}

export interface AttentionInputs {
  /** int64 (4): B, T, H, D. */
  readonly headShape: Value;
  readonly hiddenSize: number;
  /** (B,1,1,T): 0 for keys, far below any score for padding. */
  readonly padding: Value;
  /** (B,H,T,T) */
  readonly mask: Value | null;
}

/** softmax(q kᵀ + padding) v per head: (M,C) to (M,C). The 1/sqrt(D) is already in q. */
export function attention(t: Tape, q: Value, k: Value, v: Value, inputs: AttentionInputs): Value {
  const { headShape, hiddenSize, padding, mask } = inputs;
  const { forward, back } = t;
  const swap = [0, 2, 1, 3];
  const split = (x: Value) => forward.transpose(forward.reshape(x, headShape), swap);
  const [qh, kh, vh] = [split(q), split(k), split(v)];
  const probabilities = forward.node('Softmax', [forward.add(forward.matmul(qh, kh, { transB: true }), padding)], {
    axis: -1,
  });
  const dropped = mask === null ? probabilities : forward.mul(probabilities, mask);
  const context = forward.reshape(forward.transpose(forward.matmul(dropped, vh), swap), [-1, hiddenSize]);
  return t.record(context, [q, k, v], (dContext) => {
    const dSplit = (x: Value) => back.reshape(x, t.use(headShape));
    const join = (x: Value) => back.reshape(back.transpose(x, swap), [-1, hiddenSize]);
    const give = (input: Value, dInput: () => Value) => t.accumulate(input, (soFar) => sum(t, soFar, join(dInput())));
    const dOut = back.transpose(dSplit(dContext), swap);
    // context = dropped v
    give(v, () => back.matmul(t.use(dropped), dOut, { transA: true }));
    if (!t.needsGradient(q) && !t.needsGradient(k)) return;
    const dDropped = back.matmul(dOut, t.use(vh), { transB: true });
    const dProbabilities = mask === null ? dDropped : back.mul(dDropped, t.use(mask));
    // sum over keys of p * dp equals the sum over a head's channels of context * dContext, which are fewer.
    const sums = back.transpose(back.sumLast(dSplit(back.mul(dContext, t.use(context)))), swap);
    const dScores = back.mul(t.use(probabilities), back.sub(dProbabilities, sums));
    give(q, () => back.matmul(dScores, t.use(kh)));
    give(k, () => back.matmul(dScores, t.use(qh), { transA: true }));
  });
}
