import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { halfBits } from '../../signaling/protocol/exchange/half.ts';
import type { ModelShape, ModelSource } from '../../signaling/protocol/settings.ts';
import { randomValues } from '../../worker/check/random-model.ts';
import { openHttp } from '../../worker/files/open-file.ts';
import { frozenBytes, frozenTensors, loadFrozen } from '../../worker/model/description.ts';
import { preflight } from '../../worker/model/model-preflight.ts';
import { modelFiles, parseIndex } from '../../worker/model/open-model.ts';
import { matrixValues } from '../../worker/model/stored-matrix.ts';
import { RangeServer, servedBytes } from '../files/range-server.ts';

const server = await new RangeServer().start();
afterAll(() => server.stop());
const source: ModelSource = { kind: 'hub', id: 'some/model', endpoint: server.url, revision: 'main' };
const at = (name: string) => `/some/model/resolve/main/${name}`;
const put = (name: string, bytes: Uint8Array) => server.files.set(at(name), servedBytes(bytes));
const json = (name: string, value: unknown) => put(name, new TextEncoder().encode(JSON.stringify(value)));

const shape: ModelShape = {
  layers: 2,
  hiddenSize: 8,
  heads: 2,
  ffnSize: 16,
  vocabSize: 20,
  maxPositions: 12,
  layerNormEps: 1e-5,
  padTokenId: 1,
};
const CONFIG = {
  model_type: 'roberta',
  num_hidden_layers: 2,
  hidden_size: 8,
  num_attention_heads: 2,
  intermediate_size: 16,
  vocab_size: 20,
  max_position_embeddings: 12,
  layer_norm_eps: 1e-5,
};

interface FileTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The encoder's tensors and a head, as hubs have them: sorted by name. */
const TENSORS: readonly FileTensor[] = [
  ...frozenTensors(shape).map(({ name, shape: dims }) => ({ name, shape: dims })),
  { name: 'classifier.dense.weight', shape: [8, 8] },
  { name: 'lm_head.bias', shape: [20] },
]
  .sort((a, b) => (a.name < b.name ? -1 : 1))
  .map((tensor, i) => ({
    ...tensor,
    values: randomValues(
      tensor.shape.reduce((a, b) => a * b, 1),
      i + 1,
      0.5,
    ),
  }));

/** A safetensors file, its values in whichever float type. */
function file(tensors: readonly FileTensor[], dtype: 'F32' | 'F16' | 'BF16' = 'F32'): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, shape: dims, values }) => {
    const start = end;
    end += values.length * (dtype === 'F32' ? 4 : 2);
    return [name, { dtype, shape: dims, data_offsets: [start, end] }] as const;
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const out = new Uint8Array(8 + header.length + end);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(header.length), true);
  out.set(header, 8);
  let byte = 8 + header.length;
  for (const value of tensors.flatMap(({ values }) => [...values])) {
    const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
    if (dtype === 'F32') view.setUint32(byte, bits, true);
    else view.setUint16(byte, dtype === 'F16' ? halfBits(bits) : bits >>> 16, true);
    byte += dtype === 'F32' ? 4 : 2;
  }
  return out;
}

const renamed = (rename: (name: string) => string) => TENSORS.map((t) => ({ ...t, name: rename(t.name) }));
const load = async (onRead?: (bytes: number) => void) => {
  const weights = await modelFiles(openHttp, null, source, '').weights(onRead);
  return { weights, model: await loadFrozen(weights, shape, 'f32') };
};

beforeEach(() => {
  server.files.clear();
  server.served = 0;
  json('config.json', CONFIG);
  json('tokenizer.json', { anything: true });
});

/** The loaded model's values next to those of the file, within what its float type can say. */
async function expectLoads(precision = 0): Promise<void> {
  const { model } = await load();
  const wanted = (name: string) => TENSORS.find((tensor) => tensor.name === name)!.values;
  const pairs: [Float32Array, Float32Array][] = [
    [matrixValues(model.embeddings!.word), wanted('roberta.embeddings.word_embeddings.weight')],
    [model.embeddings!.normBias, wanted('roberta.embeddings.LayerNorm.bias')],
    [
      matrixValues(model.layers.get(1)!.matrices['key.weight']),
      wanted('roberta.encoder.layer.1.attention.self.key.weight'),
    ],
    [
      model.layers.get(0)!.vectors['output.LayerNorm.weight'],
      wanted('roberta.encoder.layer.0.output.LayerNorm.weight'),
    ],
    [
      model.layers.get(1)!.vectors['intermediate.dense.bias'],
      wanted('roberta.encoder.layer.1.intermediate.dense.bias'),
    ],
  ];
  for (const [got, want] of pairs) {
    expect(got).toHaveLength(want.length);
    for (const [i, value] of got.entries()) expect(Math.abs(value - want[i]!)).toBeLessThanOrEqual(precision);
  }
}

