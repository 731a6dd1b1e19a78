import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** The page as the next build makes it: its first script has another name, which all that names it says, and its words another revision. */
async function nextBuild(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tabloom-next-build-'));
  folders.push(folder);
  await cp(project('dist'), folder, { recursive: true });
  const page = await readFile(join(folder, 'index.html'), 'utf8');
  const own = /assets\/(index-[\w-]{8})\.js/.exec(page)?.[1];
  if (own === undefined) throw new Error('The page names no first script.');
  const next = `${own.slice(0, -4)}next`;
  for (const name of await readdir(folder, { recursive: true })) {
    if (!/\.(js|html)$/.test(name)) continue;
    const text = (await readFile(join(folder, name), 'utf8')).replaceAll(own, next);
    const changed =
      name === 'service-worker.js'
        ? text.replace(/("?url"?:\s*["'`]index\.html["'`],\s*"?revision"?:\s*["'`])\w{4}/, '$1next')
        : text;
    await writeFile(join(folder, name), changed);
  }
  await rename(join(folder, `assets/${own}.js`), join(folder, `assets/${next}.js`));
  if (!(await readFile(join(folder, 'service-worker.js'), 'utf8')).includes('next')) throw new Error('No other build.');
  return folder;
}

/** Whether what this device keeps of the page is the next build alone, or which of the two is not what it should be. */
const keepsNext = async (): Promise<boolean> => {
  const registration = await navigator.serviceWorker.getRegistration();
  const names = (await caches.keys()).filter((name) => name.includes('precache'));
  const kept = (await Promise.all(names.map(async (name) => (await caches.open(name)).keys()))).flat();
  const scripts = kept.filter(({ url }) => /\/index-[\w-]{8}\.js/.test(url));
  return registration?.waiting == null && scripts.length === 1 && /next\.js/.test(scripts[0]?.url ?? '');
};
const hasWaiting = async (): Promise<boolean> => (await navigator.serviceWorker.getRegistration())?.waiting != null;

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

  it('does not put a newer one in its place while a tab of it is in a session, and does so afterwards', async () => {
    const host = await staticHost(project('dist'), '/');
    await withBrowser('chromium', async (browser) => {
      const inSession = await visit(browser, host.url);
      await host.close();
      await inSession.page.reload();
      await shows(inSession, 'The server does not answer');
      await inSession.press('Start a session', PATIENCE);
      await inSession.until('it is in a session', async () =>
        ((await navigator.locks.query()).held ?? []).some(({ name }) => name === 'tabloom-in-session'),
      );
      const again = await staticHost(await nextBuild(), '/', Number(new URL(host.url).port));
      const other = await browser.open(again.url);
      await other.until('the newer one waits', hasWaiting, PATIENCE);
      // Longer than a page is left alone at first; nothing takes its place meanwhile.
      await other.page.reload();
      await other.until('the start is quiet', () => performance.now() > 9000, PATIENCE);
      expect(await other.page.evaluate(hasWaiting)).toBe(true);
      await inSession.page.close();
      await other.page.reload();
      await other.until('the newer one is kept', keepsNext, PATIENCE);
      await again.close();
    });
  });
});
