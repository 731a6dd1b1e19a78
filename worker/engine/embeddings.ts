import type { ModelShape } from '../../signaling/protocol/settings.ts';
import type { TokenBatch } from '../api/batch.ts';
import type { FrozenEmbeddings } from '../model/description.ts';
import { addRow } from '../model/stored-matrix.ts';
/**
 * Sums of word, position and token-type rows, before the LayerNorm: (B,T,C). The table of words is only ever indexed here, so that it
 * is never an engine's buffer. Positions follow RoBERTa's create_position_ids_from_input_ids: pad id + 1 + index, and pad id on padding.
 */
export function gatherEmbeddings(
  table: FrozenEmbeddings,
  shape: ModelShape,
  batch: TokenBatch,
): Float32Array<ArrayBuffer> {
  const { hiddenSize: c, padTokenId } = shape;
  const { ids, lengths, tokens } = batch;
  const out = new Float32Array(ids.length * c);
  // Rounded to f32 once.
  const sum = new Float64Array(c);
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]!;
    const token = row % tokens;
    const position = token < lengths[Math.floor(row / tokens)]! ? padTokenId + 1 + token : padTokenId;
    sum.fill(0);
    addRow(table.word, id, sum);
    addRow(table.position, position, sum);
    addRow(table.tokenType, 0, sum);
    out.set(sum, row * c);
  }
  return out;
}

/** Embeddings and their LayerNorm in f32: (B,T,C). */
export function embedTokens(table: FrozenEmbeddings, shape: ModelShape, batch: TokenBatch): Float32Array<ArrayBuffer> {
  const x = gatherEmbeddings(table, shape, batch);
  const c = shape.hiddenSize;
  for (let at = 0; at < x.length; at += c) {
    let [sum, squares] = [0, 0];
    for (let i = at; i < at + c; i++) sum += x[i]!;
    const mean = sum / c;
    for (let i = at; i < at + c; i++) squares += (x[i]! - mean) ** 2;
    const inverse = 1 / Math.sqrt(squares / c + shape.layerNormEps);
    for (let i = 0; i < c; i++) x[at + i] = (x[at + i]! - mean) * inverse * table.normWeight[i]! + table.normBias[i]!;
  }
  return x;
}