describe('a checkpoint', () => {
  it.each([
    ['as roberta-base has it', file(TENSORS), 0],
    ['in F16', file(TENSORS, 'F16'), 2 ** -12],
    ['in BF16', file(TENSORS, 'BF16'), 2 ** -8],
    [
      'without the prefix and without a head',
      file(renamed((n) => n.replace(/^roberta\./, '')).filter((t) => !t.name.startsWith('classifier'))),
      0,
    ],
    [
      'with LayerNorms named as in TensorFlow',
      file(
        renamed((n) => n.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta')),
      ),
      0,
    ],
  ])('loads %s', async (_, bytes, precision) => {
    put('model.safetensors', bytes);
    await expectLoads(precision);
  });

  it('loads with two token types, of which the first is used', async () => {
    const two = TENSORS.map((t) =>
      t.name.includes('token_type')
        ? { ...t, shape: [2, 8], values: Float32Array.of(...t.values, ...t.values.map((x) => -x)) }
        : t,
    );
    put('model.safetensors', file(two));
    const { model } = await load();
    expect(matrixValues(model.embeddings!.tokenType)).toEqual(
      TENSORS.find((t) => t.name.includes('token_type'))!.values,
    );
  });

  it('loads from shards, each tensor from where the index says', async () => {
    const [first, second] = [TENSORS.slice(0, 15), TENSORS.slice(15)];
    put('model-00001-of-00002.safetensors', file(first));
    // A leftover of the same name must not win.
    put('model-00002-of-00002.safetensors', file([{ ...first[0]!, values: first[0]!.values.map(() => 9) }, ...second]));
    const map = (tensors: readonly FileTensor[], name: string) => tensors.map((t) => [t.name, name] as const);
    json('model.safetensors.index.json', {
      metadata: { total_size: 1 },
      weight_map: Object.fromEntries([
        ...map(first, 'model-00001-of-00002.safetensors'),
        ...map(second, 'model-00002-of-00002.safetensors'),
      ]),
    });
    await expectLoads();
  });
});

describe('wrong and hostile files are refused in a sentence:', () => {
  const index = (weight_map: unknown) => json('model.safetensors.index.json', { weight_map });
  const valid = (tensors = TENSORS) => put('model.safetensors', file(tensors));
  it.each<[string, () => void, RegExp]>([
    ['no model at all', () => undefined, /some\/model has no model\.safetensors/],
    [
      'a pickle alone',
      () => put('pytorch_model.bin', Uint8Array.of(0x80, 2, 1, 2, 3)),
      /pytorch_model\.bin alone, a pickle/,
    ],
    [
      'a pickle under another name',
      () =>
        put(
          'model.safetensors',
          new TextEncoder().encode(`${'PK\x03\x04'.padEnd(26, '\0')}\x10\0\0\0archive/data.pkl`),
        ),
      /pickle/,
    ],
    ['a truncated header', () => put('model.safetensors', file(TENSORS).subarray(0, 300)), /truncated/],
    [
      'a header of gigabytes',
      () => put('model.safetensors', Uint8Array.of(0, 0, 0, 0x80, 1, 0, 0, 0, 123)),
      /no safetensors file/,
    ],
    ['data that was cut off', () => put('model.safetensors', file(TENSORS).subarray(0, -4)), /truncated or damaged/],
    [
      'a missing tensor',
      () => valid(TENSORS.filter((t) => !t.name.endsWith('layer.1.output.dense.bias'))),
      /no tensor "roberta\.encoder\.layer\.1\.output\.dense\.bias"/,
    ],
    [
      'a wrong shape',
      () =>
        valid(
          TENSORS.map((t) => (t.name.endsWith('layer.0.attention.self.query.weight') ? { ...t, shape: [4, 16] } : t)),
        ),
      /query\.weight" has shape \[4, 16\].*implies \[8, 8\]/,
    ],
    [
      'a value that is no number',
      () => valid(TENSORS.map((t, i) => (i === 6 ? { ...t, values: t.values.map(() => Number.NaN) } : t))),
      /not finite/,
    ],
    [
      'an infinite value in F16',
      () =>
        put(
          'model.safetensors',
          file(
            TENSORS.map((t, i) => (i === 6 ? { ...t, values: t.values.map(() => 1e30) } : t)),
            'F16',
          ),
        ),
      /not finite/,
    ],
    [
      'an index that is no JSON',
      () => put('model.safetensors.index.json', new TextEncoder().encode('{')),
      /is not JSON/,
    ],
    ['an index without a map', () => json('model.safetensors.index.json', { metadata: {} }), /no "weight_map"/],
    ['an index of nothing', () => index({}), /names 0 files/],
    [
      'an index of a missing shard',
      () => index({ a: 'model-00001-of-00001.safetensors' }),
      /names model-00001-of-00001\.safetensors, which is not beside it/,
    ],
    [
      'an index that climbs out of the folder',
      () => index({ a: '../../../secret.safetensors' }),
      /"\.\.\/\.\.\/\.\.\/secret\.safetensors", which is not a safetensors file beside it/,
    ],
    [
      'an index of another server',
      () => index({ a: 'https://example.org/x.safetensors' }),
      /not a safetensors file beside it/,
    ],
    [
      'an index of a pickle',
      () => index({ a: 'pytorch_model-00001-of-00002.bin' }),
      /not a safetensors file beside it/,
    ],
    [
      'an index of a tensor that its shard lacks',
      () => {
        put('a.safetensors', file(TENSORS.slice(0, 1)));
        index({ [TENSORS[0]!.name]: 'a.safetensors', other: 'a.safetensors' });
      },
      /tensor "other" is in a\.safetensors; that file lacks it/,
    ],
  ])('%s', async (_, prepare, why) => {
    prepare();
    await expect(load()).rejects.toThrow(why);
  });

  it('an index of more files than any model has', () => {
    const weight_map = Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`t${i}`, `s${i}.safetensors`]));
    expect(() => parseIndex(new TextEncoder().encode(JSON.stringify({ weight_map })))).toThrow('names 201 files');
  });
});

