import { MAX_TOKENS_PER_SAMPLE } from '../../../../signaling/protocol/limits.ts';
import { DROPOUT_SITES } from '../../dropout.ts';
import { DROPOUT_WGSL } from './dropout.ts';
import { type Grid, type Kernel, kernel, type Precision, read, uniform, unroll, vectors, write } from './kernel.ts';
import { SHARING } from './tile.ts';

/**
 * Multi-head attention over the packed samples, without ever storing a (T,T) matrix: each thread keeps a query in registers while the
 * keys and values stream by, with the running softmax of FlashAttention (Dao et al., arXiv 2205.14135).
 *
 *   score = q k^T / sqrt(D),  p = softmax(score),  context = dropout(p) v
 *
 * qkv (N,3C) holds query, key, value side by side, heads within each; `samples` (B) holds each sample's first row and length. All threads
 * of a workgroup need the same key at a time, which every GPU serves from its cache at once; so there is no shared memory, and there
 * are no barriers, which software drivers pay dearly for.
 */
export interface AttentionSpec {
  /** D. */
  readonly headSize: number;
  /** Of qkv and the context. */
  readonly precision: Precision;
  readonly threads: AttentionThreads;
}

/**
 * What a thread of attention does: `alone` has a row and loads all that it needs. `pairs` and `quads` of neighbours share a row, each
 * with a part of D, where registers are few. `sharing` neighbours load a key each and tell the others what they hold, where loads are
 * slow. All but the first need `subgroups`; `sharing` needs at least SHARING threads in each.
 */
export type AttentionThreads = 'alone' | 'pairs' | 'quads' | 'sharing';

const LANES: Readonly<Record<AttentionThreads, number>> = { alone: 1, pairs: 2, quads: 4, sharing: 1 };

const THREADS = 64;
/** Keys (or queries, backward) between two looks at the running maximum. */
export const RUN = SHARING;

/** One workgroup for each run of rows, head and sample; those beyond a sample's length leave at once. */
export function attentionGrid(spec: AttentionSpec, heads: number, samples: number, tokens: number): Grid {
  return [Math.max(1, Math.ceil(tokens / (THREADS / LANES[spec.threads]))), heads, samples];
}

/** vec4 of a row that a thread keeps in registers of its own; more lie in an array, which compilers put into slower memory. */
const MAX_REGISTERS = 16;

/** Dot products into `into` of registers with rows that begin at `at` in a buffer. */
type Dot = readonly [into: string, registers: string, buffer: string, at: (row: string) => string];
/** Sums of a buffer's rows, one for each pair of registers and weights. */
type Sum = readonly [
  sums: readonly (readonly [into: string, weights: string])[],
  buffer: string,
  at: (row: string) => string,
];

