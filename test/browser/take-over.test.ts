import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { needs, WHOLE } from '../needs.ts';
import { type Tab, withBrowser } from './harness.ts';
import { openDevice } from './person.ts';
import { fill, PATIENCE, press, shows } from './pressing.ts';

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const ROUNDS = 40;
const LEADS = 'this device leads the session now';

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
    iceServers: [],
    log: () => undefined,
  });
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

const ready = (tab: Tab, devices: number): Promise<void> =>
  tab.until(`${devices} devices are ready`, (text: string) => document.body.innerText.includes(text), {
    ...PATIENCE,
    args: [`${devices} devices are ready`],
  });

/** Rounds that are done, as the page says it. */
const trained = (tab: Tab, atLeast: number): Promise<void> =>
  tab.until(
    `${atLeast} rounds are done`,
    (least: number) => {
      const [, round = '0'] = /Round (\d+)/.exec(document.body.textContent ?? '') ?? [];
      return Number(round) >= least;
    },
    { ...PATIENCE, args: [atLeast] },
  );

const says = (tab: Tab, words: string): Promise<boolean> =>
  tab.page.evaluate((text: string) => document.body.textContent?.includes(text) === true, words);

/** The first of these tabs that says so. */
async function leader(tabs: readonly Tab[]): Promise<Tab> {
  const deadlineMs = performance.now() + PATIENCE.timeoutMs;
  while (performance.now() < deadlineMs) {
    for (const tab of tabs) if (await says(tab, LEADS)) return tab;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('Nobody leads the session.');
}

it('goes on in other tabs, one after the other, when those that led it are closed', {
  ...needs(WHOLE),
  timeout: 300_000,
}, async () => {
  await withBrowser('chromium', (chromium) =>
    withBrowser('firefox', async (firefox) => {
      const host = await chromium.open(origin, { width: 1280 });
      await openDevice(host);
      await fill(host, 'name', 'Host laptop');
      for (const fold of await host.page.$$('summary')) await fold.click();
      await fill(host, 'rounds', String(ROUNDS));
      await fill(host, 'samplesPerRound', '12');
      await press(host, 'Start a session');
      const field = await host.page.waitForSelector('input[aria-label="Session link"]', {
        timeout: PATIENCE.timeoutMs,
      });
      const link = (await field?.evaluate((input) => input.value)) ?? '';
      const others: Tab[] = [];
      for (const [i, browser] of [firefox, chromium].entries()) {
        const tab = await browser.open(link, { width: 390 });
        await fill(tab, 'name', `Tab ${i + 2}`);
        await press(tab, 'Join');
        await host.page.bringToFront();
        await ready(host, i + 2);
        others.push(tab);
      }
      await press(host, 'Start training');
      await trained(host, 4);
      await host.page.close();

      const first = await leader(others);
      const second = others.find((tab) => tab !== first);
      if (second === undefined) throw new Error('There is no third tab.');
      // The other one says who leads, and that the host had gone.
      await second.until(
        'the other tab is told',
        () => /Tab [23] leads the session now/.test(document.body.textContent ?? ''),
        PATIENCE,
      );
      await trained(first, 12);
      expect(await says(second, LEADS)).toBe(false);

      await first.page.close();
      expect(await leader([second])).toBe(second);
      await shows(second, `Finished after ${ROUNDS} rounds`);
      await second.until('the adapter is offered', () => /Download/.test(document.body.innerText), PATIENCE);
      expect(second.errors).toEqual([]);
    }),
  );
});
