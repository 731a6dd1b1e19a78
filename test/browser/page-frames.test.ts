import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { firstScreenBytes } from '../bench/page-bytes.ts';
import { openGallery } from '../page/gallery/open-gallery.ts';
import { type Tab, withBrowser } from './harness.ts';

/** How much is drawn when something changes, counted: times depend on the machine, counts do not. */

declare global {
  /** Put there by the gallery. */
  var galleryCounts: { looked: number; screens: number };
}

const DEVICES = 50;
const CROWD = 64;
/** What the first screen fetches before it is drawn, in Brotli. */
const MOST_FIRST_BYTES = 90_000;
const built = fileURLToPath(new URL('../../dist', import.meta.url));

let gallery: Awaited<ReturnType<typeof openGallery>>;
beforeAll(async () => {
  gallery = await openGallery();
});
afterAll(() => gallery.close());

/** Pushes so many views in one go, in the last of which `busy` devices handed in one block more, and counts what followed. */
const pushed = (tab: Tab, views: number, busy: number, all = DEVICES) =>
  tab.page.evaluate(
    async (times: number, devices: number, all: number) => {
      const frame = () => new Promise(requestAnimationFrame);
      for (let i = 0; i < 6; i++) await frame();
      const touched = new Set<Node>();
      const note = (records: MutationRecord[]): void => {
        for (const { target, addedNodes } of records) {
          touched.add(target);
          for (const node of addedNodes) touched.add(node);
        }
      };
      const observer = new MutationObserver(note);
      observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
      const before = { ...globalThis.galleryCounts };
      for (let i = 1; i <= times; i++) {
        const activity = {
          round: 111,
          devices: Array.from({ length: all }, (_, place) => ({
            device: `device${String(place).padStart(3, '0')}`,
            received: place < devices ? i : 0,
            expected: 13,
          })),
        };
        dispatchEvent(new CustomEvent('gallery-push', { detail: { activity } }));
      }
      // Progress within a round waits for its turn.
      while (globalThis.galleryCounts.screens === before.screens) await frame();
      for (let i = 0; i < 4; i++) await frame();
      note(observer.takeRecords());
      observer.disconnect();
      const { screens, looked } = globalThis.galleryCounts;
      const fading = document.getAnimations().filter(({ effect }) => {
        const { target } = effect as KeyframeEffect;
        return target?.closest('.cloth') != null;
      }).length;
      return { fading, screens: screens - before.screens, looked: looked - before.looked, touched: touched.size };
    },
    views,
    busy,
    all,
  );

/** Pushes another report of progress every frame, for so long. */
const pushedFor = (tab: Tab, forMs: number) =>
  tab.page.evaluate(async (forMs: number) => {
    const before = globalThis.galleryCounts.screens;
    const startMs = performance.now();
    for (let received = 0; performance.now() - startMs < forMs; received++) {
      const activity = { round: 111, devices: [{ device: 'device000', received: received % 14, expected: 13 }] };
      dispatchEvent(new CustomEvent('gallery-push', { detail: { activity } }));
      await new Promise(requestAnimationFrame);
    }
    return { screens: globalThis.galleryCounts.screens - before, elapsedMs: performance.now() - startMs };
  }, forMs);

it('draws fifty devices once a frame, and touches what changed', async () => {
  await withBrowser('chromium', async (browser) => {
    const tab = await browser.open(gallery.address('training-50'), { width: 1280 });
    await tab.until('the cloth is drawn', () => document.querySelectorAll('.cell').length > 100);
    await pushed(tab, 1, 1);
    const burst = await pushed(tab, 12, 1);
    expect(burst.screens).toBe(1);
    const one = await pushed(tab, 1, 1);
    const all = await pushed(tab, 1, DEVICES);
    console.info(JSON.stringify({ burst, one, all }));
    // A device's cells are two groups that change their state; the rest of the page is left alone.
    expect(one.touched).toBeLessThan(60);
    expect(all.touched).toBeGreaterThan(one.touched);
    expect(all.touched).toBeLessThan(60 * DEVICES);
    // What Preact looks at, of some 9,000 nodes: the columns and the cells of the one that changed, and little else.
    expect(one.looked).toBeLessThan(3000);
    expect(all.looked).toBeLessThan(6000);
    // Each cell that fades would be a layer for the browser to draw, many times a second.
    expect(all.fading).toBe(0);
    const { screens, elapsedMs } = await pushedFor(tab, 1000);
    expect(screens).toBeGreaterThan(0);
    expect(screens).toBeLessThanOrEqual(elapsedMs / 250 + 2);
    expect(await tab.page.$$eval('.device-short', (lines) => lines.length)).toBe(DEVICES);
    expect(tab.errors).toEqual([]);
  });
});

it('draws a crowd of sixty-four, two thousand rounds in, by the same measure', async () => {
  await withBrowser('chromium', async (browser) => {
    const tab = await browser.open(gallery.address(`crowd-${CROWD}`), { width: 390 });
    await tab.until('the cloth is drawn', () => document.querySelectorAll('.cell').length > 100);
    await pushed(tab, 1, 1, CROWD);
    const burst = await pushed(tab, 12, 1, CROWD);
    expect(burst.screens).toBe(1);
    const one = await pushed(tab, 1, 1, CROWD);
    expect(one.touched).toBeLessThan(60);
    expect(one.looked).toBeLessThan(5000);
    expect(tab.errors).toEqual([]);
  });
});

it('fetches little before its first screen is drawn', () => {
  const bytes = firstScreenBytes(built);
  console.info(JSON.stringify(bytes));
  expect(bytes.scripts).toBeGreaterThan(20_000);
  expect(bytes.total).toBeLessThan(MOST_FIRST_BYTES);
});
