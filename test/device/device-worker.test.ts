import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startThread } from '../../signaling/node/start-thread.ts';
import { ProfileSchema } from '../../signaling/protocol/profile.ts';
import { PLAIN_TRAINING, type SessionSettings, SessionSettingsSchema } from '../../signaling/protocol/settings.ts';
import { SETTINGS_VERSION } from '../../signaling/protocol/version.ts';
import type { TokenBatch } from '../../worker/api/batch.ts';
import type { DeviceWorkerApi } from '../../worker/api/device-api.ts';
import type { WorkPart } from '../../worker/api/work.ts';
import { rowsOf } from '../../worker/data/batches.ts';
import { initialParameters } from '../../worker/model/initial-parameters.ts';
import { parameterLayout } from '../../worker/model/layout.ts';
import { modelFileUrl } from '../../worker/model/model-files.ts';
import { openWeights } from '../../worker/model/weights.ts';
import { openFileOrHttp } from '../../worker/node/file-source.ts';
import { readModelShape } from '../model/read-model-shape.ts';

const origin = pathToFileURL(`${process.cwd()}/`).href;
const model = { kind: 'embedded', id: 'roberta-mini' } as const;

/** The worker as a headless device starts it. */
function start(): { readonly worker: Worker; readonly api: Comlink.Remote<DeviceWorkerApi> } {
  const worker = startThread(new URL('../../worker/node/device-worker-node.ts', import.meta.url));
  return { worker, api: Comlink.wrap<DeviceWorkerApi>(nodeEndpoint(worker)) };
}

