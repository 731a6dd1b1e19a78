import { DROPOUT_SITES } from '../../../dropout.ts';
import { type Kernel, kernel, read, uniform, vectors, write } from '../kernel.ts';
import { type AttentionSpec, attentionParts, RUN } from './attention.ts';
import { DROPOUT_WGSL } from './dropout.ts';

/**
 * Backward of attention.ts, the probabilities made again from the saved logSum:
 *
 *   p = exp(score - logSum),  delta = sum(dContext * context)                                        over a head's row
 *   dScore = p * (dropout(dContext v^T) - delta)
 *   dq = dScore k / sqrt(D),  dk = dScore^T q / sqrt(D),  dv = dropout(p)^T dContext
 *
 * Two kernels: one has a query in each thread and makes dq and delta, the other, after it, a key, and makes dk and dv. So every sum is
 * made by one thread in a fixed order. All gradients are f32, side by side in dqkv (N,3C); delta (N,H). Both run on `attentionGrid`.
 */
export function attentionQueryGradientKernel(
  spec: AttentionSpec,
): Kernel<'current' | 'layer' | 'samples' | 'qkv' | 'context' | 'dContext' | 'logSum' | 'delta' | 'dqkv'> {
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
      context: read(vectors(spec.precision)),
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
  var along = 0f;
  ${part.zero('dq')}
  ${all(
    (i) =>
      `${reg('q', i)} *= ${scale}; ${inside(i)}{ along += dot(${reg('g', i)}, vec4f(context[${place('row * width4', i)}])); }`,
  )}
  ${part.laneSum('along')}
  let sum = logSum[row * heads + head];
  let key = dropKey(layer.index, ${DROPOUT_SITES.attentionProbabilities}u, sample.z);
  for (var first = 0u; first < length; first += ${RUN}u) {
    let runEnd = sample.x + min(first + ${RUN}u, length);
    ${part.dots([
      ['s', 'q', 'qkv', part.key('other')],
      ['dp', 'g', 'qkv', part.value('other')],
    ])}
    if (current.threshold != 0u) {
      let place = ${part.maskGroup('mine', 'first')};
      dp0 *= keep4(key, place);
      dp1 *= keep4(key, place + 1u);
    }
    s0 = exp(s0 - sum) * (dp0 - along);
    s1 = exp(s1 - sum) * (dp1 - along);
    ${part.accumulate([['dq', 's', 'qkv', part.key('other')]])}
  }
  if (!present) { return; }
  ${all((i) => `${inside(i)}{ dqkv[${place(part.query('row'), i)}] = ${reg('dq', i)} * ${scale}; }`)}
  if (lane == 0u) { delta[row * heads + head] = along; }
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
    let runEnd = sample.x + min(first + ${RUN}u, length);
    ${part.dots([
      ['s', 'k', 'qkv', part.query('other')],
      ['dp', 'v', 'dContext', 'other * width4'],
    ])}
    var p0 = s0;
    var p1 = s1;
    for (var other = sample.x + first; other < runEnd; other++) {
      let j = other - sample.x - first;
      let at = other * heads + head;
      var keep = 1f;
      if (current.threshold != 0u) { keep = keep4(key, ${part.maskGroup('(first + j)', 'mine')})[mine & 3u]; }
      let p = exp(select(s1, s0, j < 4u)[j & 3u] - logSum[at]);
      let dScore = p * (keep * select(dp1, dp0, j < 4u)[j & 3u] - delta[at]);
      p0 = select(p0, vec4f(keep * p), vec4u(j) == vec4u(0, 1, 2, 3));
      p1 = select(p1, vec4f(keep * p), vec4u(j) == vec4u(4, 5, 6, 7));
      s0 = select(s0, vec4f(dScore), vec4u(j) == vec4u(0, 1, 2, 3));
      s1 = select(s1, vec4f(dScore), vec4u(j) == vec4u(4, 5, 6, 7));
    }
    ${part.accumulate([
      ['dv', 'p', 'dContext', 'other * width4'],
      ['dk', 's', 'qkv', part.query('other')],
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
