import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type Axe from 'axe-core';
import type { Tab } from './harness.ts';

declare global {
  /** Put into the page by the test that asks it. */
  var axe: typeof Axe;
}

const source = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Hands axe to a tab's page; once after each load. */
export async function giveAxe({ page }: Pick<Tab, 'page'>): Promise<void> {
  await page.evaluate(await source);
}

/** What axe finds in the page as it is, rule by rule; by all rules, or by those that are named. */
export async function axeFinds({ page }: Pick<Tab, 'page'>, rules: readonly string[] | null = null): Promise<string[]> {
  return page.evaluate(async (asked: readonly string[] | null) => {
    const { violations } = await globalThis.axe.run(document, {
      resultTypes: ['violations'],
      ...(asked !== null && { runOnly: [...asked] }),
    });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  }, rules);
}
