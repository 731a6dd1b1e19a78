/**
 * The README's pictures, from states of the gallery: `npx tsx test/page/gallery/pictures.ts` writes them into docs/pictures, and the one that
 * links to the page are shown with (`signaling/server/previewed.ts`) into public. The moving one is the demonstration's stations one after the
 * other: still WebP pictures put into one file.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PREVIEW } from '../../../signaling/server/previewed.ts';
import { type Tab, withBrowser } from '../../browser/harness.ts';
import { openGallery } from './open-gallery.ts';

const STATIONS = ['show-measure', 'show-plan', 'show-round', 'show-left', 'show-depth', 'show-split', 'show-answer'];
const FRAME_MS = 2600;
const QUALITY = 72;

/** A chunk of a RIFF file: its name, its length, its bytes, and one more where their number is odd. */
function chunk(name: string, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 0, 'latin1');
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes, Buffer.alloc(bytes.length % 2)]);
}

/** The chunks of a still WebP picture that hold its pixels. */
function pixels(picture: Buffer): Buffer {
  const found: Buffer[] = [];
  for (let at = 12; at + 8 <= picture.length; ) {
    const length = picture.readUInt32LE(at + 4);
    const end = at + 8 + length + (length % 2);
    if (/^(VP8 |VP8L|ALPH)$/.test(picture.toString('latin1', at, at + 4))) found.push(picture.subarray(at, end));
    at = end;
  }
  return Buffer.concat(found);
}

/** Still WebP pictures of one size as one that moves for ever (developers.google.com/speed/webp/docs/riff_container). */
function moving(pictures: readonly Buffer[], width: number, height: number, frameMs: number): Buffer {
  const canvas = Buffer.alloc(10);
  canvas[0] = 0x02;
  canvas.writeUIntLE(width - 1, 4, 3);
  canvas.writeUIntLE(height - 1, 7, 3);
  const frames = pictures.map((picture) => {
    const head = Buffer.alloc(16);
    head.writeUIntLE(width - 1, 6, 3);
    head.writeUIntLE(height - 1, 9, 3);
    head.writeUIntLE(frameMs, 12, 3);
    // Drawn over what was there, without blending.
    head[15] = 0x02;
    return chunk('ANMF', Buffer.concat([head, pixels(picture)]));
  });
  const body = Buffer.concat([
    Buffer.from('WEBP', 'latin1'),
    chunk('VP8X', canvas),
    chunk('ANIM', Buffer.from([255, 255, 255, 255, 0, 0])),
    ...frames,
  ]);
  return chunk('RIFF', body);
}

const folder = fileURLToPath(new URL('../../../docs/pictures/', import.meta.url));
await mkdir(folder, { recursive: true });
const gallery = await openGallery();
try {
  await withBrowser('chromium', async (browser) => {
    const draw = async (tab: Tab, state: string, width: number, height: number): Promise<void> => {
      await tab.page.setViewport({ width, height });
      await tab.page.evaluate((detail) => dispatchEvent(new CustomEvent('gallery', { detail })), state);
      await tab.until(
        `${state} is drawn`,
        (name) => document.querySelector('#app')?.getAttribute('data-drawn') === name,
        { args: [state] },
      );
      await tab.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
    };
    const shoot = async (tab: Tab, state: string, width: number, height: number): Promise<Buffer> => {
      await draw(tab, state, width, height);
      return Buffer.from(await tab.page.screenshot({ type: 'webp', quality: QUALITY }));
    };
    const tab = await browser.open(gallery.address('start'), { width: 1280 });
    const save = async (name: string, bytes: Buffer): Promise<void> => {
      await writeFile(`${folder}${name}`, bytes);
      console.log(`docs/pictures/${name}: ${Math.round(bytes.length / 1000)} kB`);
    };
    await save('training.webp', await shoot(tab, 'training-host', 1280, 800));
    await save('split.webp', await shoot(tab, 'split-training', 1280, 800));
    await save('phone.webp', await shoot(tab, 'device-training', 390, 660));
    // Few messengers show WebP.
    await draw(tab, 'training-host', PREVIEW.width, PREVIEW.height);
    await tab.page.screenshot({ type: 'jpeg', quality: QUALITY, path: `${folder}../../public/${PREVIEW.name}` });
    const stations: Buffer[] = [];
    for (const state of STATIONS) stations.push(await shoot(tab, state, 1100, 760));
    await save('show.webp', moving(stations, 1100, 760, FRAME_MS));
    // A browser reads it as it was meant.
    await tab.page.setContent(
      `<img src="data:image/webp;base64,${moving(stations, 1100, 760, FRAME_MS).toString('base64')}">`,
    );
    const seen = await tab.page.$eval('img', async (img) => {
      await img.decode();
      return [img.naturalWidth, img.naturalHeight];
    });
    console.log(`the moving one is read as ${seen.join(' by ')}`);
  });
} finally {
  await gallery.close();
}
