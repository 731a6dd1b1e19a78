import { afterAll, beforeAll, expect, it } from 'vitest';
import { Device } from '../../worker/device/device.ts';
import type { ChunkStore } from '../../worker/files/chunk-store.ts';
import { openHttp } from '../../worker/files/open-file.ts';
import { randomModelFile } from '../files/random-file.ts';
import { RangeServer, servedBytes } from '../files/range-server.ts';
import { SETTINGS } from '../protocol/samples.ts';

const server = await new RangeServer().start();
afterAll(() => server.stop());

const shape = { ...SETTINGS.shape, vocabSize: 20_000 };
const settings = {
  ...SETTINGS,
  model: { kind: 'hub', id: 'm', endpoint: server.url, revision: 'main' } as const,
  weights: 'int8' as const,
  shape,
};
const at = (name: string) => `/m/resolve/main/${name}`;

beforeAll(() => {
  const config = {
    num_hidden_layers: shape.layers,
    hidden_size: shape.hiddenSize,
    num_attention_heads: shape.heads,
    intermediate_size: shape.ffnSize,
    vocab_size: shape.vocabSize,
    layer_norm_eps: shape.layerNormEps,
    max_position_embeddings: shape.maxPositions,
  };
  server.files.set(at('config.json'), servedBytes(new TextEncoder().encode(JSON.stringify(config))));
  server.files.set(at('model.safetensors'), randomModelFile(shape));
});

it('a device without the memory for the weights says so before it fetches them', async () => {
  const load = (weights: 'f32' | 'int8', memoryLimitBytes: number) =>
    new Device(openHttp, null).load({ settings: { ...settings, weights }, origin: '', slowdown: 1, memoryLimitBytes });
  // 20,000 words and 130 positions of 128 values, and six layers of 198,272.
  await expect(load('f32', 10e6)).rejects.toThrow(
    'The weights of m take 15 MB here, and training may use 10 MB. A session with f16 weights takes 7.6 MB.',
  );
  await expect(load('int8', 2e6)).rejects.toThrow(/take 3.9 MB here, and training may use 2.0 MB\.$/);
  expect(server.requests.filter((request) => request.includes('safetensors'))).toEqual([]);
});

it('a device tells how far its download is, also while the hub is away, and gets to the end', async () => {
  const device = new Device(openHttp, null);
  server.cutAfter = 9e6;
  const away = new Promise<void>((resolve) => {
    server.onCut = () => {
      server.busy = true;
      resolve();
    };
  });
  const loading = device.load({
    settings,
    origin: '',
    slowdown: 1,
    memoryLimitBytes: 1e9,
  });
  await away;
  const { stage, done, total, transfer } = await device.progress();
  expect(stage).toBe('weights');
  expect(transfer).toMatchObject({ bytes: done, totalBytes: total });
  expect(done).toBeGreaterThan(1e6);
  expect(done).toBeLessThanOrEqual(9e6);
  expect(total).toBeGreaterThan(14e6);
  server.busy = false;
  expect(await loading).toMatchObject({ engine: 'onnx' });
  expect((await device.progress()).transfer).toMatchObject({ bytes: total, totalBytes: total, secondsLeft: 0 });
});

it('a spare brings a run onto its disk without holding it, and fetches nothing of it when it takes it over', async () => {
  const kept = new Map<string, Uint8Array>();
  const store: ChunkStore = {
    get: async (key) => kept.get(key) ?? null,
    put: async (key, parts) => void kept.set(key, new Uint8Array(Buffer.concat(parts))),
    clear: async () => kept.clear(),
    list: async (prefix) =>
      [...kept].filter(([key]) => key.startsWith(prefix)).map(([key, { length }]) => ({ key, bytes: length })),
    delete: async (keys) => {
      for (const key of keys) kept.delete(key);
    },
  };
  const device = new Device(openHttp, store);
  const run = { from: 3, to: 6 };
  await device.prefetch({ settings, origin: '', run });
  expect(await device.holds()).toBeNull();
  const files = [...kept.values()].reduce((sum, { length }) => sum + length, 0);
  // Layers 2, 3 and 4 of 198,272 values each; what is fetched is whole chunks of 4 MiB.
  expect(files).toBeGreaterThan(3 * 198_272 * 4);
  const before = server.served;
  await device.loadPart({ settings, origin: '', slowdown: 1, memoryLimitBytes: 1e9, run });
  expect(await device.holds()).toEqual(run);
  // The config, and the first bytes of the weights' file, whether it is the same.
  expect(server.served - before).toBeLessThan(100_000);
  await expect(device.loadPart({ settings, origin: '', slowdown: 1, memoryLimitBytes: 1e5, run })).rejects.toThrow(
    /^The weights of layers 2 to 4 of m take 6\d\d kB here, and training may use 100 kB\.$/,
  );
});
