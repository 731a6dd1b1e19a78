import { DROPOUT_SITES } from '../../dropout.ts';
import { type AttentionSpec, attentionParts, RUN } from './attention.ts';
import { DROPOUT_WGSL } from './dropout.ts';
import { type Kernel, kernel, read, uniform, vectors, write } from './kernel.ts';

/**
 * Backward of attention.ts, the probabilities made again from the saved logSum:
 *
 *   p = exp(score - logSum),  dp = dropout(dContext v^T),  delta = sum(p * dp)                       over a row of keys
 *   dScore = p * (dp - delta)
 *   dq = dScore k / sqrt(D),  dk = dScore^T q / sqrt(D),  dv = dropout(p)^T dContext
 *
 * Two kernels: one has a query in each thread and makes dq and delta, the other, after it, a key, and makes dk and dv. So every sum is
 * made by one thread in a fixed order. In the first, delta is known only at the end: dq = (p * dp) k - delta * (p k). It is not taken
 * from the context, as is usual: that need not be saved then, and in half precision it would differ from the sum that it stands for.
 * All gradients are f32, side by side in dqkv (N,3C); delta (N,H). Both run on `attentionGrid`.
 */
export function attentionQueryGradientKernel(
  spec: AttentionSpec,
): Kernel<'current' | 'layer' | 'samples' | 'qkv' | 'dContext' | 'logSum' | 'delta' | 'dqkv'> {
  const part = attentionParts(spec);
  const { all, inside, reg, place } = part;
  const scale = 1 / Math.sqrt(spec.headSize);
  return kernel({
    label: 'attention backward, queries',
    bindings: {
      current: uniform('Pass'),
      layer: uniform('Layer'),
      samples: read('array<vec4u>'),
      qkv: read(vectors(spec.precision)),
      dContext: read('array<vec4f>'),
      logSum: read('array<f32>'),
      delta: write('array<f32>'),
      dqkv: write('array<vec4f>'),
    },
    source: /* wgsl */ `
${DROPOUT_WGSL}
${part.start}
  ${part.load('q', 'qkv', part.query('row'))}
  ${part.load('g', 'dContext', 'row * width4')}
  ${part.zero('dq')}
  ${part.zero('pk')}
  ${all((i) => `${reg('q', i)} *= ${scale};`)}
  var along = vec4f(0);
  let sum = logSum[row * heads + head];
  let key = dropKey(layer.index, ${DROPOUT_SITES.attentionProbabilities}u, sample.z);
  for (var first = 0u; first < length; first += ${RUN}u) {
    ${part.dots([
      ['s', 'q', 'qkv', part.key],
      ['dp', 'g', 'qkv', part.value],
    ])}
    ${part.beyond}
    if (current.threshold != 0u) {
      let place = ${part.maskGroup('mine', 'first')};
      dp0 *= keep4(key, place);
      dp1 *= keep4(key, place + 1u);
    }
    let p0 = select(exp(s0 - sum), vec4f(0), beyond0);
    let p1 = select(exp(s1 - sum), vec4f(0), beyond1);
    s0 = p0 * dp0;
    s1 = p1 * dp1;
    along += s0 + s1;
    ${part.accumulate([
      [
        [
          ['dq', 's'],
          ['pk', 'p'],
        ],
        'qkv',
        part.key,
      ],
    ])}
  }
  let total = dot(along, vec4f(1));
  if (!present) { return; }
  ${all((i) => `${inside(i)}{ dqkv[${place(part.query('row'), i)}] = (${reg('dq', i)} - total * ${reg('pk', i)}) * ${scale}; }`)}
  if (lane == 0u) { delta[row * heads + head] = total; }
}`,
  });
}

