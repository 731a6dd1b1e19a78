import { pcg4d } from '../../signaling/protocol/exchange/pcg4d.ts';
import type { ModelShape } from '../../signaling/protocol/settings.ts';
import { frozenTensors } from '../../worker/model/description.ts';
import type { ServedFile } from './range-server.ts';

/** Prime, so that no row of a matrix begins where another did. */
const TABLE_LENGTH = 65_537;

/**
 * A `model.safetensors` (F32, tensors sorted by name, with a head of a language model as roberta-base's has) whose bytes are made when they
 * are asked for: half a gigabyte takes no room. The values of a tensor are a run of one table of random numbers, LayerNorms' scales
 * around one.
 */
export function randomModelFile(shape: ModelShape): ServedFile {
  const c = shape.hiddenSize;
  const tensors = [
    ...frozenTensors(shape),
    { name: 'lm_head.bias', shape: [shape.vocabSize] },
    { name: 'lm_head.dense.weight', shape: [c, c] },
    { name: 'lm_head.layer_norm.weight', shape: [c] },
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  let end = 0;
  const entries = tensors.map(({ name, shape: dims }) => {
    const start = end;
    end += dims.reduce((a, b) => a * b, 4);
    return { name, dims, start, end };
  });
  const json = JSON.stringify(
    Object.fromEntries(
      entries.map(({ name, dims, start, end: to }) => [name, { dtype: 'F32', shape: dims, data_offsets: [start, to] }]),
    ),
  );
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const head = new Uint8Array(8 + text.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(text.length), true);
  head.set(text, 8);

  const words = new Uint32Array(4);
  const uniform = Float32Array.from({ length: TABLE_LENGTH }, (_, i) => {
    words.set([5, i, 6, 7]);
    pcg4d(words);
    return words[0]! / 2 ** 31 - 1;
  });
  // As wide as roberta-base's own, about: the sum over a row of products with a LayerNorm's output stays near one.
  const around = (mean: number, width: number) => new Uint8Array(uniform.map((x) => mean + width * x).buffer);
  const [matrix, vector, scale] = [around(0, 1.7 / Math.sqrt(c)), around(0, 0.1), around(1, 0.2)];
  const tableOf = ({ name, dims }: (typeof entries)[number]) =>
    dims.length === 2 ? matrix : /(LayerNorm|layer_norm)\.weight$/.test(name) ? scale : vector;

  return {
    size: head.length + end,
    etag: '"random"',
    bytes: (from, to) => {
      const out = new Uint8Array(to - from);
      if (from < head.length) out.set(head.subarray(from, to));
      for (const [index, entry] of entries.entries()) {
        const [first, last] = [Math.max(from, head.length + entry.start), Math.min(to, head.length + entry.end)];
        const table = tableOf(entry);
        for (let at = first; at < last; ) {
          const begin = (at - head.length - entry.start + 4 * 7919 * index) % table.length;
          const length = Math.min(last - at, table.length - begin);
          out.set(table.subarray(begin, begin + length), at - from);
          at += length;
        }
      }
      return out;
    },
  };
}

export const ROBERTA_BASE: ModelShape = {
  layers: 12,
  hiddenSize: 768,
  heads: 12,
  ffnSize: 3072,
  vocabSize: 50_265,
  maxPositions: 514,
  layerNormEps: 1e-5,
  padTokenId: 1,
};
