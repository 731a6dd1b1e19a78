import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesText, percentText, secondsText } from '../../signaling/protocol/words/quantities.ts';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { needs, WHOLE } from '../needs.ts';
import { axeFinds, giveAxe } from './axe.ts';
import { keepDownloads, lastDownload } from './downloads.ts';
import { BROWSER_KINDS } from './find-browser.ts';
import { type Tab, withBrowser } from './harness.ts';
import { openDevice } from './person.ts';
import { fill, PATIENCE, press, shows } from './pressing.ts';
import { type Told, takeLog, worked } from './told-by-log.ts';

/**
 * A session from its first screen to its last, by what is written on the pages alone: started, looked at, entered by phones, watched; a
 * device is lost, then its host, another goes on, and what came of it is shown and used. What a page says of it is held to the run's log.
 */

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const ROUNDS = 400;
const TEXTS = ['review', 'A wonderful film', '"An awful film, all in all"', 'Slow'];

let server: RunningServer;
let origin: string;
let folder: string;

beforeAll(async () => {
  if (!existsSync(project('dist/index.html'))) throw new Error('The page is not built: run "npm run build" first.');
  folder = mkdtempSync(join(tmpdir(), 'tabloom-journey-'));
  writeFileSync(join(folder, 'reviews.csv'), TEXTS.join('\n'));
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

/** Nothing that axe knows is wrong with the page as it is; its picture is kept. */
async function looksRight(tab: Tab, step: string): Promise<void> {
  await tab.page.bringToFront();
  await giveAxe(tab);
  expect({ [step]: await axeFinds(tab) }).toEqual({ [step]: [] });
  await tab.screenshot(`journey-${step}`);
}

const unfold = async (tab: Tab, summary: string): Promise<void> => {
  await tab.page.bringToFront();
  await tab.until(
    `"${summary}" can be opened`,
    (words) => [...document.querySelectorAll('summary')].some((one) => one.textContent?.startsWith(words)),
    { args: [summary], ...PATIENCE },
  );
  await tab.page.evaluate((words) => {
    const found = [...document.querySelectorAll('summary')].find((one) => one.textContent?.startsWith(words));
    if (found?.parentElement?.hasAttribute('open') === false) found.click();
  }, summary);
};

/** Words of the page as they stand in it, whatever is scrolled or folded. */
const words = (tab: Tab, selector: string): Promise<string[]> =>
  tab.page.$$eval(selector, (all) => all.map((one) => one.textContent ?? ''));

/** Rounds that are done, as the page says it. */
const trained = (tab: Tab, atLeast: number): Promise<void> =>
  tab.until(
    `${atLeast} rounds are done`,
    (least) => Number(/Round (\d+)/.exec(document.body.textContent ?? '')?.[1] ?? 0) >= least,
    { ...PATIENCE, args: [atLeast] },
  );

/** Looks at what the session is, and asks to be let in. */
async function asksToJoin(tab: Tab, name: string): Promise<void> {
  await shows(tab, 'Host laptop asks you to fine-tune this together.');
  await shows(tab, 'Host laptop lets each device in by hand.');
  await fill(tab, 'name', name);
  await looksRight(tab, `look-${name}`);
  await press(tab, 'Ask to join');
  await shows(tab, 'Waiting for Host laptop to let you in');
}

/** What the page would have a round take, with and without a device, beside what the log says of the plan now. */
async function supposes(tab: Tab, host: Tab, without: string): Promise<void> {
  await unfold(tab, 'The whole picture');
  await unfold(tab, 'What if');
  const toggle = (): Promise<void> =>
    tab.page.evaluate((name) => {
      const label = [...document.querySelectorAll('.supposed label.check')].find((one) => one.textContent === name);
      label?.querySelector('input')?.click();
    }, without);
  await tab.until(
    'the planner answered',
    () => / a round/.test(document.querySelector('.what-if-seconds')?.textContent ?? ''),
    PATIENCE,
  );
  await toggle();
  await tab.until(
    'the planner answered for another room',
    () => / a round instead of /.test(document.querySelector('.what-if-seconds')?.textContent ?? ''),
    PATIENCE,
  );
  const { latencySeconds } = await takeLog(host);
  expect((await words(tab, '.what-if-seconds'))[0]).toContain(`instead of ${secondsText(latencySeconds ?? 0)}:`);
  await looksRight(tab, 'what-if');
  await toggle();
}

/** The lanes of the round that the page shows, beside what the log says of it. */
async function tellsTheRound(host: Tab): Promise<void> {
  const told = await takeLog(host);
  const [title = ''] = await words(host, '#timeline-title');
  const round = told.rounds.find((one) => `Round ${one.round}, second by second` === title);
  if (round === undefined) throw new Error(`The log has no round of the title "${title}".`);
  expect(await words(host, '.timeline > .limit')).toEqual([
    expect.stringContaining(`Round ${round.round} took ${secondsText(round.elapsedSeconds)}. `),
  ]);
  const lanes = await host.page.$$('.lane');
  expect(lanes).toHaveLength(2);
  for (const lane of lanes) {
    await lane.click();
    const name = await lane.$eval('.lane-label', (one) => one.textContent ?? '');
    const entry = round.devices.find(({ device }) => told.names.get(device) === name);
    if (entry === undefined) throw new Error(`The log has no part of ${name} in round ${round.round}.`);
    const [said = ''] = await words(host, '.lane-words');
    expect(said).toMatch(new RegExp(`^${name}: `));
    expect(said).toContain(`computing ${secondsText(entry.computeSeconds)}`);
    expect(said).toContain(`; ${bytesText(entry.uploadBits / 8)} sent`);
  }
}

/** Who did how much, as the page has it, beside the sum of the log's rounds. */
async function tellsWhoDidIt(tab: Tab, earlier: Told): Promise<void> {
  const told = await takeLog(tab);
  // Who left before this device led has no line of theirs.
  const nameOf = new Map([...earlier.names, ...told.names]);
  const layers = told.lines.find(({ type }) => type === 'session')?.settings?.shape.layers ?? 0;
  const expected = [...worked(told.rounds, layers)]
    .toSorted(([, a], [, b]) => b.share - a.share)
    .map(([device, { samples, seconds, share }]) => [
      nameOf.get(device),
      percentText(share),
      `${samples.toLocaleString('en-US')} samples, ${secondsText(seconds)} of computing`,
    ]);
  const names = (await words(tab, '.contribution-name')).map((name) => name.replace(/ you$/, ''));
  const shares = await words(tab, '.contribution-share');
  const figures = await words(tab, '.contribution-figures');
  expect(names.map((name, i) => [name, shares[i], figures[i]])).toEqual(expected);
}

describe.each(BROWSER_KINDS)('with a phone in %s, a session', needs(WHOLE), (kind) => {
  it('is started, entered, watched, lost and taken over, finished and used', { timeout: 600_000 }, async () => {
    await withBrowser('chromium', (chromium) =>
      withBrowser(kind, async (other) => {
        const host = await chromium.open(origin, { width: 1280 });
        await looksRight(host, `start-${kind}`);
        await openDevice(host);
        await fill(host, 'name', 'Host laptop');
        await unfold(host, 'LoRA and training');
        await fill(host, 'rounds', String(ROUNDS));
        await fill(host, 'samplesPerRound', '12');
        await host.page.select('select[name="policy"]', 'data-parallel');
        await press(host, 'Start a session');
        await shows(host, 'Invite devices');
        await unfold(host, 'Who may come in');
        await host.page.select('select[name="door"]', 'ask');
        await shows(host, 'whom i let in');
        const link = await host.page.$eval(
          'input[aria-label="Session link"]',
          (one) => (one as HTMLInputElement).value,
        );
        await shows(host, '1 device is ready');

        // On the wall of a room: who asks to come in, and who is in.
        const phone = await other.open(link, { width: 390 });
        await asksToJoin(phone, 'Phone');
        await press(host, 'Fill the screen');
        await host.until('somebody waits', () => document.querySelector('.wall .waiting-item') !== null, PATIENCE);
        await looksRight(host, `wall-${kind}`);
        await host.page.locator('.wall button[aria-label="Let in: Phone"]').click();
        await host.until('it is in', () => document.querySelectorAll('.wall-names li').length === 2, PATIENCE);
        await host.page.keyboard.press('Escape');
        await shows(host, '2 devices are ready');
        const tablet = await chromium.open(link, { width: 390 });
        await asksToJoin(tablet, 'Tablet');
        await press(host, 'Let in: Tablet');
        await shows(host, '3 devices are ready');
        await shows(phone, 'Host laptop starts the training.');
        for (const [tab, step] of [
          [host, 'lobby'],
          [phone, 'lobby-phone'],
        ] as const)
          await looksRight(tab, `${step}-${kind}`);
        await press(host, 'Start training');
        await trained(host, 3);
        await shows(phone, 'Of all the work');
        await looksRight(phone, `phone-${kind}`);

        // A tab is closed in the middle of a round.
        await tablet.page.close();
        await host.until('it is gone', () => document.querySelectorAll('.devices .device').length === 2, PATIENCE);
        await trained(host, 10);
        await press(host, 'Pause');
        await shows(host, 'Paused after');
        await shows(phone, 'Nothing is lost; the host can go on at any time.');
        await host.until(
          'the last round is shown',
          () => {
            const done = /Paused after (\d+) rounds/.exec(document.querySelector('h1')?.textContent ?? '')?.[1];
            return document.querySelector('#timeline-title')?.textContent === `Round ${done}, second by second`;
          },
          PATIENCE,
        );
        await tellsTheRound(host);
        await press(host, 'An earlier round');
        await tellsTheRound(host);
        await looksRight(host, `paused-${kind}`);
        await supposes(phone, host, 'Host laptop');
        const earlier = await takeLog(host);

        // The host's tab is closed, and the phone goes on with what is there.
        await press(host, 'Go on');
        await trained(host, 12);
        await host.page.close();
        await phone.until(
          'the phone leads',
          () => /this device leads the session now/.test(document.body.textContent ?? ''),
          PATIENCE,
        );
        await trained(phone, 20);
        await looksRight(phone, `follows-${kind}`);
        await press(phone, 'Finish now');
        await press(phone, 'Finish');
        await shows(phone, 'Finished after');
        await shows(phone, 'The adapter is ready.');
        await looksRight(phone, `finished-${kind}`);
        expect((await words(phone, '.contribution-name')).toSorted()).toEqual(['Host laptop', 'Phone you', 'Tablet']);
        await tellsWhoDidIt(phone, earlier);

        // The table of right and wrong answers adds up to the last score of the log.
        const { score, lines } = await takeLog(phone);
        await unfold(phone, 'What it gets right and wrong');
        await phone.until('the report is there', () => document.querySelector('.report table') !== null, PATIENCE);
        const cells = await phone.page.$$eval('.report [aria-label^="Labels in rows"] tbody tr', (rows) =>
          rows.map((row) => [...row.querySelectorAll('td')].map((one) => Number(one.textContent?.replace(/,/g, '')))),
        );
        const all = cells.flat().reduce((sum, count) => sum + count, 0);
        const right = cells.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
        expect(all).toBe(lines.find(({ type }) => type === 'session')?.settings?.task.devExamples);
        expect(right / all).toBeCloseTo(score ?? -1, 9);

        // What is taken away: a picture, and answers to a file.
        await keepDownloads(phone);
        await press(phone, 'Share a picture');
        await shows(phone, 'tabloom.png is in your downloads.');
        const picture = await lastDownload(phone);
        expect([picture.subarray(1, 4).toString(), picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([
          'PNG',
          1200,
          630,
        ]);
        await unfold(phone, 'Predict a file');
        const input = await phone.page.waitForSelector('input[name="predict"]');
        await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(join(folder, 'reviews.csv'));
        await press(phone, 'Predict and download');
        await shows(phone, 'reviews-predicted.csv has an answer for every row');
        const [head, ...rows] = (await lastDownload(phone)).toString('utf8').trim().split('\n');
        expect(head).toMatch(/^label,/);
        expect(rows).toHaveLength(TEXTS.length - 1);
        await looksRight(phone, `used-${kind}`);
        expect([host, phone, tablet].map(({ errors }) => errors)).toEqual([[], [], []]);
      }),
    );
  });
});
