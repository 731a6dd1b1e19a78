import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MODEL_CHUNK_BYTES as CHUNK_BYTES } from '../../signaling/protocol/exchange/model-messages.ts';
import { type CacheOptions, cachedSource, forgetModels, keptModels } from '../../worker/files/cached-source.ts';
import type { ChunkStore } from '../../worker/files/chunk-store.ts';
import { openHttp } from '../../worker/files/open-file.ts';
import { fileChunkStore } from '../../worker/node/file-chunk-store.ts';
import { quickTimers } from './quick-timers.ts';
import { RangeServer, servedBytes } from './range-server.ts';

const FILE = '/some/model/resolve/main/model.safetensors';
const bytes = Uint8Array.from({ length: 2.5 * CHUNK_BYTES + 3 }, (_, i) => (i * 17 + (i >> 10)) % 253);
const server = await new RangeServer().start();
const folder = await mkdtemp(join(tmpdir(), 'tabloom-cache-'));
afterAll(async () => {
  server.stop();
  await rm(folder, { recursive: true, force: true });
});

afterEach(() => void vi.unstubAllGlobals());

let store: ChunkStore;
beforeEach(async () => {
  Object.assign(server, { served: 0, cutAfter: Number.POSITIVE_INFINITY, busy: false });
  server.onCut = () => undefined;
  server.files.clear();
  server.files.set(FILE, servedBytes(bytes, '"one"'));
  await rm(folder, { recursive: true, force: true });
  store = fileChunkStore(folder);
});

const open = (options?: CacheOptions) => cachedSource(server.url + FILE, openHttp, store, options);
/** Reads all, in odd steps; the last chunk may still be on its way into the store when this is done. */
const readAll = async (options?: CacheOptions) => {
  const source = await open(options);
  const parts: Uint8Array[] = [];
  const step = 777_777;
  for (let at = 0; at < source.size; at += step) parts.push(await source.read(at, Math.min(at + step, source.size)));
  return Buffer.concat(parts);
};
const untilStored = (size: number) =>
  expect.poll(async () => (await keptModels(store)).reduce((sum, model) => sum + model.bytes, 0)).toBeGreaterThan(size);

describe('a file that is kept', () => {
  it('is fetched once; the next time only the server is asked whether it is the same', async () => {
    expect(Buffer.compare(await readAll(), bytes)).toBe(0);
    expect(server.served).toBeLessThan(bytes.length + 100);
    await untilStored(bytes.length);
    server.served = 0;
    expect(Buffer.compare(await readAll(), bytes)).toBe(0);
    expect(server.served).toBe(1);
  });

  it('serves without the server', async () => {
    await readAll();
    await untilStored(bytes.length);
    server.busy = true;
    expect(Buffer.compare(await readAll(), bytes)).toBe(0);
    // But not what was never fetched.
    await expect(cachedSource(`${server.url}/x/y/resolve/main/z`, openHttp, store)).rejects.toThrow('404');
  });

  it('goes on after a break with what is missing', async () => {
    quickTimers();
    server.cutAfter = 1.5 * CHUNK_BYTES;
    server.onCut = () => {
      server.busy = true;
    };
    await expect(readAll()).rejects.toThrow('cannot be reached');
    await untilStored(CHUNK_BYTES);
    Object.assign(server, { busy: false, served: 0 });
    const source = await open();
    expect(source.keptBytes?.(0, source.size)).toBe(CHUNK_BYTES);
    expect(source.keptBytes?.(CHUNK_BYTES - 10, CHUNK_BYTES + 5)).toBe(10);
    expect(Buffer.compare(await readAll(), bytes)).toBe(0);
    expect(server.served).toBeLessThan(bytes.length - CHUNK_BYTES + 100);
  });

  it('is fetched again where an entry is damaged, cut short or gone', async () => {
    await readAll();
    await untilStored(bytes.length);
    const [inner] = await readdir(folder);
    const names = (await readdir(join(folder, inner!))).sort();
    expect(names.map((name) => name.replace(/^[0-9a-f]+-/, ''))).toEqual(['0', '1', '2', 'about']);
    const at = (name: string) => join(folder, inner!, name);
    const entry = await readFile(at(names[0]!));
    entry[40_000]! ^= 1;
    await writeFile(at(names[0]!), entry);
    await writeFile(at(names[1]!), (await readFile(at(names[1]!))).subarray(0, 1000));
    await rm(at(names[2]!));
    server.served = 0;
    expect(Buffer.compare(await readAll(), bytes)).toBe(0);
    expect(server.served).toBeGreaterThan(bytes.length - 100);
  });

  it('is dropped when the server has another version', async () => {
    await readAll();
    await untilStored(bytes.length);
    const other = bytes.map((byte) => byte ^ 255);
    server.files.set(FILE, servedBytes(other, '"two"'));
    expect(Buffer.compare(await readAll(), other)).toBe(0);
    await untilStored(bytes.length);
    const [{ bytes: stored } = { bytes: 0 }] = await keptModels(store);
    expect(stored).toBeLessThan(1.01 * bytes.length);
  });

  it('is known by its model, and deleted by it', async () => {
    await readAll();
    await untilStored(bytes.length);
    const [model] = await keptModels(store);
    expect(model).toMatchObject({ name: 'some/model' });
    await forgetModels(store, 'another/model');
    expect(await keptModels(store)).toHaveLength(1);
    await forgetModels(store, 'some/model');
    expect(await keptModels(store)).toEqual([]);
  });

  it('is looked at without keeping or fetching more than was asked for', async () => {
    const source = await open({ peek: true });
    expect(await source.read(100, 200)).toEqual(bytes.subarray(100, 200));
    expect(await source.read(CHUNK_BYTES - 5, CHUNK_BYTES + 5)).toEqual(
      bytes.subarray(CHUNK_BYTES - 5, CHUNK_BYTES + 5),
    );
    expect(server.served).toBeLessThan(1000);
    expect(await store.list('')).toEqual([]);
  });

  it('is read all the same where nothing can be kept, and one sentence says so', async () => {
    // A file where the folder should be.
    await writeFile(folder, '');
    const problems: string[] = [];
    expect(Buffer.compare(await readAll({ onProblem: (sentence) => problems.push(sentence) }), bytes)).toBe(0);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/cannot be kept on this device .* downloaded again next time/);
    expect(await keptModels(store)).toEqual([]);
  });
});

it('a headless device keeps so many bytes and no more', async () => {
  const bounded = await mkdtemp(join(tmpdir(), 'tabloom-bounded-'));
  try {
    const store = fileChunkStore(bounded, 100);
    const key = (digit: string) => `${digit.repeat(32)}/about`;
    await store.put(key('a'), [new Uint8Array(60)]);
    await expect(store.put(key('b'), [new Uint8Array(60)])).rejects.toThrow('tabloom cache --delete');
    expect(await store.list('')).toEqual([{ key: key('a'), bytes: 60 }]);
    await store.delete([key('a')]);
    await store.put(key('b'), [new Uint8Array(60)]);
    // Another process finds what is there.
    await expect(fileChunkStore(bounded, 100).put(key('c'), [new Uint8Array(41)])).rejects.toThrow('are kept in');
  } finally {
    await rm(bounded, { recursive: true });
  }
});
