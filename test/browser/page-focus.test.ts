import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGallery } from '../page/gallery/open-gallery.ts';
import { BROWSER_KINDS } from './find-browser.ts';
import { SharedBrowser } from './harness.ts';
import { onPhone, type Person } from './person.ts';

/** Whoever goes by keyboard is never thrown back to the top; nothing jumps; nothing moves for those who do not want it. */

let gallery: Awaited<ReturnType<typeof openGallery>>;
beforeAll(async () => {
  gallery = await openGallery();
});
afterAll(() => gallery.close());

/** In a session, whose headline takes the focus when it is there. */
async function enterSession(person: Person, state: string): Promise<void> {
  await person.go(state);
  await headlineHasFocus(person);
}

const headlineHasFocus = ({ tab }: Person): Promise<void> =>
  tab.until('the focus is on the headline', () => document.activeElement?.tagName === 'H1');

/** Presses by keyboard what has this name. */
async function enter({ tab: { page } }: Person, name: string): Promise<void> {
  const button = await page.waitForSelector(
    `::-p-xpath(//button[normalize-space()='${name}' or @aria-label='${name}'])`,
  );
  await button?.focus();
  await page.keyboard.press('Enter');
}

const focusIsOn = ({ tab }: Person, words: string): Promise<void> =>
  tab.until(
    `the focus is on "${words}"`,
    (wanted) => {
      const active = document.activeElement;
      return active !== document.body && (active?.getAttribute('aria-label') ?? active?.textContent)?.trim() === wanted;
    },
    { args: [words] },
  );

describe.each(BROWSER_KINDS)('the focus with %s', (kind) => {
  const browser = new SharedBrowser(kind);
  afterAll(() => browser.close());

  it('stays where something goes on after start, pause, going on, finish, download and leaving', async () => {
    await onPhone(gallery, browser, async (person) => {
      await person.go('start');
      await enter(person, 'Start a session');
      await focusIsOn(person, 'Preparing the session');

      await enterSession(person, 'lobby');
      await enter(person, 'Start training');
      await focusIsOn(person, 'Pause');
      await person.tab.page.keyboard.press('Enter');
      await focusIsOn(person, 'Go on');
      await person.tab.page.keyboard.press('Enter');
      await focusIsOn(person, 'Pause');
      await enter(person, 'Finish now');
      await focusIsOn(person, 'Finish');
      await person.tab.page.keyboard.press('Enter');
      await headlineHasFocus(person);

      await enterSession(person, 'finished');
      // A browser's own list of downloads takes the keyboard from the page.
      await person.tab.page.evaluate(() => {
        HTMLAnchorElement.prototype.click = () => undefined;
      });
      await enter(person, 'Download: Merged model');
      await person.shows('model.safetensors');
      await focusIsOn(person, 'Download: Merged model');

      await enterSession(person, 'training-host');
      await enter(person, 'End the session');
      await focusIsOn(person, 'End it');
      await person.tab.page.keyboard.press('Enter');
      await headlineHasFocus(person);

      await enterSession(person, 'device-training');
      await enter(person, 'Pause my device');
      await focusIsOn(person, 'Go on');
      await enter(person, 'Leave');
      await focusIsOn(person, 'Thank you');
    });
  });
});

describe('the page', () => {
  const browser = new SharedBrowser('chromium');
  afterAll(() => browser.close());

  it('hardly shifts while a device gets ready', async () => {
    await onPhone(gallery, browser, async (person) => {
      const { page } = person.tab;
      await person.go('lobby-device-loading');
      await page.evaluate(() => {
        const shifts: { value: number; of: string[] }[] = [];
        Object.assign(globalThis, { shifts });
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & {
            value: number;
            sources: { node: Node | null }[];
          })[])
            shifts.push({
              value: entry.value,
              of: entry.sources.map(({ node }) => (node as Element | null)?.outerHTML?.slice(0, 80) ?? 'text'),
            });
        }).observe({ type: 'layout-shift', buffered: false });
      });
      const transfer = (share: number) => ({
        ...{ bytes: 5e6 * share, totalBytes: 5e6, bytesPerSecond: 1e6, secondsLeft: 5 * (1 - share) },
      });
      for (const status of [
        { kind: 'joining' },
        ...[0, 0.3, 0.7, 1].map((share) => ({
          kind: 'loading',
          done: 10 * share,
          total: 10,
          transfer: transfer(share),
        })),
        { kind: 'profiling' },
        { kind: 'ready' },
      ]) {
        await page.evaluate(async (detail) => {
          dispatchEvent(new CustomEvent('gallery-push', { detail: { status: detail } }));
          // Drawn, and looked at for shifts.
          for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
        }, status);
      }
      const shifts = await page.evaluate(() => Reflect.get(globalThis, 'shifts') as { value: number; of: string[] }[]);
      const sum = shifts.reduce((all, { value }) => all + value, 0);
      expect(sum, JSON.stringify(shifts)).toBeLessThan(0.05);
    });
  });

  it('keeps the button that starts in view, wherever one is in the form', async () => {
    await onPhone(gallery, browser, async (person) => {
      const { page } = person.tab;
      for (const [width, height] of [
        [390, 844],
        [1280, 800],
      ] as const) {
        await page.setViewport({ width, height });
        await person.go('start');
        const outside = (scroll: number): Promise<number> =>
          page.evaluate((share) => {
            const form = document.querySelector('.start-form')!.getBoundingClientRect();
            const lowest = Math.max(0, form.bottom + scrollY - innerHeight);
            scrollTo(0, share * lowest);
            const button = document.querySelector('.start-bar button')!.getBoundingClientRect();
            return Math.max(0, -button.top, button.bottom - innerHeight);
          }, scroll);
        expect(await outside(0)).toBe(0);
        await person.learn('mnli');
        for (const fold of ['training', 'more'])
          await page.$eval(`details[data-fold="${fold}"]`, (details) => details.setAttribute('open', ''));
        for (const share of [0, 0.3, 0.6, 1]) expect(await outside(share)).toBe(0);
      }
    });
  }, 60_000);

  it('moves nothing for those who do not want it', async () => {
    await onPhone(gallery, browser, async (person) => {
      const { page } = person.tab;
      const moving = (): string[] =>
        [...document.querySelectorAll('*')]
          .filter((one) => {
            const { animationName, transitionDuration } = getComputedStyle(one);
            return animationName !== 'none' || transitionDuration.split(', ').some((time) => time !== '0s');
          })
          .map((one) => `${one.tagName}.${one.getAttribute('class')}`);
      const states = ['training-host', 'device-training', 'device-late', 'split-training', 'finished'];
      const of = async (motion: string): Promise<Record<string, string[]>> => {
        await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: motion }]);
        const found: Record<string, string[]> = {};
        for (const state of states) {
          await person.go(state);
          const seen = await page.evaluate(moving);
          if (seen.length > 0) found[state] = seen;
        }
        return found;
      };
      expect(Object.keys(await of('no-preference')).length).toBeGreaterThan(2);
      expect(await of('reduce')).toEqual({});
    });
  });
});