/** Code that forward and backward share. */
export function attentionParts({ headSize, threads }: AttentionSpec) {
  const lanes = LANES[threads];
  const head4 = headSize / 4;
  const part4 = Math.ceil(head4 / lanes);
  const rows = THREADS / lanes;
  const arrays = part4 > MAX_REGISTERS;
  const sharing = threads === 'sharing';
  /** The i-th vec4 of this thread's part of a row. */
  const reg = (name: string, i: number | string) => (arrays ? `${name}[${i}]` : `${name}${i}`);
  const inside = (i: number | string) =>
    part4 * lanes === head4 ? '' : `if (lane * ${part4}u + ${i}${arrays ? '' : 'u'} < ${head4}u) `;
  // The bound of the loop is no constant for the compiler, or it would unroll what is in it.
  const all = (body: (i: number | string) => string) =>
    arrays ? `for (var i = 0u; i < ${part4}u * heads / groups.y; i++) { ${body('i')} }` : unroll(part4, body);
  /** Index of the i-th vec4 of this thread's part of a row; `at` is where the row's heads begin. */
  const place = (at: string, i: number | string) =>
    `${at} + head * ${head4}u + lane * ${part4}u + ${i}${arrays ? '' : 'u'}`;
  const element = (buffer: string, at: string, i: number | string) => `vec4f(${buffer}[${place(at, i)}])`;
  const laneSum = (value: string) =>
    [lanes > 1 ? `${value} += quadSwapX(${value});` : '', lanes > 2 ? `${value} += quadSwapY(${value});` : ''].join(
      ' ',
    );
  const clamped = (j: number) => `(sample.x + min(first + ${j}u, length - 1u))`;

  /**
   * Every thread for itself. The loop's bounds hide that it has at most eight turns: Mesa would unroll it, and its software driver take
   * many times as long to compile it.
   */
  const ownDots = (terms: readonly Dot[]) => `
    for (var other = sample.x + first; other < sample.x + min(first + ${RUN}u, length); other++) {
      let j = other - sample.x - first;
      ${terms
        .map(
          ([into, registers, buffer, at]) => `var sum_${into} = 0f;
      ${all((i) => `${inside(i)}{ sum_${into} += dot(${reg(registers, i)}, ${element(buffer, at('other'), i)}); }`)}
      ${laneSum(`sum_${into}`)}
      ${into}0 = select(${into}0, vec4f(sum_${into}), vec4u(j) == vec4u(0, 1, 2, 3));
      ${into}1 = select(${into}1, vec4f(sum_${into}), vec4u(j) == vec4u(4, 5, 6, 7));`,
        )
        .join('\n')}
    }`;
  const ownSums = (terms: readonly Sum[]) => `
    for (var other = sample.x + first; other < sample.x + min(first + ${RUN}u, length); other++) {
      let j = other - sample.x - first;
      ${terms
        .map(
          ([
            sums,
            buffer,
            at,
          ]) => `${sums.map(([into, weights]) => `let by_${into} = select(${weights}1, ${weights}0, j < 4u)[j & 3u];`).join('\n')}
      ${all(
        (i) => `${inside(i)}{
        let held = ${element(buffer, at('other'), i)};
        ${sums.map(([into]) => `${reg(into, i)} += by_${into} * held;`).join('\n')}
      }`,
      )}`,
        )
        .join('\n')}
    }`;

  /** Each of the neighbours loads one row of the run, and all get it. */
  const sharedRow = `let other = sample.x + min(first + neighbour % ${SHARING}u, length - 1u);`;
  const sharedDots = (terms: readonly Dot[]) => `{
    ${sharedRow}
    ${terms
      .map(([into, registers, buffer, at]) =>
        all(
          (i) => `{
      let held = ${element(buffer, at('other'), i)};
      ${unroll(SHARING, (j) => `${into}${j >> 2}[${j & 3}] += dot(${reg(registers, i)}, subgroupBroadcast(held, ${j}u));`)}
    }`,
        ),
      )
      .join('\n')}
    }`;
  const sharedSums = (terms: readonly Sum[]) => `{
    ${sharedRow}
    ${terms
      .map(([sums, buffer, at]) =>
        all(
          (i) => `{
      let held = ${element(buffer, at('other'), i)};
      ${unroll(
        SHARING,
        (j) => `{
        let row_ = subgroupBroadcast(held, ${j}u);
        ${sums.map(([into, weights]) => `${reg(into, i)} += ${weights}${j >> 2}[${j & 3}] * row_;`).join('\n')}
      }`,
      )}
    }`,
        ),
      )
      .join('\n')}
    }`;

  return {
    all,
    inside,
    reg,
    place,
    laneSum,
    /** Where parts of row `row` begin in qkv. */
    query: (row: string) => `${row} * 3u * width4`,
    key: (row: string) => `${row} * 3u * width4 + width4`,
    value: (row: string) => `${row} * 3u * width4 + 2u * width4`,
    start: /* wgsl */ `
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32${
      sharing ? ', @builtin(subgroup_invocation_id) neighbour: u32' : ''
    }) {
  let heads = groups.y;
  let width4 = heads * ${head4}u;
  let sample = samples[group.z];
  let length = sample.y;
  if (group.x * ${rows}u >= length) { return; }
  let head = group.y;
  let lane = thread % ${lanes}u;
  let mine = group.x * ${rows}u + thread / ${lanes}u;
  let present = mine < length;
  let row = sample.x + min(mine, length - 1u);`,
    /** Registers for this thread's part of a row, zero. */
    zero: (name: string) =>
      arrays ? `var ${name}: array<vec4f, ${part4}>;` : unroll(part4, (i) => `var ${name}${i} = vec4f(0);`),
    /** Loads this thread's part of a row into registers. */
    load: (name: string, buffer: string, at: string) =>
      `${arrays ? `var ${name}: array<vec4f, ${part4}>;` : unroll(part4, (i) => `var ${name}${i} = vec4f(0);`)}
  ${all((i) => `${inside(i)}{ ${reg(name, i)} = ${element(buffer, at, i)}; }`)}`,
    /** Dot products of registers with the rows of a run, into `into0` and `into1` (vec4). */
    dots: (terms: readonly Dot[]) => `
    ${terms.map(([into]) => `var ${into}0 = vec4f(0); var ${into}1 = vec4f(0);`).join('\n')}
    ${sharing ? sharedDots(terms) : ownDots(terms)}`,
    /** Adds the rows of a run, times their weights, to registers. */
    accumulate: (terms: readonly Sum[]) => (sharing ? sharedSums(terms) : ownSums(terms)),
    /** One number for each row of a run, from a buffer that has one for each row and head. */
    numbers: (into: string, buffer: string) =>
      sharing
        ? `
    let held_${into} = ${buffer}[(sample.x + min(first + neighbour % ${SHARING}u, length - 1u)) * heads + head];
    let ${into}0 = vec4f(${[0, 1, 2, 3].map((j) => `subgroupBroadcast(held_${into}, ${j}u)`).join(', ')});
    let ${into}1 = vec4f(${[4, 5, 6, 7].map((j) => `subgroupBroadcast(held_${into}, ${j}u)`).join(', ')});`
        : `
    let ${into}0 = vec4f(${[0, 1, 2, 3].map((j) => `${buffer}[${clamped(j)} * heads + head]`).join(', ')});
    let ${into}1 = vec4f(${[4, 5, 6, 7].map((j) => `${buffer}[${clamped(j)} * heads + head]`).join(', ')});`,
    /** Whether the rows of a run are beyond the sample's end. */
    beyond: `
    let beyond0 = vec4u(first) + vec4u(0, 1, 2, 3) >= vec4u(length);
    let beyond1 = vec4u(first) + vec4u(4, 5, 6, 7) >= vec4u(length);`,
    /** Index of four elements of the probabilities' mask, keys 4-aligned. */
    maskGroup: (query: string, key: string) =>
      `((head * ${MAX_TOKENS_PER_SAMPLE}u + ${query}) * ${MAX_TOKENS_PER_SAMPLE}u + ${key}) / 4u`,
  };
}

