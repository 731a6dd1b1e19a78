import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { startServer } from '../../signaling/server/server.ts';
import { needs, WHOLE } from '../needs.ts';
import { type Tab, type TestBrowser, withBrowser } from './harness.ts';
import { staticHost } from './static-host.ts';

/** The page without its server: it was visited once, nothing was done there, and then there is no network. */

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PATIENCE = { timeoutMs: 120_000 };

beforeAll(() => {
  if (!existsSync(project('dist/index.html'))) throw new Error('The page is not built: run "npm run build" first.');
});

const shows = (tab: Tab, words: string): Promise<void> =>
  tab.until(`"${words}" is shown`, (text) => document.body.innerText.includes(text), { args: [words], ...PATIENCE });

/** Opens the page, and waits until all of it is on the device: the model's three files, and the engine. */
async function visit(browser: TestBrowser, address: string): Promise<Tab> {
  const tab = await browser.open(address);
  await tab.until(
    'the page is kept',
    async () => {
      const kept = await (await caches.open('tabloom-offline-1')).keys();
      return kept.length === 4 && (await navigator.serviceWorker.getRegistration())?.active?.state === 'activated';
    },
    PATIENCE,
  );
  return tab;
}

const serve = () =>
  startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: project('dist'),
    modelsFolder: project('models'),
    hubFolder: null,
    iceServers: [],
    log: () => undefined,
  });

describe('a page that was visited once', needs(WHOLE), () => {
  it('opens and trains on this device without its server', async () => {
    const server = await serve();
    await withBrowser('chromium', async (browser) => {
      const tab = await visit(browser, `http://127.0.0.1:${server.port}`);
      await server.close();
      await tab.page.reload();
      await shows(tab, 'The server does not answer; this page came from what this device keeps.');
      expect(await tab.page.evaluate(() => crossOriginIsolated)).toBe(true);
      await tab.press('Start a session', PATIENCE);
      await tab.press('Start training', PATIENCE);
      await tab.until(
        'two rounds are done',
        () => /Round ([2-9]|\d\d+) of \d+/.test(document.body.innerText),
        PATIENCE,
      );
      expect(await tab.page.evaluate(() => document.body.innerText)).not.toContain('Invite');
    });
  });

  it('is kept from a host of plain files below a path, too', async () => {
    const host = await staticHost(project('dist'), '/on/a/path/');
    await withBrowser('chromium', async (browser) => {
      const tab = await visit(browser, host.url);
      await host.close();
      await tab.page.reload();
      await shows(tab, 'The server does not answer; this page came from what this device keeps.');
    });
  });
});
