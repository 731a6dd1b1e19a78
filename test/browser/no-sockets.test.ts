import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startServer } from '../../signaling/server/server.ts';
import { withBrowser } from './harness.ts';
import { withoutSockets } from './no-sockets.ts';

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PATIENCE = { timeoutMs: 120_000 };

it('where WebSockets are refused or swallowed, a session is the same from the first page to the last round', async () => {
  const server = await startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: project('dist'),
    modelsFolder: project('models'),
    hubFolder: null,
    iceServers: [],
    log: () => undefined,
  });
  const refusing = await withoutSockets(server.port, 'refused');
  const swallowing = await withoutSockets(server.port, 'swallowed');
  try {
    await withBrowser('chromium', (chromium) =>
      withBrowser('firefox', async (firefox) => {
        const host = await chromium.open(refusing.origin);
        for (const fold of await host.page.$$('summary')) await fold.click();
        await host.fill('input[name="rounds"]', '2');
        await host.page.locator('::-p-xpath(//button[normalize-space()="Start a session"])').click();
        const field = await host.page.waitForSelector('input[aria-label="Session link"]', { timeout: 120_000 });
        const link = (await field?.evaluate((input) => input.value)) ?? '';
        const phone = await firefox.open(link.replace(refusing.origin, swallowing.origin), { width: 390 });
        await phone.page.locator('::-p-xpath(//button[normalize-space()="Join"])').setTimeout(60_000).click();
        await host.until('both are ready', () => /2 devices are ready/.test(document.body.innerText), PATIENCE);
        await host.page.bringToFront();
        await host.page.locator('::-p-xpath(//button[normalize-space()="Start training"])').click();
        for (const tab of [host, phone]) {
          await tab.until('it is done', () => /Finished after 2 rounds/.test(document.body.innerText), PATIENCE);
          // Nobody is told of what costs them nothing.
          expect(await tab.page.evaluate(() => document.body.innerText)).not.toMatch(
            /reconnect|does not answer|blocked/i,
          );
        }
        for (const { wishes } of [refusing, swallowing]) expect(wishes()).toBeGreaterThan(0);
      }),
    );
  } finally {
    refusing.close();
    swallowing.close();
    await server.close();
  }
});