describe("a headless device's worker with roberta-mini", () => {
  const { worker, api } = start();
  let settings: SessionSettings;
  let parameters: Float32Array;
  const tokens = 16;
  const batch: TokenBatch = {
    ids: Int32Array.from({ length: 4 * tokens }, (_, i) => (i % tokens === 0 ? 0 : 5 + ((i * 37) % 8000))),
    lengths: Int32Array.of(16, 9, 12, 4),
    labels: Float32Array.of(0, 1, 1, 0),
    positions: Int32Array.of(0, 1, 2, 3),
    tokens,
  };

  beforeAll(async () => {
    settings = v.parse(SessionSettingsSchema, {
      version: SETTINGS_VERSION,
      model,
      weights: 'f32',
      shape: await readModelShape(openFileOrHttp, model, origin),
      task: {
        id: 'test',
        title: 'Test',
        kind: 'classification',
        labelCount: 2,
        classNames: ['no', 'yes'],
        metric: 'accuracy',
        trainExamples: 10,
        roundTokens: 16,
        devExamples: 10,
      },
      lora: { rank: 8, alpha: 16, targets: ['query', 'value'] },
      training: {
        ...PLAIN_TRAINING,
        rounds: 3,
        samplesPerRound: 8,
        maxTokens: 32,
        learningRate: 1e-3,
        weightDecay: 0,
        warmupFraction: 0,
        dropout: 0.1,
        evaluateEvery: 0,
        seed: 3,
      },
      policy: 'auto',
    } satisfies SessionSettings);
    const layout = parameterLayout(settings.shape, settings.lora, 2);
    const weights = await openWeights(await openFileOrHttp(modelFileUrl(model, origin, 'model.safetensors')));
    parameters = await initialParameters(layout, weights, 3);
    const loaded = await api.load({ settings, origin, slowdown: 1, memoryLimitBytes: 1e9 });
    expect(loaded).toMatchObject({ engine: 'onnx', parameterCount: layout.length });
    await api.setParameters(parameters);
  });
  afterAll(() => worker.terminate());

  const order = { round: 1, batch, layers: [4, 5], head: true, microBatch: 2, dropout: { probability: 0.1, seed: 3 } };
  const pull = async (): Promise<WorkPart[]> => {
    const parts: WorkPart[] = [];
    do parts.push(await api.next());
    while (parts.at(-1)!.kind !== 'done');
    return parts;
  };

  it('measures a profile that the protocol takes', async () => {
    const profile = await api.profile({ memoryLimitBytes: 1e9 });
    const read = v.parse(ProfileSchema, { ...profile, linkBitsPerSecond: 1e6 });
    expect(read.secondsPerSample.forwardPerLayer).toBeGreaterThan(0);
    expect(read.secondsPerSample.backwardPerLayer).toBeGreaterThan(0);
    expect(read.memory.weightsBytes).toBeGreaterThan(2_000_000 * 4);
    expect(read.memory.savedPerSamplePerLayer).toBeGreaterThan(32 * 128 * 4);
  });

  it('gives the parts of an order, the same when asked again', async () => {
    await api.begin(order);
    const parts = await pull();
    expect(parts.map((part) => (part.kind === 'gradient' ? part.block : part.kind))).toEqual(['head', 5, 4, 'done']);
    await api.begin({ ...order, microBatch: 4 });
    const again = await pull();
    for (const [i, part] of parts.entries()) {
      const other = again[i]!;
      if (part.kind !== 'gradient' || other.kind !== 'gradient') continue;
      const largest = Math.max(...part.gradient.map(Math.abs));
      expect(largest).toBeGreaterThan(0);
      for (let j = 0; j < part.gradient.length; j++)
        expect(Math.abs(part.gradient[j]! - other.gradient[j]!)).toBeLessThan(1e-4 * largest);
    }
  });

  it('takes one order at a time, and none that was not begun', async () => {
    await expect(api.next()).rejects.toThrow(/no order/);
    await api.begin(order);
    await expect(api.begin(order)).rejects.toThrow(/another order/);
    await pull();
  });

  it('answers while it computes, and gives an order up at once', async () => {
    await api.begin({ ...order, layers: [0, 1, 2, 3, 4, 5], microBatch: 1 });
    const givenUp = expect(api.next()).rejects.toThrow(/given up/);
    await api.progress();
    await api.cancel();
    await givenUp;
    await expect(api.next()).rejects.toThrow(/no order/);
    await api.begin(order);
    expect((await pull()).at(-1)).toMatchObject({ kind: 'done' });
  });

  it('gives up an order that nobody is pulling', async () => {
    await api.begin(order);
    await api.next();
    await api.cancel();
    await api.begin(order);
    expect(await pull()).toHaveLength(4);
  });

  it('evaluates each sample to the same logits, whatever its company', async () => {
    const logits = await api.evaluate(batch);
    expect(logits).toHaveLength(8);
    expect(logits.every(Number.isFinite)).toBe(true);
    const alone = [];
    for (const row of [3, 0, 2, 1]) alone[row] = [...(await api.evaluate(rowsOf(batch, [row])))];
    for (const [i, logit] of alone.flat().entries()) expect(logits[i]).toBeCloseTo(logit, 5);
  });

  it('refuses parameters of another size', async () => {
    await expect(api.setParameters(parameters.slice(1))).rejects.toThrow(/trainable values; \d+ were given/);
  });

  it('says what is wrong with a model that is not there or not the one of the session', async () => {
    const { worker: other, api: otherApi } = start();
    const load = (change: Partial<SessionSettings>) =>
      otherApi.load({ settings: { ...settings, ...change }, origin, slowdown: 1, memoryLimitBytes: 1e9 });
    await expect(otherApi.setParameters(parameters)).rejects.toThrow(/not loaded a model/);
    await expect(load({ model: { kind: 'embedded', id: 'nothing' } })).rejects.toThrow(
      /no file .*nothing\/config\.json/,
    );
    await expect(load({ shape: { ...settings.shape, layers: 7 } })).rejects.toThrow(/disagree about layers/);
    await expect(load({ training: { ...settings.training, maxTokens: 129 } })).rejects.toThrow(
      /up to 129 tokens; the model takes 128/,
    );
    other.terminate();
    await once(other, 'exit');
  });

  it('is as slow as it is told to be', async () => {
    const { worker: slow, api: slowApi } = start();
    await slowApi.load({ settings, origin, slowdown: 10, memoryLimitBytes: 1e9 });
    await slowApi.setParameters(parameters);
    // The clock of one and the same worker: work and the waits that were added to it.
    await slowApi.begin(order);
    let done: WorkPart;
    do done = await slowApi.next();
    while (done.kind !== 'done');
    // What something else on this machine held up once is not the device's own speed.
    let honestSeconds = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      await api.begin(order);
      const honest = (await pull()).at(-1)!;
      if (honest.kind === 'done') honestSeconds = Math.min(honestSeconds, honest.computeSeconds);
    }
    expect(done.computeSeconds / honestSeconds).toBeGreaterThan(2);
    slow.terminate();
    await once(slow, 'exit');
  });
});
