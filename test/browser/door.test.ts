import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../signaling/server/server.ts';
import { BROWSER_KINDS } from './find-browser.ts';
import { type Tab, withBrowser } from './harness.ts';
import { learn, openDevice } from './person.ts';

/** A table of one's own, and who comes to train on it: with the link, with the code alone, removed, at a locked door. Everything is real. */

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PATIENCE = { timeoutMs: 120_000 };
const TABLE = [
  'kind,text',
  ...Array.from({ length: 240 }, (_, i) => (i % 2 ? `praise,A wonderful film ${i}` : `blame,An awful film ${i}`)),
].join('\n');

let server: RunningServer;
let origin: string;
let folder: string;
const log: string[] = [];

beforeAll(async () => {
  if (!existsSync(project('dist/index.html'))) throw new Error('The page is not built: run "npm run build" first.');
  folder = mkdtempSync(join(tmpdir(), 'tabloom-door-'));
  writeFileSync(join(folder, 'verdicts.csv'), TABLE);
  server = await startServer({
    port: 0,
    host: '127.0.0.1',
    pageFolder: project('dist'),
    modelsFolder: project('models'),
    hubFolder: null,
    iceServers: [],
    log: (line) => log.push(line),
  });
  origin = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, maxRetries: 9 });
});

const shows = (tab: Tab, words: string): Promise<void> =>
  tab.until(`"${words}" is shown`, (text) => document.body.innerText.includes(text), { args: [words], ...PATIENCE });

const press = (tab: Tab, words: string): Promise<void> => tab.press(words, PATIENCE);

async function fill(tab: Tab, name: string, value: string): Promise<void> {
  await tab.page.bringToFront();
  await tab.fill(`input[name="${name}"]`, value);
}

const unfold = async (tab: Tab, fold: string): Promise<void> => {
  await tab.page.bringToFront();
  await tab.page.locator(`details[data-fold="${fold}"]:not([open]) > summary`).click();
};

