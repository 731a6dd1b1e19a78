import type { ModelShape } from '../../signaling/protocol/settings.ts';
import type { EmbeddingTensors } from '../model/description.ts';
import type { TokenBatch } from '../rpc.ts';

/**
 * Sums of word, position and token-type rows, before the LayerNorm: (B,T,C). The table of words is only ever indexed here, so that it
 * is never an engine's buffer. Positions follow RoBERTa's create_position_ids_from_input_ids: pad id + 1 + index, and pad id on padding.
 * @throws RangeError for ids outside the vocabulary or sequences longer than the position table.
 */
export function gatherEmbeddings(
  table: EmbeddingTensors,
  shape: ModelShape,
  batch: TokenBatch,
): Float32Array<ArrayBuffer> {
  const { hiddenSize: c, padTokenId, vocabSize, maxPositions } = shape;
  const { ids, lengths, tokens } = batch;
  const out = new Float32Array(ids.length * c);
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]!;
    const token = row % tokens;
    const position = token < lengths[Math.floor(row / tokens)]! ? padTokenId + 1 + token : padTokenId;
    if (id < 0 || id >= vocabSize) throw new RangeError(`Token id ${id} is outside the vocabulary of ${vocabSize}.`);
    if (position >= maxPositions)
      throw new RangeError(`Token ${token} is beyond the model's ${maxPositions - padTokenId - 1} positions.`);
    const [word, at] = [id * c, position * c];
    for (let i = 0; i < c; i++)
      out[row * c + i] = table.word[word + i]! + table.position[at + i]! + table.tokenType[i]!;
  }
  return out;
}
