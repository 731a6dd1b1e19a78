import type { Tab } from './harness.ts';

/** What somebody does in front of the real page, with as much patience as tabs need that share two cores. */
export const PATIENCE = { timeoutMs: 120_000 };

/** A tab in the background neither scrolls nor takes clicks; a person would turn to it first. */
export async function fill(tab: Tab, name: string, value: string): Promise<void> {
  await tab.page.bringToFront();
  await tab.page.waitForSelector(`input[name="${name}"]`, { visible: true });
  await tab.fill(`input[name="${name}"]`, value);
}

export const press = (tab: Tab, name: string): Promise<void> => tab.press(name, PATIENCE);

export const shows = (tab: Tab, text: string, timeoutMs = PATIENCE.timeoutMs): Promise<void> =>
  tab.until(`the page shows "${text}"`, (t: string) => document.body.innerText.includes(t), {
    args: [text],
    timeoutMs,
  });
