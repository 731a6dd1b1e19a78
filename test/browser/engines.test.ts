import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as Comlink from 'comlink';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ODD_MODELS } from '../engine/odd-models.ts';
import { needs, WHOLE } from '../needs.ts';
import type { EngineReport, EngineWorkerApi } from './engine-page/worker.ts';
import { BROWSER_KINDS } from './find-browser.ts';
import { SharedBrowser, type TestBrowser } from './harness.ts';

/** The engines in the dedicated workers of real tabs, from a production build, on the numbers of PyTorch. */

declare global {
  var engines: Comlink.Remote<EngineWorkerApi>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};
const GOLDEN = fileURLToPath(new URL('../fixtures/golden/', import.meta.url));

/** The kernels take four values at a time; no published RoBERTa has other widths. */
const { 'no width divisible by four': _, ...WEBGPU_MODELS } = ODD_MODELS;

let folder = '';
let server: Server;
let url = '';
/** Addresses that tabs asked for. */
const requested: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabloom-engine-page-'));
  await build({
    configFile: fileURLToPath(new URL('../../vite.config.ts', import.meta.url)),
    root: fileURLToPath(new URL('engine-page', import.meta.url)),
    base: './',
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
  });
  server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://page').pathname;
    requested.push(path);
    const isolated = path.startsWith('/isolated/');
    const file = path.startsWith('/golden/')
      ? join(GOLDEN, path.slice('/golden/'.length))
      : join(folder, path.replace(/^\/(isolated|plain)\//, '').replace(/^$/, 'index.html'));
    try {
      response.writeHead(200, {
        'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
        ...(isolated
          ? { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'credentialless' }
          : {}),
      });
      response.end(await readFile(file));
    } catch {
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, maxRetries: 9 });
});

async function check(browser: TestBrowser, page: 'plain' | 'isolated', engine: string, golden: string) {
  const tab = await browser.open(`${url}/${page}/`);
  await tab.until('the page has its worker', () => 'engines' in globalThis);
  const report = await tab.page.evaluate((id, file) => globalThis.engines.check(id, file), engine, `/golden/${golden}`);
  expect(tab.errors).toEqual([]);
  return report;
}

function expectWithinLimits(report: EngineReport | { readonly absent: string }): string {
  if (!('ok' in report)) throw new Error(`The engine is absent: ${report.absent}`);
  expect(report, JSON.stringify(report.errors)).toMatchObject({ ok: true });
  return report.backend;
}

/** One of each kind for the whole file. */
const BROWSERS = { chromium: new SharedBrowser('chromium'), firefox: new SharedBrowser('firefox') };
afterAll(() => Promise.all(Object.values(BROWSERS).map((browser) => browser.close())));

describe.each(BROWSER_KINDS)('%s', (kind) => {
  test.each(['classification', 'regression'])(
    'onnx on WASM is within the limits on %s, its files served with the page',
    (name) =>
      BROWSERS[kind].use(async (browser) => {
        requested.length = 0;
        const backend = expectWithinLimits(await check(browser, 'plain', 'onnx-wasm', `${name}.safetensors`));
        expect(backend).toBe('WASM, 1 thread');
        const libraries = requested.filter((path) => path.endsWith('.wasm'));
        expect(libraries).toHaveLength(1);
        expect(libraries[0]).toMatch(/^\/plain\/assets\/ort-wasm-simd-threaded-[\w-]+\.wasm$/);
      }),
  );

  test('webgpu is within the limits, and passes the self-test', () =>
    BROWSERS[kind].use(async (browser) => {
      const tab = await browser.open(`${url}/plain/`);
      await tab.until('the page has its worker', () => 'engines' in globalThis);
      await tab.page.evaluate(() => globalThis.engines.selfTest('webgpu'));
      const backend = expectWithinLimits(await check(browser, 'plain', 'webgpu', 'classification.safetensors'));
      expect(backend).toMatch(/^WebGPU, /);
    }));

  test('webgpu with 16-bit weights is within the limits', needs(WHOLE), () =>
    BROWSERS[kind].use(async (browser) => {
      const backend = expectWithinLimits(await check(browser, 'plain', 'webgpu-f16', 'three-way.safetensors'));
      // Chromium's software device has no f16: it unpacks the weights.
      expect(backend).toMatch(kind === 'firefox' ? /half precision$/ : /16-bit weights$/);
    }),
  );

  // Chromium's WebGPU is that of the engine's own tests, which have these sizes, too.
  const odd = kind === 'chromium' ? needs(WHOLE) : {};
  test('webgpu equals the reference at odd sizes, at every depth, with dropout', odd, () =>
    BROWSERS[kind].use(async (browser) => {
      const tab = await browser.open(`${url}/plain/`);
      await tab.until('the page has its worker', () => 'engines' in globalThis);
      const models = { ...WEBGPU_MODELS, '511 tokens': { layers: 1, tokens: 511, lengths: [511, 37] } };
      for (const [name, options] of Object.entries(models)) {
        const errors = await tab.page.evaluate((of) => globalThis.engines.compare('webgpu', of), options);
        expect(errors.logits, name).toBeLessThan(1e-4);
        expect(errors.gradient, name).toBeLessThan(1e-4);
      }
    }),
  );

  test('onnx on WASM is within the limits where the page is isolated and threads are possible', () =>
    BROWSERS[kind].use(async (browser) => {
      const backend = expectWithinLimits(await check(browser, 'isolated', 'onnx-wasm', 'classification.safetensors'));
      expect(backend).toMatch(/^WASM, [1-4] threads?$/);
    }));
});

test("onnx on Chromium's WebGPU is within the limits", () =>
  BROWSERS.chromium.use(async (browser) => {
    expectWithinLimits(await check(browser, 'plain', 'onnx-webgpu', 'regression.safetensors'));
  }));
