import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGallery } from '../page/gallery/open-gallery.ts';
import { BROWSER_KINDS } from './find-browser.ts';
import { SharedBrowser } from './harness.ts';
import { onPhone } from './person.ts';

/** What a person does at a session's door, on either side of it, with real clicks. Sessions behind it are those of the gallery. */

let gallery: Awaited<ReturnType<typeof openGallery>>;
beforeAll(async () => {
  gallery = await openGallery();
});
afterAll(() => gallery.close());

describe.each(BROWSER_KINDS)('a person with %s', (kind) => {
  const browser = new SharedBrowser(kind);
  afterAll(() => browser.close());

  it('lets devices in and sends them away, and says who may come', async () => {
    await onPhone(gallery, browser, async (person) => {
      const { page } = person.tab;
      const asked = () => page.$eval('#app', (app) => app.getAttribute('data-door') ?? '');
      const focused = (words: string) =>
        person.tab.until(`the focus is on "${words}"`, (text) => document.activeElement?.textContent === text, {
          args: [words],
        });
      const named = (label: string) => page.locator(`button[aria-label="${label}"]`).click();
      await person.go('lobby-waiting');
      await person.shows('4 devices wait at your door');
      await person.shows('has the code alone, not your link, and wants to watch only. A device that you removed came');
      await named('Let in: Hempen Heddle');
      // What was pressed is gone with its line.
      await focused('3 devices wait at your door');
      expect(await asked()).toBe('admit device005;');
      await named('Not now: iPad');
      await person.shows('2 devices wait at your door');
      await named('Let in: Cotton Reed');
      await named('Not now: Linen Shuttle 2');
      await person.showsNot('at your door');
      await focused('Ready to start');
      expect(await asked()).toBe('admit device005;refuse device006;admit device007;refuse device008;');

      await person.go('lobby-waiting');
      await person.press('Let in all 2 who have your link');
      await person.shows('2 devices wait at your door');
      expect(await asked()).toBe('admit device005;admit device007;');

      // A device is removed after one question, and not by the first press.
      await person.go('training-waiting');
      await named('Remove: Pixel 8');
      await person.shows('Remove Pixel 8? It stays out.');
      expect(await asked()).toBe('');
      await person.press('Remove');
      await focused('Devices');
      expect(await asked()).toBe('remove device001;');
      expect(await page.$('button[aria-label="Remove: Linen Shuttle"]')).toBeNull();

      // Digits are compared before the mark goes; others mean that the device goes.
      await person.go('lobby-device-digits');
      await person.shows('The host sees 402 917 beside your device’s name');
      await person.go('lobby-digits');
      await person.shows('Does Pixel 8 show 402 917, too?');
      await named('The same on Pixel 8');
      await person.showsNot('402 917');
      expect(await asked()).toBe('digits device001 true;');
      await focused('Devices');
      await person.go('lobby-digits');
      await named('Others: Pixel 8 shows other digits');
      expect(await asked()).toBe('');
      await person.press('Remove Pixel 8');
      expect(await asked()).toBe('digits device001 false;');

      // On a wall: who comes, who asks to, and the door.
      await person.go('lobby-waiting');
      await person.press('Fill the screen');
      await focused('Join with your phone');
      const onWall = () => page.$eval('dialog.wall', (wall) => wall.textContent ?? '');
      expect(await onWall()).toContain('5 of at most 64 are in');
      expect(await onWall()).toContain('Merino Bobbin');
      await page.locator('.wall button[aria-label="Let in: Hempen Heddle"]').click();
      await person.tab.until('one less waits', () => document.querySelectorAll('.wall .waiting-item').length === 3);
      await person.press('Lock the door');
      await person.press('Open the door again');
      expect(await asked()).toBe('admit device005;set locked 64;set link 64;');
      const share = await page.$eval('dialog.wall .qr', (code) => {
        const { width, height } = code.getBoundingClientRect();
        return Math.min(width, height) / innerWidth;
      });
      expect(share).toBeGreaterThan(0.85);
      await page.keyboard.press('Escape');
      await focused('Fill the screen');

      await person.go('lobby');
      await person.shows('to read out: whoever types it waits until you let them in');
      const link = await page.$eval('input[aria-label="Session link"]', (input) => (input as HTMLInputElement).value);
      expect(link).toMatch(/\/#room=abc234&secret=[0-9a-z]{26}$/);
      await person.open('Who may come in');
      await person.choose('door', 'locked');
      await person.shows('is of no use while nobody new may come in');
      const cap = await page.waitForSelector('input[name="cap"]');
      await cap?.click({ count: 3 });
      await cap?.type('1');
      await page.keyboard.press('Tab');
      await person.shows('Choose a number from 2 to 64.');
      await cap?.click({ count: 3 });
      await cap?.type('12');
      await page.keyboard.press('Tab');
      await person.showsNot('Choose a number from 2 to 64.');
      expect(await asked()).toBe('set locked 64;set locked 12;');
    });
  });

  it('sees what a session is before it joins, and puts a wrong code right', async () => {
    await onPhone(gallery, browser, async (person) => {
      const { page } = person.tab;
      await person.go('start');
      await person.tab.fill('input[name="code"]', 'abc2');
      await person.press('Look at it first');
      await person.shows('A code has six letters and digits; this one has 4.');
      await person.tab.fill('input[name="code"]', 'abc-234');
      await person.press('Look at it first');
      await person.shows('Linen Shuttle asks you to fine-tune this together.');
      await person.shows('Your device gets rows to train on, labels included, as token ids: they are text');
      await person.tab.until('the focus is on the title', () => document.activeElement?.matches('h1') ?? false);
      expect(await page.evaluate(() => location.hash)).toBe('#room=abc234');
      // Going back leads to where the code was typed.
      await page.goBack();
      await person.shows('Start a session');

      await person.go('look-ask');
      await person.shows('Studio 54 lets each device in by hand.');
      await person.shows('They are the host’s own; treat them so.');
      await person.tab.fill('input[name="name"]', ' ');
      await person.press('Ask to join');
      await person.shows('Give this device a name');
      await person.tab.fill('input[name="name"]', 'Fox');
      await person.press('Ask to watch');
      await person.shows('Waiting for Studio 54 to let you in');
      const joined: unknown = JSON.parse(await page.$eval('#app', (app) => app.getAttribute('data-join') ?? ''));
      expect(joined).toEqual({
        invitation: { ok: true, room: 'abc234', secret: null },
        options: { name: 'Fox', watch: true, slowdown: 1 },
      });

      await person.go('look-locked');
      await person.shows('Nobody new may come in just now. Ask Linen Shuttle, then look again.');
      expect(await page.$('button[type="submit"]')).toBeNull();
      await person.go('look-gone');
      await person.shows('There is no session with the code abc234.');
      expect(await page.$eval('input[name="code"]', (input) => (input as HTMLInputElement).value)).toBe('abc234');
    });
  });
});
