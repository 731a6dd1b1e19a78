import { existsSync } from 'node:fs';
import { copyFile, mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawsFrom } from '../../../signaling/planner/algorithms/random.ts';
import { toHalf } from '../../../signaling/protocol/exchange/half.ts';
import { parseModelConfig } from '../../../worker/model/config.ts';
import { frozenTensors } from '../../../worker/model/description.ts';

/** The shapes of FacebookAI/roberta-base and roberta-large, as their config.json has them. */
export const SIZES = {
  base: { num_hidden_layers: 12, hidden_size: 768, num_attention_heads: 12, intermediate_size: 3072 },
  large: { num_hidden_layers: 24, hidden_size: 1024, num_attention_heads: 16, intermediate_size: 4096 },
} as const;

/** Values that are drawn; longer tensors have them over and over. */
const DRAWN = 2 ** 20;

/**
 * A folder with a model of that size and random weights in 16 bits: numbers of no meaning that are handled like any others. The tokenizer is
 * roberta-mini's, whose ids lie within any larger vocabulary.
 */
export async function randomModelFolder(size: keyof typeof SIZES, folder: string): Promise<string> {
  const path = join(folder, `random-${size}`);
  if (existsSync(join(path, 'model.safetensors'))) return path;
  await mkdir(path, { recursive: true });
  const config = {
    model_type: 'roberta',
    architectures: ['RobertaModel'],
    ...SIZES[size],
    vocab_size: 50265,
    max_position_embeddings: 514,
    type_vocab_size: 1,
    layer_norm_eps: 1e-5,
    pad_token_id: 1,
    bos_token_id: 0,
    eos_token_id: 2,
    hidden_act: 'gelu',
  };
  await writeFile(join(path, 'config.json'), JSON.stringify(config));
  const mini = (name: string): string =>
    fileURLToPath(new URL(`../../../models/roberta-mini/${name}`, import.meta.url));
  await copyFile(mini('tokenizer.json'), join(path, 'tokenizer.json'));
  const draws = drawsFrom(1);
  // Of the standard deviation with which transformers begins: sums of twelve uniform numbers are near enough to normal.
  const normal = (): number => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += draws.uniform();
    return 0.02 * sum;
  };
  const block = Buffer.from(toHalf(Float32Array.from({ length: DRAWN }, normal)).buffer);
  const ones = Buffer.from(toHalf(new Float32Array(8192).fill(1)).buffer);
  const zeros = Buffer.alloc(16_384);
  const header: Record<string, unknown> = {};
  const tensors = frozenTensors(parseModelConfig(config)).map(({ name, shape }) => {
    const bytes = 2 * shape.reduce((a, b) => a * b, 1);
    const source = /LayerNorm\.weight$/.test(name) ? ones : /bias$/.test(name) ? zeros : block;
    return { name, shape, bytes, source };
  });
  let at = 0;
  for (const { name, shape, bytes } of tensors) {
    header[name] = { dtype: 'F16', shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const text = JSON.stringify(header);
  const head = Buffer.from(text + ' '.repeat((8 - (text.length % 8)) % 8));
  const file = await open(join(path, 'model.safetensors.part'), 'w');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  await file.write(length);
  await file.write(head);
  for (const { bytes, source } of tensors)
    for (let left = bytes; left > 0; ) {
      const piece = source.subarray(0, Math.min(left, source.length));
      await file.write(piece);
      left -= piece.length;
    }
  await file.close();
  await rename(join(path, 'model.safetensors.part'), join(path, 'model.safetensors'));
  return path;
}
