/**
 * Pictures of every state at the widths of a phone, a tablet and a desk, light and dark: `npm run gallery -- OUT-FOLDER [STATE...]`.
 * Looking at them is for people; what must hold for all of them is in test/browser/page-states.test.ts.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withBrowser } from '../../browser/harness.ts';
import { openGallery } from './open-gallery.ts';
import { STATES } from './states.ts';

const WIDTHS = [390, 768, 1280] as const;

const [folder, ...wanted] = process.argv.slice(2);
if (folder === undefined) {
  console.error('Say where the pictures go: npm run gallery -- OUT-FOLDER [STATE...]');
  process.exit(2);
}
const strange = wanted.filter((state) => !STATES.includes(state));
if (strange.length > 0) {
  console.error(`The gallery has no state ${strange.join(', ')}; its first page lists them.`);
  process.exit(2);
}
await mkdir(folder, { recursive: true });
const states = wanted.length > 0 ? wanted : STATES;
const gallery = await openGallery();
try {
  await withBrowser('chromium', async (browser) => {
    for (const width of WIDTHS) {
      const tab = await browser.open(gallery.address('start'), { width });
      const { page } = tab;
      for (const state of states) {
        await page.evaluate((detail) => dispatchEvent(new CustomEvent('gallery', { detail })), state);
        await tab.until(
          `${state} is drawn`,
          (name) => document.querySelector('#app')?.getAttribute('data-drawn') === name,
          {
            args: [state],
          },
        );
        for (const scheme of ['light', 'dark']) {
          await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
          const name = `${state.replace(/\W+/g, '-')}-${width}-${scheme}.png` as const;
          await page.screenshot({ path: join(folder, name) as `${string}.png`, fullPage: true });
        }
      }
      await page.close();
    }
  });
} finally {
  await gallery.close();
}
