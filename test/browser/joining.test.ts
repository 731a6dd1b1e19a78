import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { ENGINE_BYTES } from '../../web/page/join/look-words.ts';
import { roomLink } from '../../web/session/links/link-address.ts';
import { type Counted, type CountingProxy, countingProxy } from '../bench/joining/counting-proxy.ts';
import { measureJoining } from '../bench/joining/measure.ts';
import { needs, WHOLE } from '../needs.ts';
import { hostRoom } from '../server/client.ts';
import { type TestBrowser, withBrowser } from './harness.ts';

/** What joining may cost, in bytes on the line, heads included (`npm run bench:joining`, docs/benchmarks.md). */
const FIRST_BYTES = 7.5e6;
const FIRST_BYTES_ON_GPU = 5e6;
const SECOND_BYTES = 50e3;
const SCRIPT_BYTES = 150e3;
const FIRST_REQUESTS = 50;
const SECOND_REQUESTS = 15;

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const bytesOf = (answers: readonly Counted[]): number => answers.reduce((sum, { bytes }) => sum + bytes, 0);
const scripts = (answers: readonly Counted[]): readonly Counted[] => answers.filter(({ path }) => path.endsWith('.js'));

/** Bytes of what a device without a graphics processor fetches while its person reads: the model, and the engine in Brotli. */
function warmBytes(): readonly { readonly path: RegExp; readonly bytes: number }[] {
  const engine = readdirSync(project('dist/assets')).find((name) =>
    /^ort-wasm-simd-threaded-.{8}\.wasm\.br$/.test(name),
  );
  if (engine === undefined) throw new Error('The page is not built: run "npm run build" first.');
  return [
    { path: /\/ort-wasm-simd-threaded-[^/]*\.wasm$/, bytes: statSync(project(`dist/assets/${engine}`)).size },
    { path: /\/model\.safetensors$/, bytes: statSync(project('models/roberta-mini/model.safetensors')).size },
  ];
}

describe('a device that comes by a link', () => {
  let server: RunningServer;
  let proxy: CountingProxy;
  beforeAll(async () => {
    if (!existsSync(project('dist/index.html'))) throw new Error('The page is not built: run "npm run build" first.');
    server = await startServer({
      ...{ port: 0, host: '127.0.0.1', pageFolder: project('dist'), modelsFolder: project('models'), hubFolder: null },
      ...{ iceServers: [], log: () => undefined },
    });
    proxy = await countingProxy(server.port);
  });
  afterAll(async () => {
    proxy.close();
    await server.close();
  });

  it('is sent little before its person has clicked, and next to nothing when it comes again', async () => {
    const { host, room } = await hostRoom(server.port);
    const [engine, model] = warmBytes();
    // What the page says of the engine, to the digit that it says.
    expect((engine!.bytes / 1e6).toFixed(1)).toBe((ENGINE_BYTES / 1e6).toFixed(1));
    const came = ({ path, bytes }: { path: RegExp; bytes: number }): boolean =>
      bytesOf(proxy.seen().filter((answer) => path.test(answer.path))) >= bytes;
    const visit = async (browser: TestBrowser, isFirst: boolean): Promise<readonly Counted[]> => {
      proxy.take();
      const tab = await browser.open(roomLink(proxy.origin, room, null), { width: 390 });
      await tab.page.locator('::-p-xpath(//button[normalize-space()="Join"])').setTimeout(60_000).wait();
      // While the form is read.
      if (isFirst) await expect.poll(() => came(engine!) && came(model!), { timeout: 60_000, interval: 20 }).toBe(true);
      const answers = proxy.take();
      await tab.page.goto('about:blank');
      await tab.page.close();
      return answers;
    };
    await withBrowser('chromium', async (browser) => {
      const first = await visit(browser, true);
      expect(bytesOf(scripts(first))).toBeLessThan(SCRIPT_BYTES);
      // A session's scripts come with the click: as much again as those before it, at most.
      expect(bytesOf(first) + SCRIPT_BYTES).toBeLessThan(FIRST_BYTES);
      expect(first.length).toBeLessThan(FIRST_REQUESTS);
      const second = await visit(browser, false);
      expect(bytesOf(second)).toBeLessThan(SECOND_BYTES);
      expect(second.length).toBeLessThan(SECOND_REQUESTS);
    });
    host.socket.close();
  });

  it.each([
    ['chromium', false, FIRST_BYTES],
    ['firefox', false, FIRST_BYTES],
    ['firefox', true, FIRST_BYTES_ON_GPU],
  ] as const)(
    '%s, on a graphics processor: %s, is in the plan for %i bytes',
    needs(WHOLE),
    async (kind, realGpu, most) => {
      const { first, second } = await measureJoining({ kind, realGpu });
      const { requests, bytes, scriptBytesBeforeClick, engine, paths } = first;
      expect({ engine, requests, bytes, scriptBytesBeforeClick }).toMatchObject({
        engine: expect.stringMatching(realGpu ? /^(?!.*WASM)/ : /WASM/),
      });
      expect(bytes).toBeLessThan(most);
      expect(requests).toBeLessThan(FIRST_REQUESTS);
      expect(scriptBytesBeforeClick).toBeLessThan(SCRIPT_BYTES);
      expect(paths.some(({ path }) => /ort-wasm/.test(path))).toBe(!realGpu);
      expect(second.bytes).toBeLessThan(SECOND_BYTES);
      expect(second.requests).toBeLessThan(SECOND_REQUESTS);
    },
  );
});
