import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createOnnxEngine } from '../../worker/engine/onnx/engine.ts';
import { Host } from '../../worker/host/host.ts';
import { evaluateBatch } from '../../worker/learn/trainer.ts';
import { modelFiles } from '../../worker/model/open-model.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { MINI_REQUEST } from '../host/node-host.ts';

/** A host of the embedded task that goes on from one of the cases. */
async function opened(name: string) {
  const folder = new URL(`../fixtures/cases/adapter/${name}/`, import.meta.url);
  const files = ['adapter_config.json', 'adapter_model.safetensors'].map((file) => ({
    name: file,
    bytes: new Uint8Array(readFileSync(new URL(file, folder))),
  }));
  const host = new Host(openFileOrHttp);
  return { host, made: await host.open({ ...MINI_REQUEST, start: { kind: 'adapter', files } }) };
}

test('an adapter with B = 0 leaves the model as it is: dev loss 1.2077 with its head', async () => {
  const { host, made } = await opened('plain-untrained');
  expect(made.lora).toEqual({ rank: 8, alpha: 16, targets: ['query', 'value'] });
  expect(made.notices).toEqual([]);
  const files = modelFiles(openFileOrHttp, null, MINI_REQUEST.model, MINI_REQUEST.origin);
  const engine = await createOnnxEngine(
    {
      shape: made.shape,
      lora: made.lora,
      labelCount: 2,
      weights: await files.weights(),
      weightStorage: 'f32',
      withDropout: false,
    },
    'wasm',
  );
  try {
    await engine.setParameters((await host.parameters()).values);
    const batch = await host.devBatch(0, made.task.devExamples);
    const { loss } = await host.scoreDev(await evaluateBatch(engine, batch, 32, async () => undefined));
    expect(loss).toBeCloseTo(1.2077, 4);
  } finally {
    await engine.dispose();
  }
});

test('the same with PiSSA, which fits another base: refused by name', async () => {
  await expect(opened('pissa-untrained')).rejects.toThrow(
    /^adapter_config\.json: init_lora_weights is "pissa": it is PiSSA, and PEFT changes the base model's weights/,
  );
});
