import { expect, test } from 'vitest';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { Host } from '../../worker/host.ts';
import { bytesSource } from '../../worker/model/byte-source.ts';
import { openFileOrHttp } from '../../worker/model/file-source.ts';
import { initialParameters } from '../../worker/model/initial-parameters.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { type OpenFile, readModelShape } from '../../worker/model/model-files.ts';
import { openWeights, type Weights } from '../../worker/model/weights.ts';
import type { HostRequest, TokenBatch } from '../../worker/rpc.ts';
import { evaluateBatch } from '../../worker/trainer.ts';
import { MINI_REQUEST } from './node-host.ts';

/** Every kind of matrix adapted, by adapters that are not small. */
const REQUEST: HostRequest = {
  ...MINI_REQUEST,
  lora: {
    rank: 4,
    alpha: 8,
    targets: ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense'],
  },
};

async function logits(
  request: HostRequest,
  shape: Awaited<ReturnType<typeof readModelShape>>,
  weights: Weights,
  values: Float32Array,
  batch: TokenBatch,
): Promise<Float32Array> {
  const engine = await createOnnxEngine(
    { shape, lora: request.lora, labelCount: 2, weights, weightStorage: 'f32', withDropout: false },
    'wasm',
  );
  await engine.setParameters(values);
  const result = await evaluateBatch(engine, batch, batch.lengths.length, async () => {});
  await engine.dispose();
  return result;
}

test('the merged model answers as base and adapter do, and opens like any model of a hub', async () => {
  const host = new Host(openFileOrHttp);
  const { shape, lora } = await host.open(REQUEST);
  const layout = parameterLayout(shape, lora, 2);
  const parts = [
    ...layout.layers.map((block, layer) => ({ id: layer, block })),
    { id: 'head' as const, block: layout.head },
  ];
  for (const round of [1, 2, 3]) {
    await host.step({
      round,
      samples: 1,
      parts: parts.map(({ id, block }) => ({
        block: id,
        samples: { start: 0, count: 1 },
        gradient: Float32Array.from({ length: block.length }, (_, i) => Math.sin(i + round)),
      })),
    });
  }
  const { values } = await host.parameters();
  const batch = await host.devBatch(0, 6);
  const baseUrl = new URL('models/roberta-mini/model.safetensors', REQUEST.origin).href;
  const expected = await logits(REQUEST, shape, await openWeights(await openFileOrHttp(baseUrl)), values, batch);
  // The steps have moved the answers: without that the test would prove nothing.
  expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.05);

  const files = await host.exportMerged();
  expect(files.map(({ name }) => name)).toEqual(['config.json', 'model.safetensors', 'tokenizer.json', 'README.md']);
  const open: OpenFile = async (url) => bytesSource(files.find(({ name }) => url.endsWith(`/${name}`))!.bytes);
  const source = { kind: 'hub', id: 'me/merged', endpoint: 'http://127.0.0.1:9', revision: 'main' } as const;
  expect(await readModelShape(open, source, '')).toEqual(shape);
  const weights = await openWeights(await open('/model.safetensors'));
  // The file's head is taken; fresh adapters change nothing.
  const fresh = await initialParameters(layout, weights, 1);
  const merged = await logits(REQUEST, shape, weights, fresh, batch);
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

test('a session goes on from an adapter: its values, its rank and targets', async () => {
  const trained = new Host(openFileOrHttp);
  await trained.open(REQUEST);
  const files = await trained.exportAdapter();
  const { values } = await trained.parameters();

  const next = new Host(openFileOrHttp);
  const opened = await next.open({ ...MINI_REQUEST, start: { kind: 'adapter', files } });
  expect(opened.lora).toEqual(REQUEST.lora);
  expect(opened.version).toBe(0);
  expect(await next.parameters()).toEqual({ version: 0, values });

  const hub = new URL('../../../shared/hub', import.meta.url).href;
  await expect(
    next.open({ ...MINI_REQUEST, task: { id: 'mnli', endpoint: hub }, start: { kind: 'adapter', files } }),
  ).rejects.toThrow("The adapter's head has 2 outputs");
});
