import { afterAll, expect, it } from 'vitest';
import { Device } from '../../worker/device.ts';
import { openHttp } from '../../worker/model/model-files.ts';
import { randomModelFile } from '../model/random-file.ts';
import { RangeServer, servedBytes } from '../model/range-server.ts';
import { SETTINGS } from '../protocol/samples.ts';

const server = await new RangeServer().start();
afterAll(() => server.stop());

it('a device tells how far its download is, also while the hub is away, and gets to the end', async () => {
  const shape = { ...SETTINGS.shape, vocabSize: 20_000 };
  const config = {
    num_hidden_layers: shape.layers,
    hidden_size: shape.hiddenSize,
    num_attention_heads: shape.heads,
    intermediate_size: shape.ffnSize,
    vocab_size: shape.vocabSize,
    max_position_embeddings: shape.maxPositions,
  };
  const at = (name: string) => `/m/resolve/main/${name}`;
  server.files.set(at('config.json'), servedBytes(new TextEncoder().encode(JSON.stringify(config))));
  const file = randomModelFile(shape);
  server.files.set(at('model.safetensors'), file);
  const device = new Device(openHttp, null);
  server.cutAfter = 9e6;
  const away = new Promise<void>((resolve) => {
    server.onCut = () => {
      server.busy = true;
      resolve();
    };
  });
  const loading = device.load({
    settings: {
      ...SETTINGS,
      model: { kind: 'hub', id: 'm', endpoint: server.url, revision: 'main' },
      weights: 'int8',
      shape,
    },
    origin: '',
    slowdown: 1,
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
