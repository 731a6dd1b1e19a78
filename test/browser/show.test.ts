import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs, WHOLE } from '../needs.ts';
import { axeFinds, giveAxe } from './axe.ts';
import { BROWSER_KINDS } from './find-browser.ts';
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
    (label) =>
      [...document.querySelectorAll('button')].some(
        (one) => !one.disabled && one.getAttribute('aria-disabled') !== 'true' && one.textContent === label,
      ),
    { args: [words], ...PATIENCE },
  );
  await tab.page.locator(`::-p-xpath(//button[normalize-space()='${words}'])`).click();
}

async function toRounds(tab: Tab): Promise<void> {
  await goOn(tab, 'Show me, in this tab');
  await goOn(tab, 'See the plan');
  await goOn(tab, 'Train');
  await tab.until('a round is done', () => document.querySelector('[data-round]') !== null, PATIENCE);
}

/** The stations after the first rounds: what leads on from each, and a word of the picture that then has come. */
const STATIONS = ['Unplug the phone', 'Take memory away', 'Take more memory away', 'Ask the model'];

/** Nothing that axe knows is wrong at this station. */
const looksRight = async (tab: Tab, station: string): Promise<void> =>
  expect({ [station]: await axeFinds(tab) }).toEqual({ [station]: [] });

describe.each(BROWSER_KINDS)('in one tab of %s', needs(WHOLE), (kind) => {
  it('a whole session is led through', async () => {
    await withBrowser(kind, async (browser) => {
      const tab = await browser.open(host.url);
      await giveAxe(tab);
      await looksRight(tab, 'the first page');
      await toRounds(tab);
      await looksRight(tab, 'rounds');
      for (const words of STATIONS) {
        await goOn(tab, words);
        await tab.until(
          `what follows on "${words}" has come`,
          () => document.querySelector('.show-next')?.getAttribute('aria-disabled') === 'false',
          PATIENCE,
        );
        await looksRight(tab, words);
        await tab.screenshot(`show-${kind}-${words.toLowerCase().replaceAll(' ', '-')}`);
      }
      await goOn(tab, 'Ask');
      await tab.until(
        'the model answered, as it is and as it was',
        () => document.querySelectorAll('.answer').length === 2,
        PATIENCE,
      );
      await looksRight(tab, 'the answer');
      expect(await tab.page.$eval('h1', (one) => one.textContent)).toBe('What it has learned');
      // Only config.json, which a server of ours would answer.
      expect(tab.errors.filter((line) => !line.includes('404'))).toEqual([]);
    });
  });
});

for (const kind of BROWSER_KINDS)
  it(`trains with a host and three devices in one tab of ${kind}`, async () => {
    await withBrowser(kind, async (browser) => {
      const tab = await browser.open(host.url);
      await toRounds(tab);
      await tab.screenshot(`show-${kind}`);
      expect(tab.errors.filter((line) => !line.includes('404'))).toEqual([]);
    });
  });

it('does at once what a person does to a device', needs(WHOLE), async () => {
  await withBrowser('chromium', async (browser) => {
    const tab = await browser.open(host.url);
    await toRounds(tab);
    const status = (place: number) => tab.page.$$eval('.show-status', (all, at) => all[at]?.textContent ?? '', place);
    const settles = (what: string, place: number, words: string) =>
      tab.until(
        what,
        (at, text) => document.querySelectorAll('.show-status')[at]?.textContent?.includes(text) ?? false,
        { args: [place, words] as [number, string], ...PATIENCE },
      );
    // Sixteen times slower than the others the old laptop is of no use any more.
    await settles('the old laptop works', 1, 'trains');
    await tab.page.$eval('.show-device:nth-child(2) input', (slider) => {
      (slider as HTMLInputElement).value = '0';
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await settles('the old laptop stands by', 1, 'stands by');
    expect(await status(1)).toContain('stands by');
    // A lie is found by others that compute the same, and whoever told it is out.
    await tab.page.locator('.show-device:nth-child(3) .show-deeds button:nth-child(3)').click();
    await settles('the tablet was found out', 2, 'found out');
  });
});
