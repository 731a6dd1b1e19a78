import * as ort from 'onnxruntime-web/wasm';
import { expect, test } from 'vitest';
import { planOnnx } from '../../worker/adapter/export-onnx.ts';
import type { TrainedAdapter } from '../../worker/adapter/trained-adapter.ts';
import type { TokenBatch } from '../../worker/api/batch.ts';
import type { KnownRequest } from '../../worker/api/host-api.ts';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { bytesSource } from '../../worker/files/byte-source.ts';
import type { OpenFile } from '../../worker/files/open-file.ts';
import { Host } from '../../worker/host/host.ts';
import { evaluateBatch } from '../../worker/learn/trainer.ts';
import { initialParameters } from '../../worker/model/initial-parameters.ts';
import { type ParameterLayout, parameterLayout } from '../../worker/model/layout.ts';
import { openWeights, type Weights } from '../../worker/model/weights.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { MINI_REQUEST } from '../host/node-host.ts';
import { readModelShape } from '../model/read-model-shape.ts';

/** Every kind of matrix adapted, by adapters that are not small. */
const REQUEST: KnownRequest = {
  ...MINI_REQUEST,
  lora: {
    rank: 4,
    alpha: 8,
    targets: ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense'],
  },
};

/** Two layers have adapters, of two ranks and alphas. */
const SOME_LAYERS: KnownRequest = {
  ...REQUEST,
  lora: { ...REQUEST.lora, layers: [1, 4], rankPattern: { 4: 2 }, alphaPattern: { 1: 20 }, rslora: true },
};

async function logits(
  request: KnownRequest,
  shape: Awaited<ReturnType<typeof readModelShape>>,
  weights: Weights,
  values: Float32Array,
  batch: TokenBatch,
  labelCount = 2,
): Promise<Float32Array> {
  const engine = await createOnnxEngine(
    { shape, lora: request.lora, labelCount, weights, weightStorage: 'f32', withDropout: false },
    'wasm',
  );
  await engine.setParameters(values);
  const result = await evaluateBatch(engine, batch, batch.lengths.length, async () => {});
  await engine.dispose();
  return result;
}

/** Three optimiser steps with made-up gradients, so that no adapter is nothing. */
async function moveParameters(host: Host, layout: ParameterLayout): Promise<void> {
  const parts = [
    ...layout.layers.map((block, layer) => ({ id: layer, block })).filter(({ block }) => block.length > 0),
    { id: 'head' as const, block: layout.head },
  ];
  for (const round of [1, 2, 3]) {
    await host.step({
      round,
      samples: 1,
      lossSum: 1,
      parts: parts.map(({ id, block }) => ({
        block: id,
        samples: { start: 0, count: 1 },
        gradient: Float32Array.from({ length: block.length }, (_, i) => Math.sin(i + round)),
      })),
    });
  }
}

test.each([
  ['all layers alike', REQUEST],
  ['layers that differ', SOME_LAYERS],
])('the merged model answers as base and adapter do, and opens like any model of a hub: %s', async (_, request) => {
  const host = new Host(openFileOrHttp);
  const { shape, lora } = await host.open(request);
  const layout = parameterLayout(shape, lora, 2);
  await moveParameters(host, layout);
  const { values } = await host.parameters();
  const batch = await host.devBatch(0, 6);
  const baseUrl = new URL('models/roberta-mini/model.safetensors', request.origin).href;
  const expected = await logits(request, shape, await openWeights(await openFileOrHttp(baseUrl)), values, batch);
  // The steps have moved the answers: without that the test would prove nothing.
  expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.05);

  const files = await host.exportMerged();
  expect(files.map(({ name }) => name)).toEqual([
    'config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
    'README.md',
  ]);
  const open: OpenFile = async (url) => bytesSource(files.find(({ name }) => url.endsWith(`/${name}`))!.bytes);
  const source = { kind: 'hub', id: 'me/merged', endpoint: 'http://127.0.0.1:9', revision: 'main' } as const;
  expect(await readModelShape(open, source, '')).toEqual(shape);
  const weights = await openWeights(await open('/model.safetensors'));
  // The file's head is taken; fresh adapters change nothing.
  const fresh = await initialParameters(layout, weights, 1);
  const merged = await logits(request, shape, weights, fresh, batch);
  const largest = Math.max(...expected.map(Math.abs));
  for (const [i, value] of merged.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5 * largest);

  const config = JSON.parse(new TextDecoder().decode(files[0]!.bytes));
  expect(config).toMatchObject({
    architectures: ['RobertaForSequenceClassification'],
    model_type: 'roberta',
    vocab_size: 8192,
    dtype: 'float32',
    id2label: { 0: 'negative', 1: 'positive' },
    label2id: { negative: 0, positive: 1 },
    problem_type: 'single_label_classification',
  });
  expect(config).not.toHaveProperty('torch_dtype');
});

