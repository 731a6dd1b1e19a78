import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGallery } from '../page/gallery/open-gallery.ts';
import { STATES } from '../page/gallery/states.ts';
import { axeFinds, giveAxe } from './axe.ts';
import { SharedBrowser, type Tab } from './harness.ts';

/** What must hold in every state of the page, in a real browser at a phone's width. */

let gallery: Awaited<ReturnType<typeof openGallery>>;
beforeAll(async () => {
  gallery = await openGallery();
});
const chromium = new SharedBrowser('chromium');
afterAll(async () => {
  await chromium.close();
  await gallery.close();
});

const inPhone = (body: (tab: Tab, go: (state: string) => Promise<void>) => Promise<void>) =>
  chromium.use(async (browser) => {
    const tab = await browser.open(gallery.address('start'), { width: 390 });
    const go = async (state: string): Promise<void> => {
      await tab.page.evaluate((detail) => dispatchEvent(new CustomEvent('gallery', { detail })), state);
      await tab.until(
        `${state} is drawn`,
        (name) => document.querySelector('#app')?.getAttribute('data-drawn') === name,
        {
          args: [state],
        },
      );
    };
    await body(tab, go);
  });

/** Runs in the page: what a phone or a screen reader would stumble over. */
function faults(): string[] {
  const out: string[] = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    const wide = [...document.querySelectorAll('body *')].filter(
      (element) =>
        element.getBoundingClientRect().right > width + 1 &&
        element.closest('.cloth-frame, .table-frame, .code-frame') === null,
    );
    out.push(
      `scrolls sideways: ${wide.map((element) => `${element.tagName}.${element.getAttribute('class')}`).join(', ')}`,
    );
  }
  const headings = [...document.querySelectorAll('h1, h2, h3')].map((heading) => Number(heading.tagName.slice(1)));
  if (headings.filter((level) => level === 1).length !== 1) out.push('not exactly one h1');
  for (const button of document.querySelectorAll('button, summary, .file-button')) {
    const name = button.getAttribute('aria-label') ?? button.textContent?.trim() ?? '';
    const { width: w, height: h } = button.getBoundingClientRect();
    if (name === '') out.push('a button without a name');
    if (w > 0 && (w < 44 || h < 44)) out.push(`"${name}" is ${Math.round(w)} by ${Math.round(h)}`);
  }
  for (const control of document.querySelectorAll<HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>(
    'input, select, textarea',
  ))
    if ((control.labels?.length ?? 0) === 0 && !control.hasAttribute('aria-label'))
      out.push(`no label: ${control.name}`);
  for (const element of document.querySelectorAll('[aria-labelledby], [aria-describedby]'))
    for (const attribute of ['aria-labelledby', 'aria-describedby'])
      for (const id of element.getAttribute(attribute)?.split(' ') ?? [])
        if (document.getElementById(id) === null) out.push(`${attribute} names "${id}", which is not there`);
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) out.push(`two elements have the id "${id}"`);
  return out;
}

describe('the page on a phone', () => {
  it('fits, is labelled and logs no error in any state', async () => {
    await inPhone(async (tab, go) => {
      const found: Record<string, string[]> = {};
      for (const state of STATES) {
        await go(state);
        const seen = await tab.page.evaluate(faults);
        if (seen.length > 0) found[state] = seen;
      }
      expect(found).toEqual({});
      expect(tab.errors).toEqual([]);
    });
  });

  it('has nothing that axe finds, in any state and scheme', async () => {
    await inPhone(async (tab, go) => {
      await giveAxe(tab);
      const found: Record<string, string[]> = {};
      for (const state of STATES) {
        await go(state);
        // Only colours differ in the dark.
        for (const [scheme, rules] of [
          ['light', null],
          ['dark', ['color-contrast', 'link-in-text-block']],
        ] as const) {
          await tab.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
          const seen = await axeFinds(tab, rules);
          if (seen.length > 0) found[`${state}, ${scheme}`] = seen;
        }
      }
      expect(found).toEqual({});
    });
  }, 400_000);

  it('draws a cell for each block that a device trains, and a table that says the same', async () => {
    await inPhone(async (tab, go) => {
      await go('training-host');
      await tab.until('the cloth is drawn', () => document.querySelectorAll('.cell').length > 0);
      expect(await tab.page.$$eval('.cell', (cells) => cells.length)).toBe(7);
      expect(await tab.page.$$eval('.cell-woven', (cells) => cells.length)).toBe(4);
      expect(await tab.page.$$eval('tbody tr', (rows) => rows.map((row) => row.children[1]?.textContent))).toEqual([
        'layers 2–3',
        'layers 4–5 and the head',
        'layers 0–1',
      ]);
      expect(await tab.page.$eval('.cloth desc', (desc) => desc.textContent)).toContain(
        'Pixel 8 trains layers 4–5 and the head',
      );
    });
  });

  it('keeps what was typed, opens the fold with the wrong field and moves there', async () => {
    await inPhone(async (tab, go) => {
      await go('start');
      const { page } = tab;
      await page.$eval('details[data-fold="training"]', (fold) => fold.setAttribute('open', ''));
      await tab.fill('input[name="rank"]', 'many');
      await page.$eval('details[data-fold="training"]', (fold) => fold.removeAttribute('open'));
      await page.locator('button[type="submit"].primary').click();
      await tab.until('the rank has the focus', () => document.activeElement?.getAttribute('name') === 'rank');
      const rank = await page.$eval('input[name="rank"]', (input) => ({
        value: (input as HTMLInputElement).value,
        invalid: input.getAttribute('aria-invalid'),
        said: document.getElementById(input.getAttribute('aria-describedby')?.split(' ')[0] ?? '')?.textContent,
      }));
      expect(rank).toEqual({
        value: 'many',
        invalid: 'true',
        said: 'The rank must be a whole number from 1 to 256; this is “many”.',
      });

      await tab.fill('input[name="rank"]', '16');
      await page.locator('button[type="submit"].primary').click();
      await tab.until(
        'the session begins',
        () => document.querySelector('h1')?.textContent === 'Preparing the session',
      );
    });
  });

  it('says what is wrong with a code, and joins with a right one', async () => {
    await inPhone(async (tab, go) => {
      await go('start#room=abc23o');
      await tab.until(
        'the code is refused',
        () =>
          document.querySelector('.field-problem')?.textContent?.includes('so "o" must be another character') ?? false,
      );
      await tab.fill('input[name="code"]', 'ABC 234');
      await tab.page.locator('button.primary').click();
      await tab.until('the session is seen', () => document.querySelector('h1')?.textContent?.startsWith('Sentiment'));
      expect(await tab.page.evaluate(() => location.hash)).toBe('#room=abc234');
      await tab.page.locator('button[type="submit"].primary').click();
      await tab.until(
        'the device waits',
        () => document.querySelector('h1')?.textContent === 'Waiting for Linen Shuttle to let you in',
      );
    });
  });

  it('asks once before the session ends for everyone', async () => {
    await inPhone(async (tab, go) => {
      await go('training-host');
      const press = (words: string) => tab.page.locator(`::-p-xpath(//button[normalize-space()='${words}'])`).click();
      await press('End the session');
      await tab.until('the question is asked', () => document.activeElement?.textContent === 'End it');
      await press('Keep going');
      await tab.until('the question is gone', () => document.querySelector('.confirm') === null);
    });
  });
});
