/**
 * Pictures of every state at phone and desk width, light and dark: `npx tsx test/page/gallery/shoot.ts OUT-FOLDER [STATE...]`.
 * Looks at them are for people; what must hold for all of them is in ../gallery.test.ts.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { VIEWS } from './gallery-views.ts';
import { openGallery } from './open-gallery.ts';

const [folder, ...wanted] = process.argv.slice(2);
if (folder === undefined) {
  console.error('Say where the pictures go: npx tsx test/page/gallery/shoot.ts OUT-FOLDER [STATE...]');
  process.exit(2);
}
await mkdir(folder, { recursive: true });
const states = wanted.length > 0 ? wanted : ['start', 'start#room=abc234', ...Object.keys(VIEWS)];
const gallery = await openGallery();
try {
  for (const width of [390, 1280])
    for (const scheme of ['light', 'dark'] as const)
      for (const state of states) {
        const page = await gallery.show(state, { width, scheme });
        await page.screenshot({
          path: join(folder, `${state.replace(/\W+/g, '-')}-${width}-${scheme}.png`) as `${string}.png`,
          fullPage: true,
        });
        await page.close();
      }
} finally {
  await gallery.close();
}
