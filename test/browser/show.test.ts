import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Tab, withBrowser } from './harness.ts';
import { staticHost } from './static-host.ts';

/** The demonstration, from a host of plain files below a path: no server of ours, no header, no socket. */

const built = fileURLToPath(new URL('../../dist', import.meta.url));
const PATIENCE = { timeoutMs: 60_000 };
let host: Awaited<ReturnType<typeof staticHost>>;
beforeAll(async () => {
  if (!existsSync(`${built}/index.html`)) throw new Error('The page is not built: run "npm run build" first.');
  host = await staticHost(built, '/some/where/');
});
afterAll(() => host.close());

/** Presses what leads on, as soon as it can be pressed. */
async function goOn(tab: Tab, words: string): Promise<void> {
  await tab.until(
    `"${words}" can be pressed`,
    (label) => [...document.querySelectorAll('button')].some((one) => !one.disabled && one.textContent === label),
    { args: [words], ...PATIENCE },
  );
  await tab.page.locator(`::-p-xpath(//button[normalize-space()='${words}'])`).click();
}

const heading = (tab: Tab): Promise<string> => tab.page.$eval('h1', (one) => one.textContent ?? '');

async function toRounds(tab: Tab): Promise<void> {
  await goOn(tab, 'Show me, in this tab');
  await goOn(tab, 'See the plan');
  await goOn(tab, 'Train');
  await tab.until('a round is done', () => document.querySelector('[data-round]') !== null, PATIENCE);
}

it('leads through a whole session in one tab of Chromium', async () => {
  await withBrowser('chromium', async (browser) => {
    const tab = await browser.open(host.url);
    await toRounds(tab);
    const began = performance.now();
    const note = async (what: string) =>
      console.log(
        what,
        Math.round((performance.now() - began) / 100) / 10,
        await tab.page.$eval('main', (m) => (m as HTMLElement).innerText.slice(0, 1500)),
      );
    await tab.screenshot('show-round');
    await goOn(tab, 'Unplug the phone');
    await note('unplug');
    await tab.until(
      'the plan goes on without the phone',
      () => document.querySelector<HTMLButtonElement>('.show-next')?.disabled === false,
      PATIENCE,
    );
    await tab.screenshot('show-left');
    await goOn(tab, 'Take memory away');
    await note('left');
    await tab.until(
      'depth',
      () => document.querySelector<HTMLButtonElement>('.show-next')?.disabled === false,
      PATIENCE,
    );
    await tab.screenshot('show-depth');
    await goOn(tab, 'Take more memory away');
    await note('depth');
    await tab.until(
      'split',
      () => document.querySelector<HTMLButtonElement>('.show-next')?.disabled === false,
      PATIENCE,
    );
    await tab.screenshot('show-split');
    await goOn(tab, 'Ask the model');
    await note('split');
    await goOn(tab, 'Ask');
    await tab.until('the model answered', () => document.querySelectorAll('.answer').length > 0, PATIENCE);
    await note('answer');
    await tab.screenshot('show-answer');
    expect(await heading(tab)).toBe('What it has learned');
    // Only config.json, which a server of ours would answer.
    expect(tab.errors.filter((line) => !line.includes('404'))).toEqual([]);
  });
});

it('trains in one tab of Firefox', async () => {
  await withBrowser('firefox', async (browser) => {
    const tab = await browser.open(host.url);
    await toRounds(tab);
    await tab.screenshot('show-firefox');
    expect(tab.errors.filter((line) => !line.includes('404'))).toEqual([]);
  });
});
