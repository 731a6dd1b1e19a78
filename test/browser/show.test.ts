import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withBrowser } from './harness.ts';
import { staticHost } from './static-host.ts';

/** The demonstration, from a host of plain files below a path: no server of ours, no header, no socket. */

const built = fileURLToPath(new URL('../../dist', import.meta.url));
const PATIENCE = { timeoutMs: 90_000 };
let host: Awaited<ReturnType<typeof staticHost>>;
beforeAll(async () => {
  if (!existsSync(`${built}/index.html`)) throw new Error('The page is not built: run "npm run build" first.');
  host = await staticHost(built, '/some/where/');
});
afterAll(() => host.close());

for (const kind of ['chromium', 'firefox'] as const)
  it(`trains with a host and three devices in one tab of ${kind}`, async () => {
    await withBrowser(kind, async (browser) => {
      const tab = await browser.open(host.url);
      await tab.page.locator('::-p-xpath(//button[normalize-space()="Show me, in this tab"])').click();
      await tab.until(
        'all four measured themselves',
        () => document.querySelectorAll('.show-ready').length === 4,
        PATIENCE,
      );
      await tab.until('a round is done', () => document.querySelector('[data-round]') !== null, PATIENCE);
      // Only config.json, which a server of ours would answer.
      expect(tab.errors.filter((line) => !line.includes('404'))).toEqual([]);
    });
  });
