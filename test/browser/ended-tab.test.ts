import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { needs, WHOLE } from '../needs.ts';
import { type Tab, withBrowser } from './harness.ts';

/** A tab that the browser ends in the middle of training, and the page that is opened after it. */

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PATIENCE = { timeoutMs: 120_000 };

let server: RunningServer;

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
});
afterAll(() => server.close());

const shows = (tab: Tab, words: string): Promise<void> =>
  tab.until(`"${words}" is shown`, (text) => document.body.innerText.includes(text), { args: [words], ...PATIENCE });

const trains = (tab: Tab): Promise<void> =>
  tab.until('a round is done', () => /Round \d+ of \d+/.test(document.body.innerText), PATIENCE);

it(
  'says what the page was at when it ended, claims half, and says nothing after one that was closed',
  needs(WHOLE),
  async () => {
    const origin = `http://127.0.0.1:${server.port}`;
    await withBrowser('chromium', async (browser) => {
      const closed = await browser.open(origin);
      await closed.press('Start a session');
      await closed.press('Start training', PATIENCE);
      await trains(closed);
      const claim = () =>
        closed.page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('tabloom.at.')));
      expect(await claim()).toHaveLength(1);
      await closed.page.close({ runBeforeUnload: false });

      const ended = await browser.open(origin);
      await shows(ended, 'Start a session');
      expect(await ended.page.evaluate(() => document.body.innerText)).not.toContain('Last time this page ended');
      await ended.press('Start a session');
      await ended.press('Start training', PATIENCE);
      await trains(ended);
      await ended.page.goto('chrome://crash').catch(() => undefined);

      const next = await browser.open(origin);
      await shows(next, 'Last time this page ended while it was training');
      const past = await next.page.evaluate(() => localStorage.getItem('tabloom.past'));
      const { claimBytes, ended: crumb } = JSON.parse(past ?? '');
      expect(crumb).toMatchObject({ what: 'train', model: 'roberta-mini', hidden: false });
      expect(claimBytes).toBe(Math.max(5e7, Math.floor(crumb.bytes / 2)));
    });
  },
);
