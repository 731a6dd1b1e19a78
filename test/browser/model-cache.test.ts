import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as Comlink from 'comlink';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MODEL_CHUNK_BYTES as CHUNK_BYTES } from '../../signaling/protocol/exchange/model-messages.ts';
import type { ModelShape } from '../../signaling/protocol/settings.ts';
import { bytesSource } from '../../worker/files/byte-source.ts';
import { frozenTensors } from '../../worker/model/description.ts';
import { openWeights } from '../../worker/model/weights.ts';
import { randomModelFile } from '../files/random-file.ts';
import { RangeServer, servedBytes } from '../files/range-server.ts';
import type { CacheWorkerApi } from './cache-page/worker.ts';
import { BROWSER_KINDS } from './find-browser.ts';
import { type Tab, type TestBrowser, withBrowser } from './harness.ts';

/** Models that stay in real browsers: a hub on another origin, which breaks off in the middle of a file. */

declare global {
  var models: Comlink.Remote<CacheWorkerApi>;
}

const shape: ModelShape = {
  layers: 2,
  hiddenSize: 256,
  heads: 4,
  ffnSize: 1024,
  vocabSize: 16_000,
  maxPositions: 130,
  layerNormEps: 1e-5,
  padTokenId: 1,
};
const CONFIG = {
  model_type: 'roberta',
  num_hidden_layers: 2,
  hidden_size: 256,
  num_attention_heads: 4,
  intermediate_size: 1024,
  vocab_size: 16_000,
  max_position_embeddings: 130,
  layer_norm_eps: 1e-5,
};
const file = randomModelFile(shape);
const whole = file.bytes(0, file.size);

const hub = new RangeServer();
const page = new RangeServer();
let folder = '';
let expected = 0;

beforeAll(async () => {
  const weights = await openWeights(bytesSource(whole));
  await weights.stream(
    frozenTensors(shape).map((tensor, index) => ({
      ...tensor,
      take: (values, offset) => {
        for (let i = 0; i < values.length; i++) expected += values[i]! * (((offset + i + 31 * index) % 1009) + 1);
      },
    })),
  );
  folder = await mkdtemp(join(tmpdir(), 'tabloom-cache-page-'));
  await build({
    configFile: fileURLToPath(new URL('../../vite.config.ts', import.meta.url)),
    root: fileURLToPath(new URL('cache-page', import.meta.url)),
    base: './',
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
  });
  const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };
  page.other = async (path, response) => {
    const name = path === '/' ? 'index.html' : path;
    const found = await readFile(join(folder, name)).catch(() => null);
    response.writeHead(found === null ? 404 : 200, { 'Content-Type': types[extname(name)] ?? 'application/wasm' });
    response.end(found);
  };
  const at = (name: string) => `/some/model/resolve/main/${name}`;
  const text = (value: unknown) => servedBytes(new TextEncoder().encode(JSON.stringify(value)), '"json"');
  hub.files.set(at('model.safetensors'), file);
  hub.files.set(at('config.json'), text(CONFIG));
  hub.files.set(at('tokenizer.json'), text({ any: 'thing' }));
  await Promise.all([hub.start(), page.start()]);
});
afterAll(async () => {
  hub.stop();
  page.stop();
  await rm(folder, { recursive: true, maxRetries: 9 });
});

async function openTab(browser: TestBrowser): Promise<Tab> {
  const tab = await browser.open(page.url);
  await tab.until('the page has its worker', () => 'models' in globalThis);
  return tab;
}

const load = (tab: Tab) => tab.page.evaluate((endpoint) => globalThis.models.load(endpoint), hub.url);
const preflight = (tab: Tab) => tab.page.evaluate((endpoint) => globalThis.models.preflight(endpoint), hub.url);
const storedBytes = async (tab: Tab) =>
  (await tab.page.evaluate(() => globalThis.models.stored())).reduce((sum, { bytes }) => sum + bytes, 0);

/** Sums in another order, or as an engine's optimiser rounds them, differ in the last digits. */
function expectWhole(result: Awaited<ReturnType<typeof load>>, problems = 0): void {
  if ('error' in result) throw new Error(result.error);
  expect(result.checksum).toBe(expected);
  expect(result.problems).toHaveLength(problems);
}

describe.each(BROWSER_KINDS)('%s', (kind) => {
  test('goes on with a download where it broke off, and the next time needs none', () =>
    withBrowser(kind, async (browser) => {
      Object.assign(hub, { served: 0, busy: false, cutAfter: Number.POSITIVE_INFINITY });
      const first = await openTab(browser);
      expect(await first.page.evaluate(() => globalThis.models.keeps())).toBe(true);
      const told = await preflight(first);
      expect(told).toMatchObject({ cachedBytes: 0, shape, fits: 'f32' });
      expect(told.downloadBytes).toBe(told.totalBytes);
      expect(told.totalBytes).toBeGreaterThan(22e6);
      expect(hub.served).toBeLessThan(200_000);

      hub.cutAfter = 2.5 * CHUNK_BYTES;
      hub.onCut = () => {
        hub.busy = true;
      };
      expect(await load(first)).toMatchObject({ error: expect.stringContaining('cannot be reached') });
      await first.page.close();

      Object.assign(hub, { served: 0, busy: false, onCut: () => undefined });
      const second = await openTab(browser);
      const half = await preflight(second);
      expect(half.cachedBytes).toBeGreaterThan(1.9 * CHUNK_BYTES);
      expect(half.downloadBytes).toBe(half.totalBytes - half.cachedBytes);
      expectWhole(await load(second));
      expect(hub.served).toBeLessThan(file.size - 2 * CHUNK_BYTES + 300_000);
      // The last chunk may still be on its way into the store. The tokenizer's few bytes were looked at, not loaded.
      await expect.poll(async () => (await preflight(second)).downloadBytes).toBeLessThan(100);
      expect(await storedBytes(second)).toBeGreaterThan(half.totalBytes - 100);

      // Without the hub.
      hub.busy = true;
      expectWhole(await load(second));

      // A damaged entry is noticed and fetched again, it alone.
      Object.assign(hub, { served: 0, busy: false });
      expect(await second.page.evaluate(() => globalThis.models.damage())).toBe(1);
      expectWhole(await load(second));
      expect(hub.served).toBeGreaterThan(CHUNK_BYTES);
      expect(hub.served).toBeLessThan(1.1 * CHUNK_BYTES);

      await second.page.evaluate(() => globalThis.models.forget());
      expect(await storedBytes(second)).toBe(0);
    }));
});

test('Chromium with no room to keep it loads the model all the same and says so once', () =>
  withBrowser('chromium', async (browser) => {
    Object.assign(hub, { busy: false, cutAfter: Number.POSITIVE_INFINITY });
    const tab = await openTab(browser);
    const protocol = await tab.page.createCDPSession();
    await protocol.send('Storage.overrideQuotaForOrigin', { origin: page.url, quotaSize: 6e6 });
    const result = await load(tab);
    expectWhole(result, 1);
    expect(result).toMatchObject({ problems: [expect.stringContaining('no room on this device')] });
  }));
