import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readAdapter } from '../../worker/adapter/import-adapter.ts';
import { bytesSource } from '../../worker/files/byte-source.ts';
import type { OpenFile } from '../../worker/files/open-file.ts';
import { Host } from '../../worker/host/host.ts';
import { parseModelConfig } from '../../worker/model/config.ts';
import { frozenTensors, loadFrozen } from '../../worker/model/description.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { modelFiles } from '../../worker/model/open-model.ts';
import { parseHeader } from '../../worker/model/safetensors.ts';
import { matrixValues } from '../../worker/model/stored-matrix.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { MINI_REQUEST } from '../host/node-host.ts';

/** The folder that holds `models/`, so that a case can be opened as the embedded model of its name. */
const origin = (open: OpenFile) => ({ open, at: new URL('../fixtures/cases/', import.meta.url).href });
const files = (id: string, open: OpenFile = openFileOrHttp) => {
  const { at } = origin(open);
  return modelFiles((url) => open(url.replace('/cases/models/', '/cases/model/')), null, { kind: 'embedded', id }, at);
};
const load = async (id: string, open?: OpenFile) => {
  const model = files(id, open);
  return loadFrozen(await model.weights(), await model.shape(), 'f32');
};

describe('a header of any length', () => {
  test('one of 4156 bytes, whose first byte is that of "<": the same model as with another length', async () => {
    const [odd, plain] = [await load('header-of-4156-bytes'), await load('tiny')];
    expect(matrixValues(odd.embeddings!.word)).toEqual(matrixValues(plain.embeddings!.word));
    expect(odd.layers.get(1)!.vectors).toEqual(plain.layers.get(1)!.vectors);
  });

  // Little-endian beginnings that look like something else.
  test.each([
    ['a pickle', 0x2_80],
    ['a pickle of protocol 5', 0x5_80],
    ['a zip', 0x4b_50],
    ['JSON', 0x7b],
    ['JSON and a quote', 0x22_7b],
    ['a gzip', 0x08_8b_1f],
    ['a byte-order mark', 0xbf_bb_ef],
    ['an array', 0x5b],
  ])('padded until it looks like %s', async (_, wanted) => {
    const bytes = new Uint8Array(
      readFileSync(fileURLToPath(new URL('../fixtures/cases/model/tiny/model.safetensors', import.meta.url))),
    );
    const json = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const step = 2 ** Math.ceil(Math.log2(wanted + 1));
    let length = wanted;
    while (length < json) length += Math.max(256, step);
    const padded = new Uint8Array(bytes.length + length - json).fill(0x20);
    padded.set(bytes.subarray(0, 8 + json));
    new DataView(padded.buffer).setBigUint64(0, BigInt(length), true);
    padded.set(bytes.subarray(8 + json), 8 + length);
    const open: OpenFile = async (url) =>
      url.endsWith('/model.safetensors') ? bytesSource(padded) : openFileOrHttp(url);
    const [odd, plain] = [await load('tiny', open), await load('tiny')];
    expect(matrixValues(odd.embeddings!.word)).toEqual(matrixValues(plain.embeddings!.word));
    expect((await files('tiny', open).weights()).fileBytes(frozenTensors(await files('tiny').shape())).total).toBe(
      (await files('tiny').weights()).fileBytes(frozenTensors(await files('tiny').shape())).total,
    );
  });
});

test('an adapter on layer 1 of two: trained on', async () => {
  const folder = new URL('../fixtures/cases/adapter/layers-to-transform/', import.meta.url);
  const given = ['adapter_config.json', 'adapter_model.safetensors'].map((name) => ({
    name,
    bytes: new Uint8Array(readFileSync(new URL(name, folder))),
  }));
  const shape = await files('tiny').shape();
  const { lora, values } = await readAdapter(given, shape, { alpha: 8, model: null, dropout: null });
  expect(lora).toMatchObject({ layers: [1] });
  expect(parameterLayout(shape, lora, 2).layers.map(({ length }) => length > 0)).toEqual([false, true]);
  expect(values).toHaveLength(parameterLayout(shape, lora, 2).length);
});

test('a configuration without type_vocab_size: the file’s one token type is loaded and exported', async () => {
  const { open, at } = origin(openFileOrHttp);
  const host = new Host((url) => open(url.replace('/cases/models/', '/cases/model/')));
  await host.open({
    ...MINI_REQUEST,
    model: { kind: 'embedded', id: 'one-token-type' },
    training: { ...MINI_REQUEST.training, maxTokens: 32 },
    origin: at,
  });
  const exported = await host.exportMerged();
  const file = (name: string) => exported.find((found) => found.name === name)!.bytes;
  expect(JSON.parse(new TextDecoder().decode(file('config.json'))).type_vocab_size).toBe(1);
  const header = parseHeader(file('model.safetensors'), file('model.safetensors').length);
  expect(header.tensors.get('roberta.embeddings.token_type_embeddings.weight')?.shape).toEqual([1, 16]);
});

test('what a configuration leaves out has transformers’ defaults', () => {
  expect(parseModelConfig({})).toEqual({
    layers: 12,
    hiddenSize: 768,
    heads: 12,
    ffnSize: 3072,
    vocabSize: 50_265,
    maxPositions: 512,
    layerNormEps: 1e-12,
    padTokenId: 1,
  });
  expect(parseModelConfig({ model_type: 'xlm-roberta' }).vocabSize).toBe(30_522);
});
