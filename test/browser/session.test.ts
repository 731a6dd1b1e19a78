import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { type Tab, withBrowser } from './harness.ts';
import { openDevice } from './person.ts';
import { fill, PATIENCE, press, shows } from './pressing.ts';

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const ROUNDS = 5;

let server: RunningServer;
let origin: string;

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
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

const textOf = (tab: Tab): Promise<string> => tab.page.evaluate(() => document.body.innerText);

/** Who trains what, as the page's table says it: "layers 0–3", "layer 5 and the head". */
async function allocation(tab: Tab): Promise<{ name: string; blocks: string[] }[]> {
  const rows = await tab.page.evaluate(() =>
    [...document.querySelectorAll('.allocation tbody tr')].map((row) => ({
      name: row.querySelector('th')?.textContent ?? '',
      trains: row.querySelector('td')?.textContent ?? '',
    })),
  );
  return rows.map(({ name, trains }) => {
    const runs = [...trains.matchAll(/(\d)(?:–(\d))?/g)].flatMap(([, from, to = from]) =>
      Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => String(Number(from) + i)),
    );
    return { name: name.replace(/^\w+ /, ''), blocks: [...runs, ...(trains.includes('head') ? ['head'] : [])] };
  });
}

it('three tabs of two browsers train together, from the page alone', async () => {
  await withBrowser('chromium', (chromium) =>
    withBrowser('firefox', async (firefox) => {
      const host = await chromium.open(origin, { width: 1280 });
      await host.screenshot('session-start-1280');
      await openDevice(host);
      await fill(host, 'name', 'Host laptop');
      for (const fold of await host.page.$$('summary')) await fold.click();
      await fill(host, 'rounds', String(ROUNDS));
      await fill(host, 'samplesPerRound', '64');
      await fill(host, 'learningRate', '0.003');
      // With so many samples in a round it pays to give each of three devices a part, even if one is several times slower.
      await host.page.select('select[name="policy"]', 'teams');
      await press(host, 'Start a session');
      const field = await host.page.waitForSelector('input[aria-label="Session link"]', {
        timeout: PATIENCE.timeoutMs,
      });
      const link = (await field?.evaluate((input) => input.value)) ?? '';
      expect(link.startsWith(origin)).toBe(true);

      const phone = await firefox.open(link, { width: 390 });
      await phone.screenshot('session-invited-390');
      await fill(phone, 'name', 'Fox phone');
      await press(phone, 'Join');
      // One after the other, so that neither measures itself while the other keeps the processor busy.
      await shows(host, 'Fox phone');
      await host.until('the phone is ready', () => /2 devices are ready/.test(document.body.innerText), PATIENCE);
      const tablet = await chromium.open(link, { width: 390 });
      await fill(tablet, 'name', 'Chrome tablet');
      await press(tablet, 'Join');

      // What a phone shows first is itself; everybody else is in the fold below.
      for (const tab of [phone, tablet])
        await tab.page
          .waitForSelector('.session-whole > summary', { timeout: PATIENCE.timeoutMs })
          .then((fold) => fold?.click());
      for (const tab of [host, phone, tablet])
        for (const name of ['Host laptop', 'Fox phone', 'Chrome tablet']) await shows(tab, name);
      await host.until('all are ready', () => /3 devices are ready/.test(document.body.innerText), PATIENCE);
      // Who was measured while the machine was busy measures itself again, and gets a part then.
      await host.until(
        'the plan has a part for everybody',
        () =>
          [...document.querySelectorAll('.allocation tbody tr td:first-of-type')].filter((one) =>
            /\d|head/.test(one.textContent ?? ''),
          ).length === 3,
        PATIENCE,
      );
      await host.screenshot('session-lobby-1280');
      await phone.screenshot('session-lobby-390');
      await press(host, 'Start training');

      await host.until('the adapter is offered', () => /Download/.test(document.body.innerText), PATIENCE);
      for (const tab of [host, phone, tablet]) await shows(tab, `Finished after ${ROUNDS} rounds`);
      for (const tab of [host, phone, tablet]) {
        const owners = await allocation(tab);
        // Rounds teach how quick everybody really is; whatever the plan makes of that, all of them worked.
        const wove = await tab.page.$$eval('.contribution-name', (all) => all.map((one) => one.textContent ?? ''));
        expect(wove.map((name) => name.replace(/ you$/, '')).sort()).toEqual([
          'Chrome tablet',
          'Fox phone',
          'Host laptop',
        ]);
        const names = owners.map((row) => row.name);
        expect(new Set(names).size).toBe(names.length);
        expect(wove.map((name) => name.replace(/ you$/, ''))).toEqual(expect.arrayContaining(names));
        expect(new Set(owners.flatMap((row) => row.blocks))).toEqual(new Set(['0', '1', '2', '3', '4', '5', 'head']));
        const [, first, last] = /Loss from ([\d.]+) in round 1 to ([\d.]+) in round 5/.exec(await textOf(tab)) ?? [];
        expect(Number(last)).toBeLessThan(Number(first));
      }
      for (const [tab, name] of [
        [host, 'session-finished-1280'],
        [phone, 'session-finished-390'],
        [tablet, 'session-finished-tablet-390'],
      ] as const)
        await tab.screenshot(name);
      expect(host.errors).toEqual([]);
      expect(phone.errors).toEqual([]);
      expect(tablet.errors).toEqual([]);
    }),
  );
});
