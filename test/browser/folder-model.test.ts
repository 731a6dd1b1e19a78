import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { needs, WHOLE } from '../needs.ts';
import { type Tab, withBrowser } from './harness.ts';

/** A model from a folder of the host's disk: the server has none of it, and there is no hub. */

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PATIENCE = { timeoutMs: 120_000 };

let server: RunningServer;
let folder: string;

beforeAll(async () => {
  if (!existsSync(project('dist/index.html'))) throw new Error('The page is not built: run "npm run build" first.');
  folder = mkdtempSync(join(tmpdir(), 'tabloom-folder-'));
  mkdirSync(join(folder, 'my-model', 'runs'), { recursive: true });
  for (const name of ['config.json', 'tokenizer.json', 'model.safetensors'])
    copyFileSync(project(`models/roberta-mini/${name}`), join(folder, 'my-model', name));
  writeFileSync(join(folder, 'my-model', 'README.md'), 'Nothing of the model.');
  writeFileSync(join(folder, 'my-model', 'runs', 'config.json'), '{}');
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
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, maxRetries: 9 });
});

const shows = (tab: Tab, words: string): Promise<void> =>
  tab.until(`"${words}" is shown`, (text) => document.body.innerText.includes(text), { args: [words], ...PATIENCE });

describe('a model from a folder', needs(WHOLE), () => {
  it('trains on its host and on a device of another browser, which has it from the host', async () => {
    const origin = `http://127.0.0.1:${server.port}`;
    await withBrowser('chromium', async (browser) => {
      const tab = await browser.open(origin);
      const { page } = tab;
      await page.select('select[name="model"]', 'folder');
      await tab.press('Start a session', PATIENCE);
      await shows(tab, 'Choose the folder of a model');
      const input = await page.waitForSelector('input[name="folder"]');
      await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(join(folder, 'my-model'));
      await shows(tab, '3 files, 4.8 MB.');
      await tab.press('Start a session', PATIENCE);
      await shows(tab, 'Ready to start');
      const link = await page.$eval('input[aria-label="Session link"]', (field) => field.value);
      expect(link).toContain('#room=');

      await withBrowser('chromium', async (other) => {
        const device = await other.open(link.replaceAll('&amp;', '&'), { width: 390 });
        const asked: string[] = [];
        device.page.on('request', (request) => asked.push(request.url()));
        await device.press('Join', PATIENCE);
        await device.until(
          'it is ready',
          () => /Ready|It will train|Standing by/.test(document.body.innerText),
          PATIENCE,
        );
        await tab.press('Start training', PATIENCE);
        await tab.until(
          'three rounds are done',
          () => /Round ([3-9]|\d\d+) of/.test(document.body.innerText),
          PATIENCE,
        );
        // Two small files of a chunk each, two chunks of weights, and a note on each of the three.
        await device.until(
          'all of the model is there',
          async () => (await (await caches.open('tabloom-models-1')).keys()).length === 7,
          PATIENCE,
        );
        await device.until(
          'it trains',
          () => /Training (layer|the)|Done with its part|Standing by/.test(document.body.innerText),
          PATIENCE,
        );
        expect(asked.filter((url) => /safetensors|config\.json$|tokenizer/.test(url))).toEqual([]);
      });
    });
  });
});
