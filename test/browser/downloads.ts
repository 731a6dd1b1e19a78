import type { Tab } from './harness.ts';

declare global {
  /** What the page has handed to the browser's downloads, put there by `keepDownloads`. */
  var handedOver: Blob[];
}

/** From now on what the page hands to the browser's downloads is kept, to be read by `lastDownload`, and goes no further. */
export async function keepDownloads({ page }: Pick<Tab, 'page'>): Promise<void> {
  await page.evaluate(() => {
    globalThis.handedOver = [];
    const make = URL.createObjectURL.bind(URL);
    URL.createObjectURL = (made) => {
      if (made instanceof Blob) globalThis.handedOver.push(made);
      return make(made);
    };
    const click = HTMLAnchorElement.prototype.click;
    HTMLAnchorElement.prototype.click = function (this: HTMLAnchorElement) {
      if (this.download === '') click.call(this);
    };
  });
}

/** The bytes of what was handed over last. */
export async function lastDownload({ page }: Pick<Tab, 'page'>): Promise<Buffer> {
  const coded = await page.evaluate(async () => {
    const bytes = new Uint8Array((await globalThis.handedOver.at(-1)?.arrayBuffer()) ?? new ArrayBuffer(0));
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  });
  return Buffer.from(coded, 'base64');
}
