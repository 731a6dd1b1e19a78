import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelShape } from '../../signaling/protocol/settings.ts';
import { type ByteSource, bytesSource, readAhead } from '../../worker/files/byte-source.ts';
import { httpSource } from '../../worker/files/http-source.ts';
import { maxTokens, parseModelConfig } from '../../worker/model/config.ts';
import { initialParameters } from '../../worker/model/initial-parameters.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { modelFileUrl } from '../../worker/model/model-files.ts';
import { encodeSafetensors } from '../../worker/model/safetensors.ts';
import { openWeights } from '../../worker/model/weights.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { readModelShape } from './read-model-shape.ts';

const root = pathToFileURL(`${process.cwd()}/`).href;
const mini = { kind: 'embedded', id: 'roberta-mini' } as const;
const BASE = {
  num_hidden_layers: 12,
  hidden_size: 768,
  num_attention_heads: 12,
  intermediate_size: 3072,
  vocab_size: 50265,
  max_position_embeddings: 514,
};

describe('config.json', () => {
  it('reads the embedded model', async () => {
    const shape = await readModelShape(openFileOrHttp, mini, root);
    expect(shape).toEqual({
      layers: 6,
      hiddenSize: 128,
      heads: 4,
      ffnSize: 512,
      vocabSize: 8192,
      maxPositions: 130,
      layerNormEps: 1e-5,
      padTokenId: 1,
    });
    expect(maxTokens(shape)).toBe(128);
  });

  it('fills in what is left out, as transformers does', () => {
    expect(parseModelConfig(BASE)).toMatchObject({ padTokenId: 1, layerNormEps: 1e-12, layers: 12 });
  });

  it.each([
    ['nothing', null, /a JSON object/],
    ['a list', [], /is a list/],
    ['a size that is no number', { ...BASE, hidden_size: '768' }, /hidden_size/],
    ['another architecture', { ...BASE, model_type: 'bert' }, /model_type is "bert"/],
    ['another activation', { ...BASE, hidden_act: 'gelu_new' }, /hidden_act/],
    ['relative positions', { ...BASE, position_embedding_type: 'relative_key' }, /position_embedding_type/],
    ['a decoder', { ...BASE, is_decoder: true }, /is_decoder/],
    ['heads that do not divide the width', { ...BASE, num_attention_heads: 7 }, /not a multiple/],
    ['too many layers', { ...BASE, num_hidden_layers: 1e6 }, /num_hidden_layers is out of range/],
    ['no width', { ...BASE, hidden_size: 0 }, /hidden_size is out of range/],
    ['an epsilon of nothing', { ...BASE, layer_norm_eps: 0 }, /layer_norm_eps is out of range/],
    ['half a layer', { ...BASE, num_hidden_layers: 1.5 }, /layers is out of range/],
    ['a pad id outside the vocabulary', { ...BASE, pad_token_id: 50265 }, /pad_token_id/],
  ])('refuses %s', (_, config, why) => {
    expect(() => parseModelConfig(config)).toThrow(why);
  });
});

describe('model file addresses', () => {
  it('follows the hub and the embedded folder, with and without a final slash', () => {
    const hub = {
      kind: 'hub',
      id: 'FacebookAI/roberta-base',
      endpoint: 'https://hub.example',
      revision: 'main',
    } as const;
    expect(modelFileUrl(hub, 'http://page/', 'config.json')).toBe(
      'https://hub.example/FacebookAI/roberta-base/resolve/main/config.json',
    );
    expect(modelFileUrl(mini, 'http://page', 'tokenizer.json')).toBe('http://page/models/roberta-mini/tokenizer.json');
  });
});

