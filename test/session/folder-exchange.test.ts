import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { RoomView } from '../../signaling/protocol/room-view.ts';
import { FOLDER_ENDPOINT, type SessionSettings } from '../../signaling/protocol/settings.ts';
import { ModelExchange } from '../../web/session/chunks/model-exchange.ts';
import { localLinkPair } from '../../web/session/links/message-link.ts';
import { Device } from '../../worker/device/device.ts';
import { parseModelConfig } from '../../worker/model/config.ts';
import { modelFiles } from '../../worker/model/open-model.ts';
import { fileChunkStore } from '../../worker/node/file-chunk-store.ts';
import { SETTINGS } from '../protocol/samples.ts';

/** Devices' own workers and disks; the model is in a folder that the host's alone was given. */

const folder = mkdtempSync(join(tmpdir(), 'tabloom-exchange-'));
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 9 }));

const NAMES = ['config.json', 'tokenizer.json', 'model.safetensors'];
const bytesOf = (name: string): Buffer => readFileSync(new URL(`../../models/roberta-mini/${name}`, import.meta.url));
const model = { kind: 'hub', id: 'mine', endpoint: FOLDER_ENDPOINT, revision: 'folder-1' } as const;
const shape = parseModelConfig(JSON.parse(bytesOf('config.json').toString()));
const settings: SessionSettings = { ...SETTINGS, policy: 'crunch', model, shape };
const run = { from: 0, to: shape.layers + 2 };
const nowhere = async (url: string): Promise<never> => {
  throw new Error(`${url} was asked for from outside.`);
};

function member(id: string) {
  const store = fileChunkStore(join(folder, id));
  const device = new Device(nowhere, store);
  const devices = ['host', 'ada', 'ben'].map((name) => ({ id: name, profile: null }));
  const room = { host: 'host', devices, phase: 'gathering' } as never as RoomView;
  const exchange = new ModelExchange({
    self: id,
    settings,
    origin: '',
    chunks: device.chunks,
    room: () => room,
    isHost: () => id === 'host',
  });
  return { id, store, device, exchange };
}
type Member = ReturnType<typeof member>;

function link(a: Member, b: Member): void {
  const [one, other] = localLinkPair();
  a.exchange.attach(b.id, one);
  b.exchange.attach(a.id, other);
}

/** What a device has on its disk, as whoever opens the model there reads it. */
async function readAgain({ store }: Member, name: string): Promise<Buffer> {
  const away = async (url: string): Promise<never> => {
    const { SourceError } = await import('../../worker/files/byte-source.ts');
    throw new SourceError(`${url} cannot be reached.`);
  };
  const source = await modelFiles(away, store, model, '').open(name);
  return Buffer.from(await source.read(0, source.size));
}

it('goes from the host to a device, and from that one to the next when the host gives nothing more', async () => {
  const [host, ada, ben] = [member('host'), member('ada'), member('ben')];
  await host.device.chunks.useFolder(NAMES.map((name) => new File([new Uint8Array(bytesOf(name))], name)));
  link(host, ada);
  const adaHasIt = ada.exchange.gather(run);
  await host.exchange.gather(run);
  // As loading the model does, which reads it from its beginning to its end.
  await host.device.prefetch({ settings, origin: '', run });
  await host.exchange.look();
  await adaHasIt;
  expect(ada.exchange.takenBytes).toBe(NAMES.reduce((sum, name) => sum + bytesOf(name).length, 0));
  for (const name of NAMES) expect((await readAgain(ada, name)).equals(bytesOf(name)), name).toBe(true);

  // The host is asked last.
  const before = host.exchange.givenBytes;
  link(host, ben);
  link(ada, ben);
  await ben.exchange.gather(run);
  for (const name of NAMES) expect((await readAgain(ben, name)).equals(bytesOf(name)), name).toBe(true);
  expect(ada.exchange.givenBytes).toBeGreaterThan(0);
  expect(host.exchange.givenBytes - before + ada.exchange.givenBytes).toBe(ben.exchange.takenBytes);
  for (const { exchange } of [host, ada, ben]) exchange.close();
});

it('is not to be had without its host, and says so', async () => {
  const alone = member('alone');
  await expect(alone.device.fits({ settings, memoryLimitBytes: 1e9 })).resolves.toBe(true);
  await expect(alone.device.load({ settings, origin: '', slowdown: 1, memoryLimitBytes: 1e9 })).rejects.toThrow(
    'config.json of this model lies on the host’s disk.',
  );
});