export function attentionKeyGradientKernel(
  spec: AttentionSpec,
): Kernel<'current' | 'layer' | 'samples' | 'qkv' | 'dContext' | 'logSum' | 'delta' | 'dqkv'> {
  const part = attentionParts(spec);
  const { all, inside, reg, place } = part;
  const scale = 1 / Math.sqrt(spec.headSize);
  return kernel({
    label: 'attention backward, keys',
    bindings: {
      current: uniform('Pass'),
      layer: uniform('Layer'),
      samples: read('array<vec4u>'),
      qkv: read(vectors(spec.precision)),
      dContext: read('array<vec4f>'),
      logSum: read('array<f32>'),
      delta: read('array<f32>'),
      dqkv: write('array<vec4f>'),
    },
    source: /* wgsl */ `
${DROPOUT_WGSL}
${part.start}
  ${part.load('k', 'qkv', part.key('row'))}
  ${part.load('v', 'qkv', part.value('row'))}
  ${part.zero('dk')}
  ${part.zero('dv')}
  ${all((i) => `${reg('k', i)} *= ${scale};`)}
  let key = dropKey(layer.index, ${DROPOUT_SITES.attentionProbabilities}u, sample.z);
  for (var first = 0u; first < length; first += ${RUN}u) {
    ${part.dots([
      ['s', 'k', 'qkv', part.query],
      ['dp', 'v', 'dContext', (row) => `${row} * width4`],
    ])}
    ${part.beyond}
    ${part.numbers('sum', 'logSum')}
    ${part.numbers('along', 'delta')}
    var p0 = select(exp(s0 - sum0), vec4f(0), beyond0);
    var p1 = select(exp(s1 - sum1), vec4f(0), beyond1);
    s0 = p0;
    s1 = p1;
    if (current.threshold != 0u) {
      var keep0 = vec4f(0);
      var keep1 = vec4f(0);
      for (var query = first; query < min(first + ${RUN}u, length); query++) {
        let keep = keep4(key, ${part.maskGroup('query', 'mine')})[mine & 3u];
        keep0 = select(keep0, vec4f(keep), vec4u(query - first) == vec4u(0, 1, 2, 3));
        keep1 = select(keep1, vec4f(keep), vec4u(query - first) == vec4u(4, 5, 6, 7));
      }
      p0 *= keep0;
      p1 *= keep1;
      dp0 *= keep0;
      dp1 *= keep1;
    }
    s0 *= dp0 - along0;
    s1 *= dp1 - along1;
    ${part.accumulate([
      [[['dv', 'p']], 'dContext', (row) => `${row} * width4`],
      [[['dk', 's']], 'qkv', part.query],
    ])}
  }
  if (!present) { return; }
  ${all(
    (i) => `${inside(i)}{
    dqkv[${place(part.key('row'), i)}] = ${reg('dk', i)} * ${scale};
    dqkv[${place(part.value('row'), i)}] = ${reg('dv', i)};
  }`,
  )}
}`,
  });
}

/** Forward and backward in plain loops, the (T,T) matrices written out. `samples` (B): first row, length. `masks` (B): (H,T,T) each. */
export function attentionReference(
  heads: number,
  d: number,
  samples: readonly { readonly first: number; readonly length: number }[],
  qkv: Float32Array,
  dContext: Float32Array,
  masks?: readonly Float32Array[],
): { context: Float32Array; dqkv: Float32Array } {
  const c = heads * d;
  const context = new Float32Array(dContext.length);
  const dqkv = new Float32Array(qkv.length);
  const at = (row: number, which: number, head: number) => row * 3 * c + which * c + head * d;
  const dot = (a: Float32Array, i: number, b: Float32Array, j: number) => {
    let sum = 0;
    for (let n = 0; n < d; n++) sum += a[i + n]! * b[j + n]!;
    return sum;
  };
  samples.forEach(({ first, length }, b) => {
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < length; i++) {
        const row = first + i;
        const keys = Array.from({ length }, (_, j) => first + j);
        const scores = keys.map((j) => dot(qkv, at(row, 0, h), qkv, at(j, 1, h)) / Math.sqrt(d));
        const most = Math.max(...scores);
        const total = scores.reduce((sum, s) => sum + Math.exp(s - most), 0);
        const p = scores.map((s) => Math.exp(s - most) / total);
        const keep = keys.map((_, j) => masks?.[b]?.[(h * length + i) * length + j] ?? 1);
        const dp = keys.map((j, n) => keep[n]! * dot(dContext, row * c + h * d, qkv, at(j, 2, h)));
        const delta = dp.reduce((sum, value, n) => sum + value * p[n]!, 0);
        keys.forEach((j, n) => {
          const dScore = (p[n]! * (dp[n]! - delta)) / Math.sqrt(d);
          for (let e = 0; e < d; e++) {
            const g = dContext[row * c + h * d + e]!;
            context[row * c + h * d + e]! += keep[n]! * p[n]! * qkv[at(j, 2, h) + e]!;
            dqkv[at(row, 0, h) + e]! += dScore * qkv[at(j, 1, h) + e]!;
            dqkv[at(j, 1, h) + e]! += dScore * qkv[at(row, 0, h) + e]!;
            dqkv[at(j, 2, h) + e]! += keep[n]! * p[n]! * g;
          }
        });
      }
  });
  return { context, dqkv };
}
