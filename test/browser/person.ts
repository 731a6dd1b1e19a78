import { expect } from 'vitest';
import type { openGallery } from '../page/gallery/open-gallery.ts';
import type { SharedBrowser, Tab } from './harness.ts';

/** Somebody in front of the gallery, who sees words and presses what is written on buttons. */
export class Person {
  readonly tab: Tab;
  constructor(tab: Tab) {
    this.tab = tab;
  }

  async go(state: string): Promise<void> {
    await this.tab.page.evaluate((detail) => dispatchEvent(new CustomEvent('gallery', { detail })), state);
    await this.tab.until(
      `${state} is drawn`,
      (name) => document.querySelector('#app')?.getAttribute('data-drawn') === name,
      { args: [state] },
    );
  }

  async press(words: string): Promise<void> {
    await this.tab.page.locator(`::-p-xpath(//button[normalize-space()='${words}'])`).click();
  }

  async open(summary: string): Promise<void> {
    await this.tab.page.locator(`::-p-xpath(//summary[starts-with(normalize-space(), '${summary}')])`).click();
  }

  async choose(name: string, value: string): Promise<void> {
    await this.tab.page.select(`select[name="${name}"]`, value);
  }

  async give(name: string, ...paths: string[]): Promise<void> {
    const input = await this.tab.page.waitForSelector(`input[name="${name}"]`);
    await (input as unknown as { uploadFile(...paths: string[]): Promise<void> }).uploadFile(...paths);
  }

  shows(words: string): Promise<void> {
    return this.tab.until(`"${words}" is shown`, (text) => document.body.innerText.includes(text), { args: [words] });
  }

  showsNot(words: string): Promise<void> {
    return this.tab.until(`"${words}" is gone`, (text) => !document.body.innerText.includes(text), { args: [words] });
  }

  /** The request that the form made of what was typed; bytes as their number. */
  async request(): Promise<{ request: Record<string, unknown>; options: Record<string, unknown> }> {
    await this.shows('Preparing the session');
    return JSON.parse(await this.tab.page.$eval('#app', (app) => app.getAttribute('data-request') ?? '')) as never;
  }
}

/** At a phone's width. */
export const onPhone = (
  gallery: Pick<Awaited<ReturnType<typeof openGallery>>, 'address'>,
  shared: SharedBrowser,
  body: (person: Person) => Promise<void>,
) =>
  shared.use(async (browser) => {
    const tab = await browser.open(gallery.address('start'), { width: 390 });
    await body(new Person(tab));
    expect(tab.errors).toEqual([]);
  });