describe('weights', () => {
  const file = encodeSafetensors([
    { name: 'roberta.embeddings.LayerNorm.weight', shape: [3], values: Float32Array.of(1, 2, 3) },
    { name: 'encoder.layer.0.output.dense.bias', shape: [2], values: Float32Array.of(4, 5) },
    { name: 'labels', shape: [1], values: Int32Array.of(9) },
  ]);

  it('finds tensors with and without the encoder prefix', async () => {
    const weights = await openWeights(bytesSource(file));
    expect([...(await weights.read('roberta.embeddings.LayerNorm.weight', [3]))]).toEqual([1, 2, 3]);
    expect([...(await weights.read('roberta.encoder.layer.0.output.dense.bias', [2]))]).toEqual([4, 5]);
    expect(weights.has('roberta.encoder.layer.0.output.dense.bias', [2])).toBe(true);
    expect(weights.has('roberta.encoder.layer.0.output.dense.bias', [3])).toBe(false);
    expect(weights.has('classifier.dense.bias', [3])).toBe(false);
  });

  it('refuses a missing tensor, another shape and another dtype by name', async () => {
    const weights = await openWeights(bytesSource(file));
    await expect(weights.read('roberta.pooler', [1])).rejects.toThrow(/no tensor "roberta.pooler"/);
    await expect(weights.read('roberta.embeddings.LayerNorm.weight', [1, 3])).rejects.toThrow(/implies \[1, 3\]/);
    await expect(weights.read('labels', [1])).rejects.toThrow(/stored as I32/);
  });

  it('reads the embedded F16 model in few reads of the file', async () => {
    const onDisk = await openFileOrHttp(modelFileUrl(mini, root, 'model.safetensors'));
    let reads = 0;
    const counted: ByteSource = {
      size: onDisk.size,
      read: (start, end) => {
        reads++;
        return onDisk.read(start, end);
      },
    };
    const weights = await openWeights(counted);
    const norm = await weights.read('roberta.encoder.layer.5.output.LayerNorm.weight', [128]);
    await weights.read('roberta.embeddings.word_embeddings.weight', [8192, 128]);
    expect(reads).toBeLessThanOrEqual(3);
    // A trained LayerNorm's scales stay near one; misread halves would not.
    expect(norm.every((value) => value > 0.1 && value < 3)).toBe(true);
  });
});

describe('a file in another order than the model', () => {
  // As hubs store them: sorted by name, so that a layer's query comes after its key and layer 10 before layer 2.
  const names = Array.from({ length: 40 }, (_, i) => `t${i}`).sort();
  const file = encodeSafetensors(
    names.map((name) => ({ name, shape: [64, 256], values: new Float32Array(64 * 256).fill(Number(name.slice(1))) })),
  );

  it('is read once, from front to back', async () => {
    const ranges: [number, number][] = [];
    const counted: ByteSource = {
      size: file.length,
      read: async (start, end) => {
        ranges.push([start, end]);
        return file.subarray(start, end);
      },
    };
    const weights = await openWeights(counted);
    ranges.length = 0;
    const values: number[] = [];
    await weights.stream(
      Array.from({ length: 40 }, (_, i) => ({
        name: `t${i}`,
        shape: [64, 256],
        take: (piece: Float32Array) => {
          values[i] = piece[7]!;
        },
      })),
    );
    expect(values).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(ranges.every(([start], i) => i === 0 || start > ranges[i - 1]![0])).toBe(true);
    const read = ranges.reduce((sum, [start, end]) => sum + end - start, 0);
    expect(read).toBeLessThan(1.1 * file.length);
    expect(ranges.length).toBeLessThanOrEqual(2);
  });
});

describe('reading ahead', () => {
  it('gives the same bytes as the source, for any order of reads', async () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);
    const source = readAhead(bytesSource(bytes), 64);
    const ranges = [
      [0, 8],
      [8, 60],
      [50, 70],
      [0, 3],
      [900, 1000],
      [100, 600],
      [999, 1000],
      [5, 5],
    ] as const;
    for (const [start, end] of ranges) expect(await source.read(start, end)).toEqual(bytes.subarray(start, end));
    const together = await Promise.all(ranges.map(([start, end]) => source.read(start, end)));
    expect(together).toEqual(ranges.map(([start, end]) => bytes.subarray(start, end)));
  });
});

describe('HTTP', () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 256);
  const server = createServer((request, response) => {
    const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
    if (request.url === '/missing') response.writeHead(404).end();
    else if (request.url === '/ranges' && range !== null) {
      const [start, end] = [Number(range[1]), Number(range[2]) + 1];
      response.writeHead(206, { 'Content-Range': `bytes ${start}-${end - 1}/${bytes.length}` });
      response.end(bytes.subarray(start, end));
    } else response.writeHead(200).end(bytes);
  });
  let base = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address !== null && typeof address !== 'string') base = `http://127.0.0.1:${address.port}`;
  });
  afterAll(() => server.close());

  it.each(['/ranges', '/whole'])('reads ranges from %s, whether the server knows them or not', async (path) => {
    const source = await httpSource(base + path);
    expect(source.size).toBe(5000);
    expect(await source.read(10, 20)).toEqual(bytes.subarray(10, 20));
    expect(await source.read(4990, 5000)).toEqual(bytes.subarray(4990));
    expect(await source.read(7, 7)).toHaveLength(0);
  });

  it('says which address is missing or cannot be reached', async () => {
    await expect(httpSource(`${base}/missing`)).rejects.toThrow(/missing answers 404/);
    await expect(httpSource('http://127.0.0.1:1/x')).rejects.toThrow(/cannot be reached/);
  });
});