test.each([
  {
    id: 'grammar',
    lora: SOME_LAYERS.lora,
    labelCount: 2,
    classNames: ['negative', 'positive'],
    problem: 'single_label_classification',
  },
  // Pairs, and a number for an answer.
  { id: 'stsb', lora: REQUEST.lora, labelCount: 1, classNames: ['score'], problem: 'regression' },
])(
  'as ONNX, the merged model of $id answers as base and adapter do',
  async ({ id, lora: adapters, labelCount, classNames, problem }) => {
    const hub = new URL('../fixtures/hub', import.meta.url).href;
    const request = {
      ...REQUEST,
      lora: adapters,
      task: { id, endpoint: hub },
      training: { ...REQUEST.training, maxTokens: 48 },
    };
    const host = new Host(openFileOrHttp);
    const { shape, lora } = await host.open(request);
    await moveParameters(host, parameterLayout(shape, lora, labelCount));
    const { values } = await host.parameters();
    const batch = await host.devBatch(0, 7);
    // Padding is part of what is compared.
    expect(Math.min(...batch.lengths)).toBeLessThan(batch.tokens);
    const baseUrl = new URL('models/roberta-mini/model.safetensors', request.origin).href;
    const weights = await openWeights(await openFileOrHttp(baseUrl));
    const expected = await logits(request, shape, weights, values, batch, labelCount);
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.02);

    const files = await host.exportOnnx();
    const names = ['config.json', 'onnx/model.onnx', 'tokenizer.json', 'tokenizer_config.json', 'README.md'];
    expect(files.map(({ name }) => name)).toEqual(names);
    const config = JSON.parse(new TextDecoder().decode(files[0]!.bytes));
    expect(Object.values(config.id2label)).toEqual(classNames);
    expect(config.problem_type).toBe(problem);

    const session = await ort.InferenceSession.create(files[1]!.bytes, { executionProviders: ['wasm'] });
    expect(session.inputNames).toEqual(['input_ids', 'attention_mask']);
    const sizes = [batch.lengths.length, batch.tokens];
    const int64 = (from: (i: number) => number) =>
      new ort.Tensor(
        'int64',
        BigInt64Array.from(batch.ids, (_, i) => BigInt(from(i))),
        sizes,
      );
    const { logits: answer } = await session.run({
      input_ids: int64((i) => batch.ids[i]!),
      attention_mask: int64((i) => (i % batch.tokens < batch.lengths[Math.floor(i / batch.tokens)]! ? 1 : 0)),
    });
    expect(answer!.dims).toEqual([batch.lengths.length, labelCount]);
    const differences = Array.from(answer!.data as Float32Array, (value, i) => Math.abs(value - expected[i]!));
    expect(Math.max(...differences)).toBeLessThan(1e-5 * Math.max(1, ...expected.map(Math.abs)));
    await session.release();
  },
);

test('a configuration like roberta-base’s, without a type and with a count of labels, becomes one that opens', async () => {
  const open: OpenFile = async (url) => {
    const file = await openFileOrHttp(url);
    if (!url.endsWith('/config.json')) return file;
    const { model_type: _, ...config } = JSON.parse(new TextDecoder().decode(await file.read(0, file.size)));
    return bytesSource(new TextEncoder().encode(JSON.stringify({ ...config, num_labels: 7 })));
  };
  const host = new Host(open);
  await host.open(REQUEST);
  const [config] = await host.exportMerged();
  const read = JSON.parse(new TextDecoder().decode(config!.bytes));
  expect(read.model_type).toBe('roberta');
  expect(read).not.toHaveProperty('num_labels');
  expect(Object.keys(read.id2label)).toEqual(['0', '1']);
});

test('a model that one ONNX file cannot hold is refused before its weights are read', async () => {
  const shape = {
    ...(await new Host(openFileOrHttp).open(REQUEST)).shape,
    layers: 48,
    hiddenSize: 1024,
    ffnSize: 4096,
  };
  const weights: Weights = {
    has: () => true,
    shapeOf: () => null,
    fileBytes: () => expect.unreachable('weights were read'),
    chunks: () => expect.unreachable('weights were read'),
    read: () => expect.unreachable('weights were read'),
    stream: () => expect.unreachable('weights were read'),
    readFirstRow: () => expect.unreachable('weights were read'),
  };
  const adapter: TrainedAdapter = {
    devices: 1,
    model: REQUEST.model,
    task: {
      id: 'grammar',
      title: 'Sentiment',
      kind: 'classification',
      labelCount: 2,
      classNames: ['negative', 'positive'],
      metric: 'accuracy',
      trainExamples: 1,
      devExamples: 1,
      roundTokens: 8,
    },
    lora: REQUEST.lora,
    training: REQUEST.training,
    layout: parameterLayout(shape, REQUEST.lora, 2),
    values: new Float32Array(0),
    rounds: 0,
    scores: [],
  };
  expect(() => planOnnx(adapter, { shape, config: {}, tokenizer: new Uint8Array(0), weights })).toThrow(
    'one ONNX file holds 2 GB',
  );
});

test('a session goes on from an adapter: its values, its rank and targets', async () => {
  const trained = new Host(openFileOrHttp);
  await trained.open(REQUEST);
  const files = await trained.exportAdapter();
  const { values } = await trained.parameters();

  const next = new Host(openFileOrHttp);
  const opened = await next.open({ ...MINI_REQUEST, start: { kind: 'adapter', files } });
  expect(opened.lora).toEqual(REQUEST.lora);
  expect(opened.version).toBe(0);
  expect(await next.parameters()).toMatchObject({ version: 0, values });

  const hub = new URL('../fixtures/hub', import.meta.url).href;
  await expect(
    next.open({ ...MINI_REQUEST, task: { id: 'mnli', endpoint: hub }, start: { kind: 'adapter', files } }),
  ).rejects.toThrow("The adapter's head has 2 outputs");
});
