import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGallery } from '../page/gallery/open-gallery.ts';
import { REVIEWS_CSV } from '../page/gallery/start-forms.ts';
import { BROWSER_KINDS } from './find-browser.ts';
import { SharedBrowser } from './harness.ts';
import { onPhone } from './person.ts';

/** What a person does on the page with real clicks and real files, at a phone's width. Sessions behind it are those of the gallery. */

let gallery: Awaited<ReturnType<typeof openGallery>>;
const folder = mkdtempSync(join(tmpdir(), 'tabloom-files-'));
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
beforeAll(async () => {
  gallery = await openGallery();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, maxRetries: 9 });
  await gallery.close();
});

describe.each(BROWSER_KINDS)('a person with %s', (kind) => {
  const browser = new SharedBrowser(kind);
  afterAll(() => browser.close());

  it('starts a session on a file of their own, and from an adapter of their own', async () => {
    await onPhone(gallery, browser, async (person) => {
      const { page } = person.tab;
      await person.go('start');
      await person.learn('own');
      await person.press('Start a session');
      await person.shows('Choose a table: CSV or TSV whose first row names the columns, JSON lines, or Parquet.');
      await person.give('train', file('film_reviews.csv', REVIEWS_CSV));
      await person.shows('8 rows and 3 columns; separated by commas');
      await person.shows('3 classes: bad, good and mixed.');
      await person.open('8 rows: 6 used, 2 left out.');
      await person.shows('1 row: fewer cells than columns (2 instead of 3); line 5.');
      await person.shows('1 row: a quote that is never closed; line 8.');
      await person.choose('own-label', 'id');
      await person.choose('own-label', 'verdict');

      // Dropped, not chosen: the same columns are needed.
      const drop = (name: string, content: string) =>
        page.$eval(
          '.file-field:has(input[name="dev"])',
          (frame, [fileName = '', text = '']) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([text], fileName));
            frame.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
          },
          [name, content],
        );
      await drop('dev.csv', 'id,review\n1,fine\n2,dull\n');
      await person.shows('This file has no column “verdict”');
      await drop('dev.csv', 'id,review,verdict\n1,fine,good\n2,dull,bad\n');
      await person.shows('2 rows and 3 columns');

      await person.choose('startFrom', 'adapter');
      await person.give('adapter', file('adapter_config.json', '{}'));
      await person.shows('Choose adapter_model.safetensors together with adapter_config.json.');
      await person.give(
        'adapter',
        join(folder, 'adapter_config.json'),
        file('adapter_model.safetensors', new Uint8Array(900)),
      );
      await person.shows('A PEFT adapter; 902 B.');
      await person.open('LoRA and training');
      await person.choose('patience', '3');
      await person.open('More');
      await person.choose('weights', 'int8');
      await person.press('Start a session');
      const { request, options } = await person.request();
      expect(request).toMatchObject({
        weights: 'int8',
        task: {
          id: 'own',
          own: {
            title: 'film reviews',
            train: { name: 'film_reviews.csv', bytes: REVIEWS_CSV.length },
            dev: { name: 'dev.csv' },
            columns: { text: 'review', pair: null, label: 'verdict' },
            kind: 'classification',
          },
        },
        start: {
          kind: 'adapter',
          files: [{ name: 'adapter_config.json' }, { name: 'adapter_model.safetensors', bytes: 900 }],
        },
      });
      expect(options).toMatchObject({ patience: 3 });
    });
  });

  it('learns what a model takes before anything is fetched, and gets the task’s recipe', async () => {
    await onPhone(gallery, browser, async (person) => {
      const { page } = person.tab;
      await person.go('start');
      await person.learn('mrpc');
      expect(await page.$eval('details[data-fold="training"] summary', (one) => one.textContent)).toContain(
        '300 rounds of 16',
      );
      await person.choose('model', 'hub');
      await person.shows('500 MB to download, once; this device keeps it.');
      const repository = await page.waitForSelector('input[name="repository"]');
      const name = async (words: string): Promise<void> => {
        await repository?.click({ count: 3 });
        await repository?.type(words);
        await page.keyboard.press('Tab');
      };
      await name('nobody/nothing');
      await person.shows('The hub has no model "nobody/nothing"');
      await name('FacebookAI/roberta-large');
      await person.shows('this tab may take 1.5 GB only. It fits with weights of 16 bit');
      await person.choose('weights', 'f16');
      await person.shows('It fits.');
      await person.press('Start a session');
      const { request } = await person.request();
      expect(request).toMatchObject({
        model: { kind: 'hub', id: 'FacebookAI/roberta-large' },
        weights: 'f16',
        training: { rounds: 700, learningRate: 4e-4 },
      });
    });
  });

  it('goes on with a kept session, deletes another, opens a checkpoint', async () => {
    await onPhone(gallery, browser, async (person) => {
      const { page } = person.tab;
      await person.go('start-kept');
      const first = '.kept-item:first-child';
      await person.shows('Round 340 of 1000, kept 12 minutes ago as Linen Shuttle; 2.4 MB.');
      await page.locator(`${first} button.plain`).click();
      await person.tab.until('the question is asked', () => document.activeElement?.textContent === 'Delete');
      await person.press('Keep it');
      await person.shows('Round 340 of 1000');
      await page.locator(`${first} button.plain`).click();
      await page.locator(`${first} button.danger`).click();
      await person.shows('“SST-2: sentiment of film reviews, roberta-mini” is deleted.');
      await person.tab.until(
        'the focus is on the list',
        () => document.activeElement?.textContent === 'Go on with a session',
      );
      await person.showsNot('Round 340 of 1000');

      await person.open('Models kept on this device');
      await page.locator('button[aria-label="Delete: FacebookAI/roberta-base"]').click();
      await page.locator('.kept-models button.danger').click();
      await person.shows('FacebookAI/roberta-base is deleted; the next session with it downloads it again.');

      await person.open('Go on from a checkpoint file');
      await person.give('checkpoint', file('photo.safetensors', 'JPEG'));
      await person.shows('This file is no checkpoint of Tabloom.');
      await person.give('checkpoint', file('run.safetensors', 'T and more'));
      await person.shows('Paused after 34 rounds');

      await person.go('start-kept');
      await page.locator(`${first} button:not(.plain)`).click();
      await person.shows('Paused after 34 rounds');
    });
  });

  it('deletes everything that this device keeps, after one question', async () => {
    await onPhone(gallery, browser, async (person) => {
      await person.go('start-kept');
      await person.press('Delete everything kept on this device');
      await person.shows('Kept sessions and their keys, models, this device’s name: delete them all for good?');
      await person.tab.until('it can be pressed', () => document.activeElement?.textContent === 'Delete everything');
      await person.press('Keep it');
      await person.tab.until(
        'the focus is where it was',
        () => document.activeElement?.textContent === 'Delete everything kept on this device',
      );
      await person.press('Delete everything kept on this device');
      await person.press('Delete everything');
      await person.shows('Deleted: 4 sessions, 2 models and what this page remembered; 528 MB in all.');
      await person.showsNot('Round 340 of 1000');
      await person.tab.until(
        'the focus is on the page',
        () => document.activeElement?.textContent === 'Delete everything kept on this device',
      );
    });
  });

  it('pauses a joined device at the thumb, goes on, leaves, is thanked, and may come back', async () => {
    await onPhone(gallery, browser, async (person) => {
      const { page } = person.tab;
      await person.go('device-training');
      await person.shows('Of all the work');
      // What others do is below a fold that costs nothing while it is closed, and stays closed.
      expect(await page.$$('.cloth, .curves, .device')).toEqual([]);
      const thumb = await page.$eval('.own-controls', (bar) => innerHeight - bar.getBoundingClientRect().bottom);
      expect(Math.abs(thumb)).toBeLessThan(1);
      const focused = () => page.evaluate(() => document.activeElement?.textContent);
      await person.press('Pause my device');
      await person.shows('Your device is paused');
      expect(await focused()).toBe('Go on');
      await person.press('Go on');
      await person.shows('Training layers');
      expect(await focused()).toBe('Pause my device');
      // Within what its person allows, and no further.
      await person.open('What this device may use');
      await person.shows('5.0 MB so far');
      await person.tab.fill('input[name="dataMegabytes"]', '4.5');
      await person.shows('A whole number of megabytes');
      await person.tab.fill('input[name="dataMegabytes"]', '5');
      await person.shows('Your device rests');
      expect(await page.$$eval('.own-controls button', ([pause]) => pause.disabled)).toBe(true);
      await person.tab.fill('input[name="dataMegabytes"]', '50');
      await page.waitForSelector('.own-controls button:first-child:not([disabled])');
      await person.open('The whole picture');
      await person.shows('Who trains what');
      expect(await page.$('input[aria-label="Session link"]')).toBeNull();
      await person.press('Leave');
      await person.shows('Your device worked on 1,088 samples in 34 rounds');
      await person.tab.until('the focus is on the thanks', () => document.activeElement?.textContent === 'Thank you');
      expect(await page.$eval('#app', (app) => app.getAttribute('data-door'))).toBe(
        'rest true;rest false;rest true;rest false;leave;',
      );
      await person.press('Come back');
    });
  });

  it('asks the model, and takes everything along', async () => {
    await onPhone(gallery, browser, async (person) => {
      const { page } = person.tab;
      await person.go('training-host');
      await person.open('Try it');
      await person.tab.fill('textarea[name="try-0"]', 'Warm and funny');
      await page.focus('textarea[name="try-0"]');
      await page.keyboard.press('Enter');
      await person.shows('Answered by the adapter after round 34.');
      const shares = await page.$$eval('.answer-text', (all) =>
        all.map((one) => Number.parseFloat(one.textContent ?? '')),
      );
      // Before training and after it, the likelier class first.
      expect(shares).toHaveLength(4);
      for (const [first = 0, second = 0] of [shares.slice(0, 2), shares.slice(2)]) {
        expect(first + second).toBeCloseTo(100, 0);
        expect(first).toBeGreaterThanOrEqual(second);
      }

      // A download's bytes as the browser gets them.
      await page.evaluate(() => {
        HTMLAnchorElement.prototype.click = function click() {
          const { href, download } = this;
          void fetch(href).then(async (response) => {
            const bytes = new Uint8Array(await response.arrayBuffer());
            document.body.dataset.got = `${download} ${bytes.length} ${String.fromCharCode(...bytes.slice(0, 2))}`;
          });
        };
      });
      await person.go('finished');
      const take = async (label: string): Promise<string> => {
        await page.locator(`button[aria-label="Download: ${label}"]`).click();
        await person.tab.until(`${label} is there`, (what) => document.body.dataset.got?.includes(what) ?? false, {
          args: [
            { Adapter: '-lora.zip', 'Merged model': '-merged.zip', Checkpoint: '.safetensors', 'Run log': '.jsonl' }[
              label
            ] ?? '',
          ],
        });
        return page.$eval('body', (body) => body.dataset.got ?? '');
      };
      expect(await take('Adapter')).toMatch(/^roberta-mini-sentiment-lora\.zip 19\d{4} PK$/);
      await person.shows('adapter_model.safetensors 197 kB');
      expect(await take('Merged model')).toMatch(/^roberta-mini-sentiment-merged\.zip 9000\d{3} PK$/);
      expect(await take('Checkpoint')).toMatch(/^roberta-mini-grammar-round-34\.safetensors 9 /);
      expect(await take('Run log')).toMatch(/^roberta-mini-sentiment\.jsonl \d+ \{"/);
      await page.locator('button[aria-label="Download: ONNX model"]').click();
      await person.shows('A model of 2.4 GB does not fit into one ONNX file.');
    });
  });
});
