import { readFile } from 'node:fs/promises';
import { afterAll, expect, test } from 'vitest';
import { LORA_TARGETS } from '../../signaling/protocol/settings.ts';
import { openHttp } from '../../worker/files/open-file.ts';
import { Host } from '../../worker/host/host.ts';
import { ROBERTA_BASE, randomModelFile } from '../files/random-file.ts';
import { RangeServer, servedBytes } from '../files/range-server.ts';
import { MINI_REQUEST } from '../host/node-host.ts';

const server = await new RangeServer().start();
afterAll(() => server.stop());

test('adapters of roberta-large open up to what a message holds', async () => {
  const shape = { ...ROBERTA_BASE, layers: 24, hiddenSize: 1024, heads: 16, ffnSize: 4096, vocabSize: 8192 };
  const config = {
    num_hidden_layers: shape.layers,
    hidden_size: shape.hiddenSize,
    num_attention_heads: shape.heads,
    intermediate_size: shape.ffnSize,
    vocab_size: shape.vocabSize,
    layer_norm_eps: shape.layerNormEps,
    max_position_embeddings: shape.maxPositions,
  };
  const at = (name: string) => `/large/resolve/main/${name}`;
  server.files.set(at('config.json'), servedBytes(new TextEncoder().encode(JSON.stringify(config))));
  const tokenizer = new URL('../../models/roberta-mini/tokenizer.json', import.meta.url);
  server.files.set(at('tokenizer.json'), servedBytes(await readFile(tokenizer)));
  server.files.set(at('model.safetensors'), randomModelFile(shape));
  const open = (rank: number) =>
    new Host(openHttp).open({
      ...MINI_REQUEST,
      model: { kind: 'hub', id: 'large', endpoint: server.url, revision: 'main' },
      lora: { rank, alpha: 16, targets: [...LORA_TARGETS] },
    });
  await expect(open(256)).rejects.toThrow(/have 1\d{8} values; devices exchange at most 6\d{7}. Choose a lower rank/);
  const { parameterCount, shape: found } = await open(8);
  expect(found).toEqual(shape);
  // Rank times in and out of each matrix, over 24 layers; the head.
  expect(parameterCount).toBe(24 * 8 * (4 * 2048 + 2 * 5120) + 1024 * 1025 + 2 * 1025);
  // Of the weights, no more than their header was read.
  expect(server.served).toBeLessThan(12e6);
});