describe('initial parameters', () => {
  const shape: ModelShape = {
    layers: 2,
    hiddenSize: 64,
    heads: 4,
    ffnSize: 96,
    vocabSize: 10,
    maxPositions: 12,
    layerNormEps: 1e-5,
    padTokenId: 1,
  };
  const layout = parameterLayout(shape, { rank: 4, alpha: 8, targets: ['query', 'output.dense'] }, 3);
  const empty = () => openWeights(bytesSource(encodeSafetensors([])));
  const slice = (values: Float32Array, name: string) => {
    const slot = [...layout.layers, layout.head].flatMap((block) => block.slots).find((s) => s.name === name)!;
    return values.subarray(slot.offset, slot.offset + slot.length);
  };

  it('draws A within 1/sqrt(in), B and biases zero, the head with deviation 0.02', async () => {
    const values = await initialParameters(layout, await empty(), 7);
    const a = slice(values, 'lora.layer.1.output.dense.A');
    const bound = 1 / Math.sqrt(96);
    expect(Math.max(...a)).toBeGreaterThan(0.9 * bound);
    expect(Math.max(...a.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(slice(values, 'lora.layer.1.output.dense.B').every((value) => value === 0)).toBe(true);
    expect(slice(values, 'classifier.dense.bias').every((value) => value === 0)).toBe(true);
    const head = slice(values, 'classifier.dense.weight');
    const mean = head.reduce((sum, value) => sum + value, 0) / head.length;
    const deviation = Math.sqrt(head.reduce((sum, value) => sum + (value - mean) ** 2, 0) / head.length);
    // 4096 draws: the mean is within 5 standard errors, the deviation within 5 %.
    expect(Math.abs(mean)).toBeLessThan((5 * 0.02) / 64);
    expect(deviation / 0.02).toBeGreaterThan(0.95);
    expect(deviation / 0.02).toBeLessThan(1.05);
  });

  it('depends on the seed alone, and layers differ', async () => {
    const values = await initialParameters(layout, await empty(), 7);
    expect(await initialParameters(layout, await empty(), 7)).toEqual(values);
    expect(await initialParameters(layout, await empty(), 8)).not.toEqual(values);
    expect(slice(values, 'lora.layer.0.query.A')).not.toEqual(slice(values, 'lora.layer.1.query.A'));
    // Fixed for good: a session resumed elsewhere starts from the same numbers.
    expect([...slice(values, 'lora.layer.0.query.A').subarray(0, 3)]).toMatchInlineSnapshot(`
      [
        -0.05807562917470932,
        -0.11140385270118713,
        0.03370451554656029,
      ]
    `);
    expect([...slice(values, 'classifier.dense.weight').subarray(0, 3)]).toMatchInlineSnapshot(`
      [
        -0.009864294901490211,
        -0.044399797916412354,
        -0.026408428326249123,
      ]
    `);
  });

  it('takes the head of a file that has one of the right shape, and no other', async () => {
    const head = (labels: number) =>
      encodeSafetensors([
        { name: 'classifier.dense.weight', shape: [64, 64], values: new Float32Array(4096).fill(0.5) },
        { name: 'classifier.dense.bias', shape: [64], values: new Float32Array(64).fill(0.25) },
        { name: 'classifier.out_proj.weight', shape: [labels, 64], values: new Float32Array(64 * labels).fill(2) },
        { name: 'classifier.out_proj.bias', shape: [labels], values: new Float32Array(labels).fill(3) },
      ]);
    const kept = await initialParameters(layout, await openWeights(bytesSource(head(3))), 7);
    expect(slice(kept, 'classifier.out_proj.bias')).toEqual(Float32Array.of(3, 3, 3));
    expect(slice(kept, 'classifier.dense.weight')[0]).toBe(0.5);
    const drawn = await initialParameters(layout, await openWeights(bytesSource(head(2))), 7);
    expect(slice(drawn, 'classifier.out_proj.bias')).toEqual(Float32Array.of(0, 0, 0));
    expect(Math.abs(slice(drawn, 'classifier.dense.weight')[0]!)).toBeLessThan(0.13);
  });
});