describe.each(BROWSER_KINDS)('a host with a table of its own, and a guest with %s', (kind) => {
  it('meet at the door', async () => {
    await withBrowser('chromium', (chromium) =>
      withBrowser(kind, async (other) => {
        const host = await chromium.open(origin, { width: 1280 });
        await openDevice(host);
        await fill(host, 'name', 'Own laptop');
        // However busy the machine is while it measures itself, no guest is so slow that this host does better without it.
        await fill(host, 'slowdown', '20');
        await learn(host, 'own');
        const input = await host.page.waitForSelector('input[name="train"]');
        await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(
          join(folder, 'verdicts.csv'),
        );
        await shows(host, '2 classes: blame and praise.');
        // Before it starts, the host is told who will read its table.
        await shows(host, 'one device may get every row of your table');
        await unfold(host, 'training');
        // More than it will do: what is pressed must not move because training ends.
        await fill(host, 'rounds', '20000');
        await host.page.select('select[name="policy"]', 'data-parallel');
        await press(host, 'Start a session');
        await shows(host, 'Invite devices');
        await shows(host, 'whom i let in');
        const link = await host.page.$eval(
          'input[aria-label="Session link"]',
          (one) => (one as HTMLInputElement).value,
        );
        const [, code = '', secret = ''] = /#room=(\w{6})&secret=(\w{26})$/.exec(link) ?? [];
        await host.until('the host is ready', () => /1 device is ready/.test(document.body.innerText), PATIENCE);

        // Somebody with the link looks first, waits, and is let in.
        const guest = await other.open(link, { width: 390 });
        await shows(guest, 'Own laptop lets each device in by hand.');
        await shows(guest, 'a table of the host’s own');
        await shows(guest, 'They are the host’s own; treat them so.');
        await fill(guest, 'name', 'Fox phone');
        await press(guest, 'Ask to join');
        await shows(guest, 'Waiting for Own laptop to let you in');
        await guest.screenshot(`door-waiting-390-${kind}`);
        await shows(host, '1 device waits at your door');
        await shows(host, 'has your link');
        await host.screenshot(`door-host-1280-${kind}`);
        expect(await host.page.title()).toMatch(/^\(1\) /);
        // It is not of the room yet.
        expect(await host.page.$$eval('.devices .device', (all) => all.length)).toBe(1);
        await press(host, 'Let in: Fox phone');
        await host.until('the focus is kept', () => document.activeElement?.matches('h1') ?? false);
        await host.until('both are ready', () => /2 devices are ready/.test(document.body.innerText), PATIENCE);
        // Let in by hand, but with the link: nothing is to be compared.
        expect(await host.page.$('.compare')).toBeNull();
        await press(host, 'Start training');
        await shows(guest, 'You are training');
        // The button that was pressed is the one to pause with.
        await host.until('the focus is kept', () => document.activeElement?.textContent === 'Pause');

        // Somebody with a wrong code, then with the right one and no link, is not let in.
        const stranger = await other.open(origin, { width: 390 });
        await fill(stranger, 'code', code.slice(0, 5) + (code.endsWith('a') ? 'b' : 'a'));
        await press(stranger, 'Look at it first');
        await shows(stranger, 'There is no session with the code');
        await fill(stranger, 'code', code);
        await press(stranger, 'Look');
        await shows(stranger, 'verdicts');
        // A reload comes back to it.
        await stranger.page.reload();
        await fill(stranger, 'name', 'Stranger');
        await press(stranger, 'Ask to watch');
        await shows(host, 'has the code alone, not your link, and wants to watch only');
        await press(host, 'Not now: Stranger');
        await shows(stranger, 'The host did not let this device in.');
        await press(stranger, 'Back');
        await shows(stranger, 'Own laptop lets each device in by hand.');

        // Asked again it is let in, without the link: both screens show the same digits, and the mark goes when they were compared.
        await press(stranger, 'Ask to join');
        await press(host, 'Let in: Stranger');
        const digitsOf = async (tab: Tab): Promise<string> => {
          await tab.until('digits are shown', () => document.querySelector('.digits') !== null, PATIENCE);
          return tab.page.$eval('.digits', (one) => one.textContent ?? '');
        };
        const [shown, told] = [await digitsOf(host), await digitsOf(stranger)];
        expect(shown).toMatch(/^\d{3} \d{3}$/);
        expect(told).toBe(shown);
        await shows(host, 'not proven');
        await press(host, 'The same on Stranger');
        for (const tab of [host, stranger])
          await tab.until('they are put away', () => document.querySelector('.digits') === null, PATIENCE);
        await shows(host, 'compared');

        // A device is removed and stays out; what it had is done by others.
        await press(host, 'Remove: Fox phone');
        await press(host, 'Remove');
        await shows(guest, 'The host took this device out of the session.');
        await host.until('it is gone', () => document.querySelectorAll('.devices .device').length === 2, PATIENCE);

        // Nobody new, not even with the link.
        await unfold(host, 'invite');
        await unfold(host, 'door');
        await host.page.select('select[name="door"]', 'locked');
        await shows(host, 'is of no use while nobody new may come in');
        await stranger.page.reload();
        await host.until('it left', () => document.querySelectorAll('.devices .device').length === 1, PATIENCE);
        await shows(stranger, 'The host has locked this session: nobody new comes in.');
        await guest.page.goto('about:blank');
        await guest.page.goto(link);
        await shows(guest, 'Nobody new may come in just now. Ask Own laptop, then look again.');

        await press(host, 'End the session');
        await press(host, 'End it');
        await press(guest, 'Look again');
        await shows(guest, 'There is no session with the code');
        for (const tab of [host, guest, stranger]) expect(tab.errors).toEqual([]);
        for (const line of log) for (const words of [code, secret, 'Fox phone']) expect(line).not.toContain(words);
      }),
    );
  });
});
