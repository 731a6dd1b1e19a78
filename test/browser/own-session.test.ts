import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { MINI_REQUEST, startNodeHost } from '../host/node-host.ts';
import { type Tab, withBrowser } from './harness.ts';
import { learn, openDevice } from './person.ts';

/** A person's own table, from the page to the model's answers and back after a reload; everything real but the person. */

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PATIENCE = { timeoutMs: 120_000 };
const ROUNDS = 12;

/** Classes that one word tells apart, so that a dozen rounds are enough to learn them. */
const TABLE = [
  'kind\ttext',
  ...Array.from({ length: 240 }, (_, i) => {
    const what = ['film', 'book', 'song', 'play', 'meal', 'walk'][i % 6];
    return i % 2 === 0 ? `praise\tA wonderful ${what}, number ${i}` : `blame\tAn awful ${what}, number ${i}`;
  }),
  'only one field',
].join('\n');

let server: RunningServer;
let origin: string;
let folder: string;

beforeAll(async () => {
  if (!existsSync(project('dist/index.html'))) throw new Error('The page is not built: run "npm run build" first.');
  folder = mkdtempSync(join(tmpdir(), 'tabloom-own-'));
  server = await startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: project('dist'),
    modelsFolder: project('models'),
    hubFolder: null,
    iceServers: [],
    log: () => undefined,
  });
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, maxRetries: 9 });
});

const shows = (tab: Tab, words: string): Promise<void> =>
  tab.until(`"${words}" is shown`, (text) => document.body.innerText.includes(text), { args: [words], ...PATIENCE });

const press = async (tab: Tab, words: string): Promise<void> => {
  await tab.until(
    `"${words}" can be pressed`,
    (label) =>
      [...document.querySelectorAll('button')].some((one) => !one.disabled && one.textContent?.trim() === label),
    { args: [words], ...PATIENCE },
  );
  await tab.page.locator(`::-p-xpath(//button[normalize-space()='${words}'])`).click();
};

it('trains on a file of one’s own, answers, and is gone on with after a reload', async () => {
  await withBrowser('chromium', async (browser) => {
    const tab = await browser.open(origin, { width: 390 });
    const { page } = tab;
    const fill = async (name: string, value: string): Promise<void> => {
      const input = await page.waitForSelector(`input[name="${name}"]`, { visible: true });
      await input?.click({ count: 3 });
      await input?.type(value);
    };
    const open = (summary: string) =>
      page.locator(`::-p-xpath(//summary[starts-with(normalize-space(), '${summary}')])`).click();

    await openDevice(tab);
    await fill('name', 'Own laptop');
    await learn(tab, 'own');
    const path = join(folder, 'verdicts.tsv');
    writeFileSync(path, TABLE);
    const input = await page.waitForSelector('input[name="train"]');
    await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(path);
    await shows(tab, '241 rows and 2 columns; separated by tabs');
    await shows(tab, '241 rows: 240 used, 1 left out.');
    await shows(tab, '2 classes: blame and praise.');
    await open('LoRA and training');
    await fill('rounds', String(ROUNDS));
    await fill('learningRate', '0.01');
    await open('More');
    await fill('evaluateEvery', '4');
    await fill('maxTokens', '32');
    await press(tab, 'Start a session');
    await shows(tab, 'verdicts.tsv: 241 rows: 240 used, 1 left out.');
    await press(tab, 'Start training');

    await tab.until('a round is done', () => /Round \d+ of 12|Finished/.test(document.body.innerText), PATIENCE);
    await shows(tab, 'Take it with you');
    await shows(tab, `Finished after ${ROUNDS} rounds`);
    await shows(tab, `Kept on this device at round ${ROUNDS}.`);
    await shows(tab, 'GFLOP/s');

    await tab.fill('textarea[name="try-0"]', 'A wonderful evening');
    await press(tab, 'Ask the model');
    await shows(tab, `Answered by the adapter after round ${ROUNDS}.`);
    // What the model said before training, and what it says now.
    const answers = await page.$$eval('.answer', (all) =>
      all.map((one) => [...one.querySelectorAll('li')].map((line) => line.textContent ?? '')),
    );
    expect(answers.map((lines) => lines.length)).toEqual([2, 2]);
    expect(answers[1]?.[0]).toMatch(/^praise(over )?\d/);

    for (const [label, found] of [
      ['Adapter', 'adapter_model.safetensors'],
      ['Merged model', 'model.safetensors'],
      ['ONNX model', 'onnx/model.onnx'],
      ['Checkpoint', `round-${ROUNDS}.safetensors`],
      ['Run log', '.jsonl'],
    ] as const) {
      await page.locator(`button[aria-label="Download: ${label}"]`).click();
      await tab.until(
        `${label} is made`,
        (name, part) =>
          document
            .querySelector(`button[aria-label="Download: ${name}"]`)
            ?.parentElement?.querySelector('.export-made')
            ?.textContent?.includes(part) ?? false,
        { args: [label, found], ...PATIENCE },
      );
    }
    await tab.screenshot('own-session-finished-390');

    await press(tab, 'End the session');
    await press(tab, 'End it');
    await shows(tab, 'Go on with a session');
    await page.goto(origin);
    await shows(tab, 'Go on with a session');
    await shows(tab, `All ${ROUNDS} rounds are done`);
    await tab.screenshot('own-session-kept-390');
    await press(tab, 'Go on');
    await shows(tab, `Finished after ${ROUNDS} rounds`);
    expect(tab.errors).toEqual([]);
  });
});

it('goes on from an adapter of one’s own, and says why one does not fit', async () => {
  const { host, end } = startNodeHost();
  await host.open({ ...MINI_REQUEST, lora: { rank: 4, alpha: 12, targets: ['query', 'key', 'value'] } });
  const paths = (await host.exportAdapter('last')).map(({ name, bytes }) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  });
  await end();
  const table = join(folder, 'three.csv');
  writeFileSync(table, 'text,label\n"a",x\n"b",y\n"c",z\n"d",x\n');

  await withBrowser('chromium', async (browser) => {
    const tab = await browser.open(origin, { width: 390 });
    const { page } = tab;
    const give = async (name: string, ...files: string[]): Promise<void> => {
      const input = await page.waitForSelector(`input[name="${name}"]`);
      await (input as unknown as { uploadFile(...paths: string[]): Promise<void> }).uploadFile(...files);
    };
    await page.select('select[name="startFrom"]', 'adapter');
    await give('adapter', ...paths);
    await shows(tab, 'A PEFT adapter');
    await learn(tab, 'own');
    await give('train', table);
    await shows(tab, '3 classes: x, y and z.');
    await press(tab, 'Start a session');
    await shows(tab, 'The session could not begin');
    await shows(tab, 'The adapter\'s head has 2 outputs; "three" needs 3.');

    // Nothing that was chosen is lost: another task, and the same adapter fits.
    await press(tab, 'Back to the start');
    await shows(tab, 'A PEFT adapter');
    await learn(tab, 'grammar');
    await press(tab, 'Start a session');
    await shows(tab, 'Invite devices');
    await page.locator('details[data-fold="session"] summary').click();
    await shows(tab, 'rank 4, alpha 12, on query, key and value');
    expect(tab.errors).toEqual([]);
  });
});
