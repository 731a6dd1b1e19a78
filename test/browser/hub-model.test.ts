import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { type Tab, withBrowser } from './harness.ts';
import { openDevice } from './person.ts';

/** A model from a hub with 8-bit weights, from the page alone: told before, trained with by two browsers, and kept for the next time. */

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PATIENCE = { timeoutMs: 120_000 };

let server: RunningServer;
let origin: string;
beforeAll(async () => {
  if (!existsSync(project('dist/index.html'))) throw new Error('The page is not built: run "npm run build" first.');
  server = await startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: project('dist'),
    modelsFolder: project('models'),
    hubFolder: null,
    modelFolder: project('models/roberta-mini'),
    iceServers: [],
    log: () => undefined,
  });
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

const shows = (tab: Tab, words: string): Promise<void> =>
  tab.until(`"${words}" is shown`, (text) => document.body.innerText.includes(text), { args: [words], ...PATIENCE });

async function fill(tab: Tab, name: string, value: string): Promise<void> {
  await tab.page.bringToFront();
  const input = await tab.page.waitForSelector(`input[name="${name}"]`, { visible: true });
  await input?.click({ count: 3 });
  await input?.type(value);
}

async function press(tab: Tab, words: string): Promise<void> {
  await tab.until(
    `"${words}" can be pressed`,
    (label) =>
      [...document.querySelectorAll('button')].some((one) => !one.disabled && one.textContent?.trim() === label),
    { args: [words], ...PATIENCE },
  );
  await tab.page.bringToFront();
  await tab.page.locator(`::-p-xpath(//button[normalize-space()='${words}'])`).click();
}

async function nameModel(tab: Tab): Promise<void> {
  await tab.page.select('select[name="model"]', 'hub');
  await fill(tab, 'endpoint', `${origin}/hub`);
  await fill(tab, 'repository', 'local/roberta-mini');
  // Leaving the field says that the name is whole.
  await tab.page.keyboard.press('Tab');
}

it('is told before, trained with and kept', async () => {
  await withBrowser('chromium', (chromium) =>
    withBrowser('firefox', async (firefox) => {
      const host = await chromium.open(origin, { width: 1280 });
      await openDevice(host);
      await fill(host, 'name', 'Host laptop');
      await nameModel(host);
      await shows(host, 'to download');
      await host.page.select('select[name="weights"]', 'int8');
      await host.screenshot('hub-model-told-1280');
      await host.page.locator(`::-p-xpath(//summary[starts-with(normalize-space(), 'LoRA and training')])`).click();
      await fill(host, 'rounds', '3');
      await press(host, 'Start a session');
      const field = await host.page.waitForSelector('input[aria-label="Session link"]', {
        timeout: PATIENCE.timeoutMs,
      });
      const link = (await field?.evaluate((input) => input.value)) ?? '';

      const phone = await firefox.open(link, { width: 390 });
      await fill(phone, 'name', 'Fox phone');
      await press(phone, 'Join');
      await host.until('both are ready', () => /2 devices are ready/.test(document.body.innerText), PATIENCE);
      await press(host, 'Start training');
      await shows(host, 'Finished after 3 rounds');
      await shows(phone, 'Finished after 3 rounds');
      await host.screenshot('hub-model-trained-1280');

      const again = await chromium.open(origin, { width: 390 });
      await nameModel(again);
      await shows(again, 'are on this device already');
      await again.screenshot('hub-model-kept-390');
      expect(again.errors.filter((line) => line.startsWith('uncaught'))).toEqual([]);
    }),
  );
});
