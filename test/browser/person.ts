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
    const found = `::-p-xpath(//summary[starts-with(normalize-space(), '${summary}')])`;
    const element = await this.tab.page.waitForSelector(found);
    // Away from what stays at the window's edge, as a person scrolls.
    await element?.evaluate((fold) => fold.scrollIntoView({ block: 'center', behavior: 'instant' }));
    await this.tab.page.locator(found).click();
  }

  async choose(name: string, value: string): Promise<void> {
    await this.tab.page.select(`select[name="${name}"]`, value);
  }

  /** What is learnt; tasks of GLUE by their own names. */
  async learn(task: string): Promise<void> {
    await learn(this.tab, task);
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

/** Chooses what is learnt in the form that starts a session. */
export async function learn({ page }: Pick<Tab, 'page'>, task: string): Promise<void> {
  const press = async (name: string, value: string): Promise<void> => {
    const choice = await page.waitForSelector(`input[name="${name}"][value="${value}"]`);
    await choice?.evaluate((input) => input.click());
  };
  const isGlue = task !== 'grammar' && task !== 'own';
  await press('task', isGlue ? 'glue' : task);
  if (isGlue) await press('glue', task);
}

/** Opens the part of the form where this device's name is. */
export const openDevice = async ({ page }: Pick<Tab, 'page'>): Promise<void> => {
  const fold = await page.waitForSelector('details[data-fold="device"]');
  await fold?.evaluate((details) => details.setAttribute('open', ''));
};

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
