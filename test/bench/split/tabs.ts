import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { localModelId } from '../../../signaling/server/page.ts';
import { startServer } from '../../../signaling/server/server.ts';
import { type Tab, withBrowser } from '../../browser/harness.ts';
import { learn, openDevice } from '../../browser/person.ts';
import { randomModelFolder, SIZES } from './random-folder.ts';

/**
 * A model of roberta-base's size with random weights, split over tabs of Chromium of which none gives more than so much memory: three
 * people at the page, from the start form to the last round. What the page says of each stage, and pictures at 390 and 1280 pixels.
 *
 *     npm run build && npx tsx test/bench/split/tabs.ts --size base --memory 300 --tabs 3 --rounds 3
 */
const { values } = parseArgs({
  options: {
    /** Or `mini`, the embedded model: to look at the page only. */
    size: { type: 'string', default: 'base' },
    weights: { type: 'string', default: 'f32' },
    tabs: { type: 'string', default: '3' },
    /** Megabytes, of each tab. */
    memory: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '3' },
    samples: { type: 'string', default: '8' },
    folder: { type: 'string', default: join(tmpdir(), 'tabloom-random-models') },
  },
});
const project = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const size = Object.keys(SIZES).find((one): one is keyof typeof SIZES => one === values.size);
const folder = size === undefined ? project('models/roberta-mini') : await randomModelFolder(size, values.folder);
const ROWS = 160;
const PATIENCE = { timeoutMs: 600_000 };

/** A file of sentences of one's own, a part of which the page keeps for the scores: few, so that two cores come to the end of them. */
function table(): string {
  const words = ['plot', 'cast', 'score', 'ending', 'pace', 'script', 'light', 'cut'];
  const path = join(mkdtempSync(join(tmpdir(), 'tabloom-tabs-')), 'films.csv');
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const [word, verdict] = [words[i % words.length], i % 3 === 0 ? 'bad' : 'good'];
    return `the ${word} of film ${i} is ${verdict} and it is long,${verdict}`;
  });
  writeFileSync(path, `text,label\n${rows.join('\n')}\n`);
  return path;
}

async function fill(tab: Tab, name: string, value: string): Promise<void> {
  await tab.page.bringToFront();
  const input = await tab.page.waitForSelector(`input[name="${name}"]`, { visible: true });
  await input?.click({ count: 3 });
  await input?.type(value);
}

async function press(tab: Tab, words: string): Promise<void> {
  await tab.until(
    `"${words}" can be pressed`,
    (label) =>
      [...document.querySelectorAll('button')].some((one) => !one.disabled && one.textContent?.trim() === label),
    { args: [words], ...PATIENCE },
  );
  await tab.page.bringToFront();
  await tab.page.locator(`::-p-xpath(//button[normalize-space()='${words}'])`).click();
}

const open = (tab: Tab, summary: string): Promise<void> =>
  tab.page.locator(`::-p-xpath(//summary[starts-with(normalize-space(), '${summary}')])`).click();

const shows = (tab: Tab, words: string): Promise<void> =>
  tab.until(`"${words}" is shown`, (text) => document.body.innerText.includes(text), { args: [words], ...PATIENCE });

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const server = await startServer({
  port: 0,
  host: '127.0.0.1',
  pageFolder: project('dist'),
  modelsFolder: project('models'),
  hubFolder: null,
  modelFolder: folder,
  iceServers: [],
  log: () => undefined,
});
const origin = `http://127.0.0.1:${server.port}`;
const startedMs = performance.now();
const since = (): string => `${((performance.now() - startedMs) / 1000).toFixed(0)} s`;
try {
  await withBrowser('chromium', async (chromium) => {
    const host = await chromium.open(origin, { width: 1280 });
    await openDevice(host);
    await fill(host, 'name', 'Host laptop');
    await learn(host, 'own');
    const input = await host.page.waitForSelector('input[name="train"]');
    await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(table());
    await shows(host, '2 classes: bad and good.');
    await host.page.select('select[name="model"]', 'hub');
    await fill(host, 'endpoint', `${origin}/hub`);
    await fill(host, 'repository', localModelId(folder));
    await host.page.keyboard.press('Tab');
    await host.page.select('select[name="weights"]', values.weights);
    await open(host, 'LoRA and training');
    await fill(host, 'rounds', values.rounds);
    await fill(host, 'samplesPerRound', values.samples);
    await host.page.select('select[name="policy"]', 'split');
    await open(host, 'More');
    await fill(host, 'maxTokens', '32');
    await fill(host, 'evaluateEvery', '0');
    await fill(host, 'memory', values.memory);
    await host.screenshot('split-start-1280');
    await press(host, 'Start a session');
    const field = await host.page.waitForSelector('input[aria-label="Session link"]', { timeout: PATIENCE.timeoutMs });
    const link = (await field?.evaluate((input) => input.value)) ?? '';
    const tabs = [host];
    for (let i = 2; i <= Number(values.tabs); i++) {
      const tab = await chromium.open(link, { width: 390 });
      await fill(tab, 'name', `Phone ${i}`);
      await open(tab, 'More');
      await fill(tab, 'memory', values.memory);
      if (i === 2) await tab.screenshot('split-join-390');
      await press(tab, 'Ask to join');
      // With a table of one's own everybody waits at the door.
      const door = `button[aria-label="Let in: Phone ${i}"]`;
      await host.page.waitForSelector(door, { timeout: PATIENCE.timeoutMs });
      await host.page.bringToFront();
      await host.page.locator(door).click();
      await tab.until(`Phone ${i} is in`, () => !document.body.innerText.includes('to let you in'), PATIENCE);
      tabs.push(tab);
    }
    await press(host, 'Start training');
    say(`${since()}: "Start training" is pressed`);
    const heads = setInterval(() => {
      void host.page
        .evaluate(() => document.querySelector('h1')?.innerText.replaceAll('\n', ' '))
        .then((head) => say(`${since()}: ${head}`))
        .catch(() => undefined);
    }, 15_000);
    for (const [i, tab] of tabs.entries()) {
      await tab.page.bringToFront();
      if (i < 2) await tab.screenshot(`split-loading-${i === 0 ? 1280 : 390}`);
    }
    await host.until(
      'the last round is over',
      (rounds) => {
        const head = document.querySelector('h1')?.innerText.replaceAll('\n', ' ') ?? '';
        return /^(Finished|Paused) after/.test(head) || head.startsWith(`Round ${rounds} of`);
      },
      { args: [values.rounds], ...PATIENCE },
    );
    say(`${since()}: the last round is over`);
    // The last score, too.
    await host.until(
      'the session is finished',
      () => document.querySelector('h1')?.innerText.startsWith('Finished after') ?? false,
      PATIENCE,
    );
    clearInterval(heads);
    say(`${since()}: finished, the last score with it`);
    for (const [tab, name] of [
      [host, 'split-finished-1280'],
      [tabs[1] ?? host, 'split-finished-390'],
    ] as const)
      say(await tab.screenshot(name));
    say(await host.page.evaluate(() => document.body.innerText));
    for (const tab of tabs) for (const error of tab.errors) say(`console: ${error}`);
  });
} finally {
  await server.close();
}
process.exit(0);
