import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { chunkCount, MODEL_CHUNK_BYTES } from '../../signaling/protocol/exchange/model-messages.ts';
import type { ModelShape, SessionSettings } from '../../signaling/protocol/settings.ts';
import { openHttp } from '../../worker/files/open-file.ts';
import { frozenTensors } from '../../worker/model/description.ts';
import { ModelChunks } from '../../worker/model/model-chunks.ts';
import { modelFiles } from '../../worker/model/open-model.ts';
import { fileChunkStore } from '../../worker/node/file-chunk-store.ts';
import { randomModelFile } from '../files/random-file.ts';
import { RangeServer, servedBytes } from '../files/range-server.ts';
import { SETTINGS } from '../protocol/samples.ts';

const FILE = 'model.safetensors';
const shape: ModelShape = {
  ...{ layers: 2, hiddenSize: 64, heads: 4, ffnSize: 128, vocabSize: 34_000 },
  ...{ maxPositions: 66, layerNormEps: 1e-5, padTokenId: 1 },
};
const file = randomModelFile(shape);
const whole = file.bytes(0, file.size);
/** The table of words fills two chunks and a little of a third. */
const COUNT = chunkCount(file.size);
const part = (chunk: number) => whole.subarray(chunk * MODEL_CHUNK_BYTES, (chunk + 1) * MODEL_CHUNK_BYTES);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const hub = await new RangeServer().start();
hub.files.set(`/some/model/resolve/main/${FILE}`, servedBytes(whole, '"one"'));
const folders = await mkdtemp(join(tmpdir(), 'tabloom-chunks-'));
afterAll(async () => {
  hub.stop();
  // A chunk may still be on its way to the disk.
  await rm(folders, { recursive: true, force: true, maxRetries: 5 });
});
const model = { kind: 'hub' as const, id: 'some/model', endpoint: hub.url, revision: 'main' };
const settings: SessionSettings = { ...SETTINGS, model, shape };
const request = { model, origin: '' };

let chunks: ModelChunks;
let folder = '';
const store = () => fileChunkStore(folder);
beforeEach(async () => {
  folder = await mkdtemp(join(folders, 'device-'));
  hub.served = 0;
  chunks = new ModelChunks(openHttp, store());
});

describe('the chunks of a model', () => {
  it('are those of its files, none of them here at first, and asking costs a byte', async () => {
    expect(COUNT).toBe(3);
    expect(await chunks.open(request)).toEqual([{ file: FILE, bytes: file.size, held: [] }]);
    expect(hub.served).toBe(1);
  });

  it('are fetched one by one, kept, given and told of', async () => {
    await chunks.open(request);
    await chunks.fetch(FILE, 1);
    expect(hub.served).toBe(1 + MODEL_CHUNK_BYTES);
    expect(Buffer.compare((await chunks.read(FILE, 1))!, part(1))).toBe(0);
    expect(await chunks.read(FILE, 0)).toBe(null);
    expect(await chunks.hashed(0)).toEqual([
      { file: FILE, chunk: 1, bytes: file.size, sha256: sha256(part(1)), isGiven: false },
    ]);
    expect(await chunks.hashed(1)).toEqual([]);
    expect(await new ModelChunks(openHttp, store()).open(request)).toMatchObject([{ held: [1] }]);
  });

  it('are taken from others where they hash to what they should, and then nothing is fetched to load the model', async () => {
    await chunks.open(request);
    for (let chunk = 0; chunk < COUNT; chunk++)
      expect(await chunks.keep(FILE, chunk, part(chunk).slice(), sha256(part(chunk)))).toBe(true);
    const told = await chunks.hashed(0);
    expect(told.map(({ isGiven }) => isGiven)).toEqual([true, true, true]);
    const weights = await modelFiles(openHttp, store(), model, '').weights();
    await weights.stream(frozenTensors(shape).map((tensor) => ({ ...tensor, take: () => undefined })));
    // Whether it is the same file.
    expect(hub.served).toBeLessThan(5);
  });

  it('are refused where they hash to something else, are cut, or are none', async () => {
    await chunks.open(request);
    const changed = part(0).slice().fill(7, 100, 101);
    expect(await chunks.keep(FILE, 0, changed, sha256(part(0)))).toBe(false);
    expect(await chunks.keep(FILE, 0, changed.subarray(1), sha256(changed.subarray(1)))).toBe(false);
    expect(await chunks.keep(FILE, COUNT, part(0), sha256(part(0)))).toBe(false);
    expect(await chunks.keep(FILE, -1, part(0), sha256(part(0)))).toBe(false);
    expect(await chunks.read(FILE, 0)).toBe(null);
    expect(await chunks.hashed(0)).toEqual([]);
  });

  it('of no other file are read or written, whatever it is called', async () => {
    await chunks.open(request);
    for (const name of ['config.json', '../../secret', '/etc/hostname', `${hub.url}/${FILE}`]) {
      expect(await chunks.read(name, 0)).toBe(null);
      await expect(chunks.keep(name, 0, part(0), sha256(part(0)))).rejects.toThrow('not one of the model');
      await expect(chunks.fetch(name, 0)).rejects.toThrow('not one of the model');
    }
  });

  it('that a run of the model needs are those of its tensors, and the header', async () => {
    await chunks.open(request);
    const wanted = (from: number, to: number) => chunks.wanted({ settings, origin: '', run: { from, to } });
    const layer = await wanted(1, 2);
    expect(layer.every(({ file: name }) => name === FILE)).toBe(true);
    expect((await wanted(0, 4)).map(({ chunk }) => chunk)).toEqual([0, 1, 2]);
    // The layers lie behind the table, in the file's last chunk.
    expect(layer.map(({ chunk }) => chunk)).toEqual([0, 2]);
  });

  it('are nobody’s business where nothing is kept, and of what comes with the page', async () => {
    expect(await new ModelChunks(openHttp, null).open(request)).toBe(null);
    expect(await chunks.open({ model: { kind: 'embedded', id: 'roberta-mini' }, origin: hub.url })).toBe(null);
  });
});
