import type { Tab } from './harness.ts';

/** What somebody does in front of the real page, with as much patience as tabs need that share two cores. */
export const PATIENCE = { timeoutMs: 120_000 };

/** A tab in the background neither scrolls nor takes clicks; a person would turn to it first. */
export async function fill(tab: Tab, name: string, value: string): Promise<void> {
  await tab.page.bringToFront();
  await tab.page.waitForSelector(`input[name="${name}"]`, { visible: true });
  await tab.fill(`input[name="${name}"]`, value);
}

export async function press(tab: Tab, text: string): Promise<void> {
  await tab.until(
    `a button "${text}" can be pressed`,
    (label: string) =>
      [...document.querySelectorAll('button')].some((b) => !b.disabled && b.textContent?.trim() === label),
    { ...PATIENCE, args: [text] },
  );
  await tab.page.bringToFront();
  for (const button of await tab.page.$$('button'))
    if ((await button.evaluate((b) => b.textContent.trim())) === text) return button.click();
  throw new Error(`The button "${text}" is gone.`);
}

export const shows = (tab: Tab, text: string, timeoutMs = PATIENCE.timeoutMs): Promise<void> =>
  tab.until(`the page shows "${text}"`, (t: string) => document.body.innerText.includes(t), {
    args: [text],
    timeoutMs,
  });
