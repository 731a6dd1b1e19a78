import { DROPOUT_WGSL } from './dropout.ts';
import {
  type Binding,
  type Grid,
  type Kernel,
  kernel,
  type Precision,
  read,
  uniform,
  vectors,
  type WeightPrecision,
  weightAt,
  weightVectors,
  words,
  write,
} from './kernel.ts';
import { layerNormGrid, layerNormReference } from './layer-norm.ts';
import { ROW_START_WGSL, ROW_SUM_WGSL, ROW_THREADS, rowMomentsWgsl } from './row-sum.ts';

/**
 * RobertaEmbeddings for the packed rows: the rows of the three tables added, LayerNorm, dropout.
 *
 *   out[n] = dropout(layer_norm(word[id] + position[place] + type[0]))                               out (N,C)
 *
 * The word table may lie in parts, so that no binding is larger than every device allows: one launch for each part serves the rows
 * whose ids lie in it. `tables` holds position (P,C), then type (1,C). Codes of 8 bits have one scale for each row of a table.
 */
export interface EmbedSizes {
  readonly width: number;
  readonly eps: number;
  /** P. */
  readonly positions: number;
  readonly dropoutSite: number;
  /** The part of the vocabulary that `wordTable` holds. */
  readonly firstWord: number;
  readonly wordCount: number;
}

export const embedGrid = (rows: number): Grid => layerNormGrid(rows);
export const embedSizes = (s: EmbedSizes): Uint32Array =>
  words(s.width / 4, { f32: s.eps }, s.positions, s.dropoutSite, s.firstWord, s.wordCount);

export function embedKernel(
  precision: Precision,
  weights: WeightPrecision,
): Kernel<'current' | 'sizes' | 'rows' | 'wordTable' | 'wordScales' | 'tables' | 'tableScales' | 'norm' | 'out'> {
  const scaled = weights === 'int8';
  const scales: Record<string, Binding> = { wordScales: read('array<f32>'), tableScales: read('array<f32>') };
  const bindings: Record<string, Binding> = {
    current: uniform('Pass'),
    sizes: uniform('Sizes'),
    rows: read('array<vec4u>'),
    wordTable: read(weightVectors(weights)),
    tables: read(weightVectors(weights)),
    ...(scaled ? scales : {}),
    norm: read('array<vec4f>'),
    out: write(vectors(precision)),
  };
  /** A row's c-th vec4. */
  const element = (table: 'wordTable' | 'tables', row: string) =>
    `${weightAt(weights, table, `${row} * sizes.width4 + c`)}${scaled ? ` * ${table === 'tables' ? 'tableScales' : 'wordScales'}[${row}]` : ''}`;
  return kernel({
    label: 'embed',
    bindings,
    source: /* wgsl */ `
struct Sizes { width4: u32, eps: f32, positions: u32, site: u32, firstWord: u32, wordCount: u32, unused0: u32, unused1: u32 }
${DROPOUT_WGSL}
${ROW_SUM_WGSL}
fn embedding(id: u32, place: u32, c: u32) -> vec4f {
  return ${element('wordTable', 'id')} + ${element('tables', 'place')} + ${element('tables', 'sizes.positions')};
}
${ROW_START_WGSL}
  let place = rows[row];
  if (place.w < sizes.firstWord || place.w - sizes.firstWord >= sizes.wordCount) { return; }
  let id = place.w - sizes.firstWord;
  ${rowMomentsWgsl('embedding(id, place.x, c)')}
  let key = dropKey(0u, sizes.site, place.z);
  for (var c = thread; c < sizes.width4; c += ${ROW_THREADS}u) {
    var value = (embedding(id, place.x, c) - mean) * scale * norm[c] + norm[sizes.width4 + c];
    if (current.threshold != 0u) { value *= keep4(key, place.y * sizes.width4 + c); }
    out[row * sizes.width4 + c] = vec4<${precision}>(value);
  }
}`,
  });
}

/** The same in plain loops, with the whole word table. `rows` (N,4): position id, token, position in the round, token id. `mask` (N,C). */
export function embedReference(
  sizes: Pick<EmbedSizes, 'width' | 'eps' | 'positions'>,
  rows: Uint32Array,
  wordTable: Float32Array,
  tables: Float32Array,
  norm: Float32Array,
  mask?: Float32Array,
): Float32Array {
  const { width } = sizes;
  const count = rows.length / 4;
  const sum = new Float32Array(count * width);
  for (let n = 0; n < count; n++)
    for (let c = 0; c < width; c++)
      sum[n * width + c] =
        wordTable[rows[n * 4 + 3]! * width + c]! +
        tables[rows[n * 4]! * width + c]! +
        tables[sizes.positions * width + c]!;
  return layerNormReference(width, sizes.eps, count, sum, norm).out.map((value, i) => value * (mask?.[i] ?? 1));
}