describe('what is told before a download', () => {
  it('counts the bytes that an engine reads, and fetches a few thousand', async () => {
    const big = { ...shape, vocabSize: 30_000 };
    json('config.json', { ...CONFIG, vocab_size: 30_000 });
    const tensors = TENSORS.map((t) =>
      t.name.includes('word_embeddings') ? { ...t, shape: [30_000, 8], values: new Float32Array(240_000) } : t,
    );
    put('model.safetensors', file(tensors));
    const found = await preflight(openHttp, null, source, '', 1e9);
    expect(server.served).toBeLessThan(100_000);
    const small = server.files.get(at('config.json'))!.size + server.files.get(at('tokenizer.json'))!.size;
    const encoder = frozenTensors(big).reduce((sum, t) => sum + 4 * t.shape.reduce((a, b) => a * b, 1), 0);
    expect(found).toMatchObject({
      name: 'some/model',
      shape: big,
      totalBytes: small + encoder,
      cachedBytes: 0,
      downloadBytes: small + encoder,
      fits: 'f32',
    });
    // And loading reads exactly those bytes of the weights.
    let read = 0;
    const weights = await modelFiles(openHttp, null, source, '').weights((bytes) => {
      read += bytes;
    });
    await loadFrozen(weights, big, 'int8');
    expect(read).toBe(encoder);
  });

  it('says which storage fits, from the most exact on', async () => {
    put('model.safetensors', file(TENSORS));
    const { memoryBytes } = await preflight(openHttp, null, source, '', 1e9);
    expect(memoryBytes.f32 - memoryBytes.f16).toBeGreaterThan(0.4 * frozenBytes(shape, 'f32'));
    const at = (limit: number) => preflight(openHttp, null, source, '', limit);
    expect(await at(memoryBytes.f32)).toMatchObject({
      fits: 'f32',
      sentence: expect.stringMatching(/can hold some\/model with 32-bit weights/),
    });
    expect(await at(memoryBytes.f32 - 1)).toMatchObject({
      fits: 'f16',
      sentence: expect.stringMatching(/16-bit weights.*32-bit ones would take/),
    });
    expect(await at(memoryBytes.f16 - 1)).toMatchObject({ fits: 'int8' });
    expect(await at(memoryBytes.int8 - 1)).toMatchObject({
      fits: null,
      sentence: expect.stringMatching(/cannot hold/),
    });
  });
});