/** context (N,C), and the logarithm of each row's softmax denominator, logSum (N,H), from which the backward pass makes p again. */
export function attentionForwardKernel(
  spec: AttentionSpec,
): Kernel<'current' | 'layer' | 'samples' | 'qkv' | 'context' | 'logSum'> {
  const part = attentionParts(spec);
  const { all, inside, reg, place } = part;
  return kernel({
    label: 'attention',
    bindings: {
      current: uniform('Pass'),
      layer: uniform('Layer'),
      samples: read('array<vec4u>'),
      qkv: read(vectors(spec.precision)),
      context: write(vectors(spec.precision)),
      logSum: write('array<f32>'),
    },
    source: /* wgsl */ `
${DROPOUT_WGSL}
${part.start}
  ${part.load('q', 'qkv', part.query('row'))}
  ${part.zero('o')}
  ${all((i) => `${reg('q', i)} *= ${1 / Math.sqrt(spec.headSize)};`)}
  let key = dropKey(layer.index, ${DROPOUT_SITES.attentionProbabilities}u, sample.z);
  var largest = -1e30;
  var total = 0f;
  for (var first = 0u; first < length; first += ${RUN}u) {
    ${part.dots([['s', 'q', 'qkv', part.key]])}
    ${part.beyond}
    let most = max(select(s0, vec4f(-1e30), beyond0), select(s1, vec4f(-1e30), beyond1));
    let now = max(largest, max(max(most.x, most.y), max(most.z, most.w)));
    let shrink = exp(largest - now);
    largest = now;
    var p0 = select(exp(s0 - now), vec4f(0), beyond0);
    var p1 = select(exp(s1 - now), vec4f(0), beyond1);
    total = total * shrink + dot(p0, vec4f(1)) + dot(p1, vec4f(1));
    if (current.threshold != 0u) {
      let place = ${part.maskGroup('mine', 'first')};
      p0 *= keep4(key, place);
      p1 *= keep4(key, place + 1u);
    }
    ${all((i) => `${reg('o', i)} *= shrink;`)}
    ${part.accumulate([[[['o', 'p']], 'qkv', part.value]])}
  }
  if (!present) { return; }
  ${all((i) => `${inside(i)}{ context[${place('row * width4', i)}] = vec4<${spec.precision}>(${reg('o', i)} / total); }`)}
  if (lane == 0u) { logSum[row * heads + head] = largest + log(total); }
}`,
  });
}
